package ruleset

import (
	"strconv"

	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// hasParameter reports whether a parameter group gives the parameter called name the value want. prop
// is the input of the subject that refers to the group. T is the type of the group.
func hasParameter[T rule.Typed](s *rule.Subject, prop, name, want string) value.Truth {
	groups := rule.Refs[T](s.Graph, s.Resource, prop)
	return groups.Any(func(r *graph.Resource, _ T) value.Truth {
		parameters := value.As[value.List[value.Value]](r.View().Get("parameters"))
		return parameters.Any(func(p value.Value) value.Truth {
			return value.All(
				value.As[value.String](p.Get("name")).Is(name),
				value.As[value.String](p.Get("value")).Is(want),
			)
		})
	})
}

// parseNumber returns the number that a text contains. For a string that is not a number it
// returns 0.
func parseNumber(text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return n
}

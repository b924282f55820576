package ruleset_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/value"
)

// leaves returns the paths of all values that are neither an object nor a list.
// Each path begins with the prefix.
func leaves(raw any, prefix string) []string {
	var out []string
	addChild := func(name string, child any) {
		if prefix != "" {
			name = prefix + "." + name
		}
		out = append(out, leaves(child, name)...)
	}
	switch v := raw.(type) {
	case map[string]any:
		for name, child := range v {
			addChild(strings.ReplaceAll(name, ".", "|"), child)
		}
	case []any:
		for i, child := range v {
			addChild(fmt.Sprint(i), child)
		}
	default:
		return []string{prefix}
	}
	slices.Sort(out)
	return out
}

// A value that becomes unknown can only make a result undecided. It never changes Broken to
// Holds or Holds to Broken, and no rule panics.
func TestUnknownValueOnlyMakesResultsUndecided(t *testing.T) {
	stacks := map[string]*environment{"prod": recorded(t, "prod"), "staging": recorded(t, "staging"), "compliant prod": compliantProd(t)}
	for _, env := range stacks {
		env.config = `{"cost":{"monthlyBudget":4000}}` // above staging's cost, below prod's
	}
	before := map[string]map[string]evaluate.Result{}
	for name, env := range stacks {
		before[name] = env.results(nil)
	}
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom([]string{"prod", "staging", "compliant prod"}).Draw(rt, "stack")
		env := &environment{resources: slices.Clone(stacks[name].resources), config: stacks[name].config}
		for range rapid.IntRange(1, 8).Draw(rt, "values") {
			r := rapid.SampledFrom(env.resources).Draw(rt, "resource")
			if all := leaves(r.Inputs.Raw(), ""); len(all) > 0 {
				path := rapid.SampledFrom(all).Draw(rt, "path")
				i := slices.Index(env.resources, r)
				env.resources[i] = withInput(r, path, value.Undetermined{})
			}
		}
		for key, r := range env.results(nil) {
			known := before[name][key]
			if r.Outcome != known.Outcome && r.Outcome != evaluate.Undecided && known.Outcome != evaluate.Undecided {
				rt.Fatalf("%s: %s when known, %s when partly unknown: %v", key, known.Outcome, r.Outcome, r.Messages)
			}
			if known.Outcome == evaluate.Undecided && r.Outcome != evaluate.Undecided {
				rt.Fatalf("%s: decided, although it was undecided with more values known: %v", key, r.Messages)
			}
			if strings.Contains(strings.Join(r.Messages, ""), "the rule itself failed") {
				rt.Fatalf("%s: %v", key, r.Messages)
			}
		}
	})
}

package ruleset_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/value"
)

// valuePaths returns the paths of all values in raw: objects, lists, and what is in them.
// Each path begins with the prefix.
func valuePaths(raw any, prefix string) []string {
	var paths []string
	addChild := func(name string, child any) {
		if prefix != "" {
			name = prefix + "." + name
		}
		paths = append(append(paths, name), valuePaths(child, name)...)
	}
	switch v := raw.(type) {
	case value.Secret:
		return valuePaths(v.Value, prefix)
	case map[string]any:
		for name, child := range v {
			addChild(strings.ReplaceAll(name, ".", "|"), child)
		}
	case []any:
		for i, child := range v {
			addChild(fmt.Sprint(i), child)
		}
	}
	slices.Sort(paths)
	return paths
}

// withUnknownInput returns a copy of the resource with an unknown value at the path. If keepReferences
// is false, or if the value was not set, it also removes the references of the input. A value that
// was not set came from no resource, and an input with a reference counts as set.
func withUnknownInput(r *graph.Resource, path string, keepReferences bool) *graph.Resource {
	top, _, _ := strings.Cut(path, ".")
	isSet, _ := r.Inputs.At(path).IsSet().Known()
	r = withInput(r, path, value.Undetermined{})
	if !keepReferences || !isSet {
		r.References = maps.Clone(r.References)
		delete(r.References, top)
	}
	return r
}

// startingPoint is a stack of the property test, with the results before a value becomes unknown.
type startingPoint struct {
	env     *environment
	results map[string]evaluate.Result
	// edited are the indexes in env.resources of the resources that compliantProd does not have, such
	// as those that an example has edited.
	edited []int
}

// startingPoints returns the names of the starting points: the recorded prod and staging, the
// compliant prod, and the edited compliant prod of each example. start returns the starting
// point with a name, and evaluates the results in the first call for this name.
func startingPoints(t *testing.T) (names []string, start func(name string) *startingPoint) {
	t.Helper()
	environments := map[string]func() *environment{
		"prod":           func() *environment { return readRecording(t, "prod") },
		"staging":        func() *environment { return readRecording(t, "staging") },
		"compliant prod": func() *environment { return compliantProd(t) },
	}
	for i, e := range allExamples() {
		environments[fmt.Sprintf("%s %d", e.rule, i)] = func() *environment { return e.newEnvironment(t, e.breakingEdits()...) }
	}
	points := map[string]*startingPoint{}
	start = func(name string) *startingPoint {
		if points[name] == nil {
			point := &startingPoint{env: environments[name]()}
			if point.env.config == "" {
				point.env.config = `{"cost":{"monthlyBudget":4000}}` // above staging's cost, below prod's
			}
			point.results = point.env.evaluateRules(nil)
			unedited := compliantProd(t).resources
			for i, r := range point.env.resources {
				if !slices.Contains(unedited, r) {
					point.edited = append(point.edited, i)
				}
			}
			points[name] = point
		}
		return points[name]
	}
	return slices.Sorted(maps.Keys(environments)), start
}

// If a value becomes unknown, a result stays the same or becomes evaluate.Undecided. It never changes
// from Broken to Holds or from Holds to Broken, and no rule panics. Half of the values belong to a
// resource that an example has edited, because the rule of the example reads that resource.
func TestUnknownValueOnlyMakesResultsUndecided(t *testing.T) {
	names, start := startingPoints(t)
	stacks := []string{"prod", "staging", "compliant prod"}
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.OneOf(rapid.SampledFrom(stacks), rapid.SampledFrom(names)).Draw(rt, "stack")
		point := start(name)
		env := &environment{resources: slices.Clone(point.env.resources), config: point.env.config}
		for range rapid.IntRange(1, 8).Draw(rt, "values") {
			i := rapid.IntRange(0, len(env.resources)-1).Draw(rt, "resource")
			if len(point.edited) > 0 && len(point.edited) < 10 && rapid.Bool().Draw(rt, "of the example") {
				i = rapid.SampledFrom(point.edited).Draw(rt, "edited")
			}
			r := env.resources[i]
			if paths := valuePaths(r.Inputs.Raw(), ""); len(paths) > 0 {
				path := rapid.SampledFrom(paths).Draw(rt, "path")
				rt.Logf("%s: %s", shortName(r), path)
				// The references of an edited resource come from the values before the edit.
				keepReferences := rapid.Bool().Draw(rt, "references") && !slices.Contains(point.edited, i)
				env.resources[i] = withUnknownInput(r, path, keepReferences)
			}
		}
		for key, r := range env.evaluateRules(nil) {
			before := point.results[key]
			if r.Outcome != before.Outcome && r.Outcome != evaluate.Undecided && before.Outcome != evaluate.Undecided {
				rt.Fatalf("%s: %s when known, %s when partly unknown: %v", key, before.Outcome, r.Outcome, r.Messages)
			}
			if before.Outcome == evaluate.Undecided && r.Outcome != evaluate.Undecided {
				rt.Fatalf("%s: decided, although it was undecided with more values known: %v", key, r.Messages)
			}
			if strings.Contains(strings.Join(r.Messages, ""), "the rule itself failed") {
				rt.Fatalf("%s: %v", key, r.Messages)
			}
		}
	})
}

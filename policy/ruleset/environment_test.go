package ruleset_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/ruleset"
	"github.com/progressive-framework/platform/policy/source"
	"github.com/progressive-framework/platform/policy/value"
)

// today is a day on which all versions in the recorded stacks have standard support.
var today = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

// environment is a recorded stack that a test can edit. An edit replaces a resource by a
// changed copy, so the recording does not change.
type environment struct {
	resources []*graph.Resource
	// config is the value of the key progressive-framework:policy.
	config string
}

// environments has each environment that a test has already read or built, by name.
var environments = map[string]*environment{}

// readRecording returns the recorded environment of a stack.
func readRecording(t testing.TB, stack string) *environment {
	t.Helper()
	if environments[stack] == nil {
		s, err := source.Read("../testdata/" + stack + ".jsonl")
		require.NoError(t, err, "record the stack: go -C sandbox test ./test/engine -run TestPolicyRecordings -update")
		environments[stack] = &environment{resources: s.Graph.All()}
	}
	return &environment{resources: slices.Clone(environments[stack].resources)}
}

// shortName returns the name that the examples use for a resource: its kind, and its name
// without the prefix of the stack.
func shortName(r *graph.Resource) string {
	kind := r.Type[strings.LastIndex(r.Type, ":")+1:]
	name := strings.TrimPrefix(r.Name, "progressive-framework-")
	name = strings.TrimPrefix(name, "prod-")
	return kind + " " + name
}

// findIndex returns the index of the resource with a short name in env.resources.
func (env *environment) findIndex(t testing.TB, name string) int {
	t.Helper()
	i := slices.IndexFunc(env.resources, func(r *graph.Resource) bool { return shortName(r) == name })
	require.GreaterOrEqual(t, i, 0, "the recording has no resource %q", name)
	return i
}

// edit is one change of an environment.
type edit func(t testing.TB, env *environment)

// set returns an edit that replaces the value of an input. If newValue is nil, the edit removes the
// input.
func set(name, path string, newValue any) edit {
	return func(t testing.TB, env *environment) {
		t.Helper()
		i := env.findIndex(t, name)
		r := *env.resources[i]
		r.Inputs = value.New(replaceValue(r.Inputs.Raw(), strings.Split(path, "."), newValue))
		top, _, _ := strings.Cut(path, ".")
		if top == path { // the new value of a whole input comes from no resource
			r.References = maps.Clone(r.References)
			delete(r.References, top)
		}
		env.resources[i] = &r
	}
}

// remove returns an edit that removes resources.
func remove(names ...string) edit {
	return func(t testing.TB, env *environment) {
		t.Helper()
		for _, name := range names {
			i := env.findIndex(t, name)
			env.resources = slices.Delete(slices.Clone(env.resources), i, i+1)
		}
	}
}

// change returns an edit that calls update with a copy of a resource.
func change(name string, update func(*graph.Resource)) edit {
	return func(t testing.TB, env *environment) {
		t.Helper()
		i := env.findIndex(t, name)
		r := *env.resources[i]
		r.References = maps.Clone(r.References)
		update(&r)
		env.resources[i] = &r
	}
}

// add returns an edit that adds a resource. references has, by the name of an input, the short
// name of the resource that the input refers to.
func add(typ, name string, inputs map[string]any, references map[string]string) edit {
	return func(t testing.TB, env *environment) {
		t.Helper()
		r := graph.New("urn:pulumi:prod::progressive-framework::" + typ + "::" + name)
		r.Inputs, r.References = value.New(inputs), map[string][]string{}
		for prop, target := range references {
			r.References[prop] = []string{env.resources[env.findIndex(t, target)].URN}
		}
		env.resources = append(slices.Clone(env.resources), r)
	}
}

// replaceValue returns a copy of raw with newValue at the path. A number in the path is the index of
// a list, and * is each element. If newValue is nil, it removes the value.
func replaceValue(raw any, path []string, newValue any) any {
	if len(path) == 0 {
		return newValue
	}
	switch node := raw.(type) {
	case value.Secret:
		return value.Secret{Value: replaceValue(node.Value, path, newValue)}
	case []any:
		changed := slices.Clone(node)
		for i := range changed {
			if path[0] == "*" || path[0] == strconv.Itoa(i) {
				changed[i] = replaceValue(changed[i], path[1:], newValue)
			}
		}
		return changed
	case map[string]any:
		changed := maps.Clone(node)
		if changed == nil {
			changed = map[string]any{}
		}
		// A path has | for each dot in a key.
		name := strings.ReplaceAll(path[0], "|", ".")
		if child := replaceValue(changed[name], path[1:], newValue); child == nil {
			delete(changed, name)
		} else {
			changed[name] = child
		}
		return changed
	}
	if newValue == nil {
		return nil
	}
	return map[string]any{strings.ReplaceAll(path[0], "|", "."): replaceValue(nil, path[1:], newValue)}
}

// evaluateRules evaluates all rules. A key of the result is "RULE @ RESOURCE".
func (env *environment) evaluateRules(watch func(id, format, text string, t value.Truth)) map[string]evaluate.Result {
	e := evaluate.New(ruleset.All(), "prod", env.config, today)
	e.Watch = watch
	results := map[string]evaluate.Result{}
	for _, r := range e.ApplyToStack(graph.Build(env.resources)) {
		results[r.Rule.ID+" @ "+shortName(r.Resource)] = r
	}
	return results
}

// newResults lists the results that have the outcome in after but not in before.
func newResults(before, after map[string]evaluate.Result, outcome evaluate.Outcome) []string {
	var keys []string
	for key, r := range after {
		if r.Outcome == outcome && before[key].Outcome != outcome {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

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

// recordings has each environment that a test has already read or built, by name.
var recordings = map[string]*environment{}

// recorded returns the recorded environment of a stack.
func recorded(t testing.TB, stack string) *environment {
	t.Helper()
	if recordings[stack] == nil {
		s, err := source.Read("../testdata/" + stack + ".jsonl")
		require.NoError(t, err, "record the stack: go -C sandbox test ./test/engine -run TestPolicyRecordings -update")
		recordings[stack] = &environment{resources: s.Graph.All()}
	}
	return &environment{resources: slices.Clone(recordings[stack].resources)}
}

// shortName returns the name that the examples use for a resource: its kind, and its name
// without the prefix of the stack.
func shortName(r *graph.Resource) string {
	kind := r.Type[strings.LastIndex(r.Type, ":")+1:]
	name := strings.TrimPrefix(r.Name, "progressive-framework-")
	name = strings.TrimPrefix(name, "prod-")
	return kind + " " + name
}

// findIndex returns the position of the resource with a short name.
func (env *environment) findIndex(t testing.TB, name string) int {
	t.Helper()
	i := slices.IndexFunc(env.resources, func(r *graph.Resource) bool { return shortName(r) == name })
	require.GreaterOrEqual(t, i, 0, "the recording has no resource %q", name)
	return i
}

// edit is one change of an environment.
type edit func(t testing.TB, env *environment)

// set returns an edit that replaces the value of an input. A nil removes the input.
func set(name, path string, v any) edit {
	return func(t testing.TB, env *environment) {
		t.Helper()
		i := env.findIndex(t, name)
		r := *env.resources[i]
		r.Inputs = value.New(replaceValue(r.Inputs.Raw(), strings.Split(path, "."), v))
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

// replaceValue returns a copy of raw with v at the path. A number in the path is the
// index of a list, and * is each element. A nil removes the value.
func replaceValue(raw any, path []string, v any) any {
	if len(path) == 0 {
		return v
	}
	switch node := raw.(type) {
	case value.Secret:
		return value.Secret{Value: replaceValue(node.Value, path, v)}
	case []any:
		out := slices.Clone(node)
		for i := range out {
			if path[0] == "*" || path[0] == strconv.Itoa(i) {
				out[i] = replaceValue(out[i], path[1:], v)
			}
		}
		return out
	case map[string]any:
		out := maps.Clone(node)
		if out == nil {
			out = map[string]any{}
		}
		// A path has | for each dot in a key.
		name := strings.ReplaceAll(path[0], "|", ".")
		if child := replaceValue(out[name], path[1:], v); child == nil {
			delete(out, name)
		} else {
			out[name] = child
		}
		return out
	}
	if v == nil {
		return nil
	}
	return map[string]any{strings.ReplaceAll(path[0], "|", "."): replaceValue(nil, path[1:], v)}
}

// results evaluates all rules. The keys are "rule @ resource".
func (env *environment) results(watch func(id, format, text string, t value.Truth)) map[string]evaluate.Result {
	e := evaluate.New(ruleset.All(), "prod", env.config, today)
	e.Watch = watch
	all := map[string]evaluate.Result{}
	for _, r := range e.ApplyToStack(graph.Build(env.resources)) {
		all[r.Rule.ID+" @ "+shortName(r.Resource)] = r
	}
	return all
}

// newResults lists the results that have the outcome in after but not in before.
func newResults(before, after map[string]evaluate.Result, o evaluate.Outcome) []string {
	var out []string
	for key, r := range after {
		if r.Outcome == o && before[key].Outcome != o {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

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

// today is a day within the standard support of the recordings' versions.
var today = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

// environment is the recorded stack of a test. A test can edit it: an edited
// resource is a copy, the others are shared with the recording.
type environment struct {
	resources []*graph.Resource
	// config is the value of the key progressive-framework:policy.
	config string
}

// recordings are read once.
var recordings = map[string]*environment{}

// recorded returns the recording of a stack. An edit of it does not change the
// recording.
func recorded(t testing.TB, stack string) *environment {
	t.Helper()
	if recordings[stack] == nil {
		s, err := source.Read("../testdata/" + stack + ".jsonl")
		require.NoError(t, err, "record the stack: go -C sandbox test ./test/engine -run TestPolicyRecordings -update")
		recordings[stack] = &environment{resources: s.Graph.All()}
	}
	return &environment{resources: slices.Clone(recordings[stack].resources)}
}

// short returns the name of a resource in a table: its kind, and its name without
// the prefix of the stack.
func short(r *graph.Resource) string {
	kind := r.Type[strings.LastIndex(r.Type, ":")+1:]
	name := strings.TrimPrefix(r.Name, "progressive-framework-")
	name = strings.TrimPrefix(name, "prod-")
	return kind + " " + name
}

// find returns the resource of a short name.
func (env *environment) find(t testing.TB, name string) int {
	t.Helper()
	i := slices.IndexFunc(env.resources, func(r *graph.Resource) bool { return short(r) == name })
	require.GreaterOrEqual(t, i, 0, "the recording has no resource %q", name)
	return i
}

// edit is one change of an environment.
type edit func(t testing.TB, env *environment)

// set replaces the value of an input; nil removes it.
func set(name, path string, v any) edit {
	return func(t testing.TB, env *environment) {
		t.Helper()
		i := env.find(t, name)
		r := *env.resources[i]
		r.Inputs = value.New(replaced(r.Inputs.Raw(), strings.Split(path, "."), v))
		top, _, _ := strings.Cut(path, ".")
		if top == path { // the value comes from no resource any more
			r.References = maps.Clone(r.References)
			delete(r.References, top)
		}
		env.resources[i] = &r
	}
}

// remove removes resources.
func remove(names ...string) edit {
	return func(t testing.TB, env *environment) {
		t.Helper()
		for _, name := range names {
			i := env.find(t, name)
			env.resources = slices.Delete(slices.Clone(env.resources), i, i+1)
		}
	}
}

// change edits a resource by a function.
func change(name string, with func(*graph.Resource)) edit {
	return func(t testing.TB, env *environment) {
		t.Helper()
		i := env.find(t, name)
		r := *env.resources[i]
		r.References = maps.Clone(r.References)
		with(&r)
		env.resources[i] = &r
	}
}

// add adds a resource. References are short names by input.
func add(typ, name string, inputs map[string]any, references map[string]string) edit {
	return func(t testing.TB, env *environment) {
		t.Helper()
		r := graph.New("urn:pulumi:prod::progressive-framework::" + typ + "::" + name)
		r.Inputs, r.References = value.New(inputs), map[string][]string{}
		for prop, target := range references {
			r.References[prop] = []string{env.resources[env.find(t, target)].URN}
		}
		env.resources = append(slices.Clone(env.resources), r)
	}
}

// replaced copies a tree with one value replaced. A number in the path is the
// index of a list; * is every element.
func replaced(raw any, path []string, v any) any {
	if len(path) == 0 {
		return v
	}
	switch node := raw.(type) {
	case value.Secret:
		return value.Secret{Value: replaced(node.Value, path, v)}
	case []any:
		out := slices.Clone(node)
		for i := range out {
			if path[0] == "*" || path[0] == strconv.Itoa(i) {
				out[i] = replaced(out[i], path[1:], v)
			}
		}
		return out
	case map[string]any:
		out := maps.Clone(node)
		if out == nil {
			out = map[string]any{}
		}
		// A key with dots is written with | for each dot.
		name := strings.ReplaceAll(path[0], "|", ".")
		if child := replaced(out[name], path[1:], v); child == nil {
			delete(out, name)
		} else {
			out[name] = child
		}
		return out
	}
	if v == nil {
		return nil
	}
	return map[string]any{strings.ReplaceAll(path[0], "|", "."): replaced(nil, path[1:], v)}
}

// results evaluates all rules. The keys are "rule @ resource".
func (env *environment) results(watch func(id, format, text string, t value.Truth)) map[string]evaluate.Result {
	e := evaluate.New(ruleset.All(), "prod", env.config, today)
	e.Watch = watch
	all := map[string]evaluate.Result{}
	for _, r := range e.Stack(graph.Build(env.resources)) {
		all[r.Rule.ID+" @ "+short(r.Resource)] = r
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

package cost_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/cost"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/source"
	"github.com/progressive-framework/platform/policy/value"
)

// today is the day of the tests. No price is old on it.
var today = time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)

// provider is the AWS provider of the stacks in these tests.
var provider = resource("pulumi:providers:aws", "aws", map[string]any{"region": "us-east-1"}, nil)

// resource returns a resource of the component network. references are the resources that its
// inputs refer to, by the name of the input.
func resource(typ, name string, inputs map[string]any, references map[string]*graph.Resource) *graph.Resource {
	r := graph.New("urn:pulumi:test::p::progressive:network:Network$" + typ + "::" + name)
	r.Inputs, r.References = value.New(inputs), map[string][]string{}
	for input, target := range references {
		r.References[input] = []string{target.URN}
	}
	return r
}

// stackWith returns a stack in us-east-1 with these resources.
func stackWith(resources ...*graph.Resource) *source.Stack {
	return &source.Stack{Graph: graph.Build(append([]*graph.Resource{provider}, resources...))}
}

// estimate returns the cost report of a stack with these resources, on the day of the tests.
func estimate(resources ...*graph.Resource) cost.Report {
	return cost.Estimate(stackWith(resources...), cost.Options{Now: today})
}

// readRecording reads a recorded stack.
func readRecording(t testing.TB, name string) *source.Stack {
	t.Helper()
	s, err := source.Read("../testdata/" + name + ".jsonl")
	require.NoError(t, err)
	return s
}

// withInput returns a copy of a resource with newValue at the dotted path of its inputs. If newValue
// is nil, it removes the input.
func withInput(r *graph.Resource, path string, newValue any) *graph.Resource {
	changed := *r
	changed.Inputs = value.New(replaceValue(r.Inputs.Raw(), strings.Split(path, "."), newValue))
	changed.References = map[string][]string{}
	for input, urns := range r.References {
		if top, _, _ := strings.Cut(path, "."); input != top {
			changed.References[input] = urns
		}
	}
	return &changed
}

// replaceValue returns a copy of raw with newValue at the path. A digit in the path is the index of
// a list. If newValue is nil, it removes the property of an object.
func replaceValue(raw any, path []string, newValue any) any {
	if len(path) == 0 {
		return newValue
	}
	switch node := raw.(type) {
	case value.Secret:
		return value.Secret{Value: replaceValue(node.Value, path, newValue)}
	case []any:
		copied := make([]any, len(node))
		copy(copied, node)
		if i := int(path[0][0] - '0'); len(path[0]) == 1 && i < len(copied) {
			copied[i] = replaceValue(copied[i], path[1:], newValue)
		}
		return copied
	case map[string]any:
		copied := make(map[string]any, len(node))
		for name, child := range node {
			copied[name] = child
		}
		if child := replaceValue(copied[path[0]], path[1:], newValue); child == nil {
			delete(copied, path[0])
		} else {
			copied[path[0]] = child
		}
		return copied
	}
	return raw
}

package ruleset_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/graph"
)

// digestHex is the hexadecimal part of an image's digest.
const digestHex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// withoutImage returns an edit after which a workload runs an image that the stack has not built.
func withoutImage(name string) edit {
	return change(name, func(r *graph.Resource) {
		r.References["spec"] = slices.DeleteFunc(slices.Clone(r.References["spec"]), func(urn string) bool { return strings.Contains(urn, "ko:index:Image") })
	})
}

// copyReferences returns an edit that copies the references of the input prop from the
// resource other to the resource name.
func copyReferences(name, prop, other string) edit {
	return func(t testing.TB, env *environment) {
		t.Helper()
		urns := env.resources[env.findIndex(t, other)].References[prop]
		require.NotEmpty(t, urns)
		change(name, func(r *graph.Resource) { r.References[prop] = urns })(t, env)
	}
}

// addHTTPListener is an edit that adds a listener for HTTP. prod has no such listener.
var addHTTPListener = add("aws:lb/listener:Listener", "http", map[string]any{
	"protocol":       "HTTP",
	"defaultActions": []any{map[string]any{"type": "redirect", "redirect": map[string]any{"protocol": "HTTPS"}}},
}, nil)

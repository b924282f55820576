package graph

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/value"
)

func resource(name string, inputs map[string]any, references map[string][]string) *Resource {
	r := New("urn:pulumi:prod::p::parent:T$t:t:T::" + name)
	r.Inputs, r.References = value.New(inputs), references
	return r
}

func TestNewReadsTypeAndNameFromTheURN(t *testing.T) {
	r := New("urn:pulumi:prod::p::a:b:C$aws:kms/key:Key::name::with::colons")
	require.Equal(t, "aws:kms/key:Key", r.Type)
	require.Equal(t, "name::with::colons", r.Name)
	require.Equal(t, "prod", StackName(r.URN))
	require.Empty(t, New("no URN").Type)
}

func TestRefsAndReferrersFindTheSameReferences(t *testing.T) {
	target := resource("target", nil, nil)
	target.ID = "id-1"
	target.Outputs = value.New(map[string]any{"arn": "arn:target"})
	always := func(*Resource) value.Truth { return value.True }
	for _, tc := range []struct {
		reason     string
		input      any
		references []string
		want       value.Truth
	}{
		{"an unknown value with a recorded reference", value.Undetermined{}, []string{target.URN}, value.True},
		{"an unknown value without a recorded reference may be one", value.Undetermined{}, nil, value.Unknown},
		{"a literal ID", "id-1", nil, value.True},
		{"a literal ARN in a list", []any{"other", "arn:target"}, nil, value.True},
		{"the ID of another resource", "id-2", nil, value.False},
		{"a list with an unknown element", []any{"id-2", value.Undetermined{}}, nil, value.Unknown},
		{"an input without a value", nil, nil, value.False},
		{"a reference to a resource of another stack", value.Undetermined{}, []string{"urn:pulumi:prod::p::x:x:X::gone"}, value.False},
	} {
		referrer := resource("from", map[string]any{"ref": tc.input}, map[string][]string{"ref": tc.references})
		g := Build([]*Resource{target, referrer})
		require.Equal(t, tc.want, g.Refs(referrer, "ref", target.Type).Exists(), tc.reason)
		require.Equal(t, tc.want, g.Referrers(target, referrer.Type, "ref").Any(always), "%s, found by Referrers", tc.reason)
		if exists, known := tc.want.Known(); known {
			require.Equal(t, exists, len(g.Refs(referrer, "ref", target.Type).Resources) == 1, tc.reason)
		}
	}
}

func TestIncompleteRelatedGivesUnknownUnlessAResourceDecides(t *testing.T) {
	a, b := resource("a", nil, nil), resource("b", nil, nil)
	hasName := func(name string) func(*Resource) value.Truth {
		return func(r *Resource) value.Truth { return value.FromBool(r.Name == name) }
	}
	complete, incomplete := Related{Resources: []*Resource{a, b}, Complete: true}, Related{Resources: []*Resource{a, b}}
	require.Equal(t, value.True, complete.Any(hasName("a")))
	require.Equal(t, value.False, complete.Any(hasName("c")))
	require.Equal(t, value.Unknown, incomplete.Any(hasName("c")), "the unknown resource may have the name")
	require.Equal(t, value.True, incomplete.Any(hasName("a")))
	require.Equal(t, value.False, incomplete.All(hasName("a")), "b has another name")
	require.Equal(t, value.Unknown, incomplete.All(func(*Resource) value.Truth { return value.True }))
	require.Equal(t, value.False, Related{Complete: true}.Exists())
}

func TestOutputsOfResourcesCountAsSet(t *testing.T) {
	r := resource("r", map[string]any{"fromA": value.Undetermined{}, "unknown": value.Undetermined{}, "object": map[string]any{"field": value.Undetermined{}}},
		map[string][]string{"fromA": {"urn:a"}, "object": {"urn:b"}})
	require.Equal(t, value.True, r.View().Get("fromA").IsSet())
	require.Equal(t, value.Unknown, r.View().Get("unknown").IsSet())
	require.Equal(t, value.True, r.View().At("object.field").IsSet())
}

// A resource with an unknown input and without a recorded reference may refer to any resource.
// AllReferrers leaves out the resources of excluded types.
func TestAllReferrersIsUnknownWithAnUnknownInput(t *testing.T) {
	target := resource("target", nil, nil)
	user := resource("user", map[string]any{"ref": value.Undetermined{}}, map[string][]string{"ref": {target.URN}})
	other := resource("other", map[string]any{"ref": value.Undetermined{}}, nil)
	require.Equal(t, value.False, Build([]*Resource{target}).AllReferrers(target).Exists())
	require.Equal(t, value.True, Build([]*Resource{target, user, other}).AllReferrers(target).Exists())
	require.Equal(t, value.Unknown, Build([]*Resource{target, other}).AllReferrers(target).Exists())
	require.Equal(t, value.False, Build([]*Resource{target, user, other}).AllReferrers(target, user.Type).Exists())
}

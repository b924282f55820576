package provider

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
)

// newPassword returns a stack whose only resource is a password.
func newPassword(t *testing.T) *stack {
	t.Helper()
	s := newStack(t, "unused")
	s.urn = resource.NewURN("test", "shop", "", "ko:index:Password", "redis")
	return s
}

// length returns the inputs of a password.
func length(n int) map[string]property.Value {
	return map[string]property.Value{"length": property.New(float64(n))}
}

// A value stays the same in later updates, and differs between resources.
func TestPasswordIsRandomAndStaysTheSame(t *testing.T) {
	one, two := newPassword(t), newPassword(t)
	require.True(t, one.up(length(40)))
	require.True(t, two.up(length(40)))
	value := one.state.Get("value")
	require.Regexp(t, `^[A-Za-z0-9]{40}$`, value.AsString())
	require.NotEqual(t, value.AsString(), two.state.Get("value").AsString())
	require.False(t, one.up(length(40)), "nothing to change")
	require.Equal(t, value.AsString(), one.state.Get("value").AsString())
}

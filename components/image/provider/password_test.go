package provider

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
)

// newPassword returns a stack with a password as its only resource.
func newPassword(t *testing.T) *stack {
	t.Helper()
	s := newStack(t, "unused")
	s.urn = resource.NewURN("test", "shop", "", "ko:index:Password", "redis")
	return s
}

// passwordInputs returns the inputs of a password.
func passwordInputs(n int) map[string]property.Value {
	return map[string]property.Value{"length": property.New(float64(n))}
}

// A value stays the same in later updates, and differs between resources.
func TestPasswordIsRandomAndStaysTheSame(t *testing.T) {
	first, second := newPassword(t), newPassword(t)
	require.True(t, first.up(passwordInputs(40)))
	require.True(t, second.up(passwordInputs(40)))
	value := first.state.Get("value")
	require.Regexp(t, `^[A-Za-z0-9]{40}$`, value.AsString())
	require.NotEqual(t, value.AsString(), second.state.Get("value").AsString())
	require.False(t, first.up(passwordInputs(40)), "nothing to change")
	require.Equal(t, value.AsString(), first.state.Get("value").AsString())
}

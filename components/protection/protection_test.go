package protection

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

func TestTransformProtectsStatefulAndUnknownTypes(t *testing.T) {
	// isProtected returns the option "protect" of a resource after the transformation.
	isProtected := func(t *testing.T, p *Policy, kind string, opts ...pulumi.ResourceOption) bool {
		t.Helper()
		result := p.Transform(&pulumi.ResourceTransformationArgs{Type: kind, Opts: opts})
		if result != nil {
			opts = result.Opts
		}
		options, err := pulumi.NewResourceOptions(opts...)
		require.NoError(t, err)
		return options.Protect
	}
	enabled, disabled := New(true), New(false)
	require.True(t, isProtected(t, enabled, "aws:ec2/vpc:Vpc"))
	require.False(t, isProtected(t, disabled, "aws:ec2/vpc:Vpc"))
	require.False(t, isProtected(t, disabled, "aws:ec2/vpc:Vpc", pulumi.Protect(true)), "the stack's policy overrides the option of a resource")
	require.False(t, isProtected(t, enabled, "aws:ec2/route:Route"))
	require.True(t, isProtected(t, enabled, "aws:efs/fileSystem:FileSystem"), "an unknown type may hold data")
	require.Equal(t, []string{"aws:efs/fileSystem:FileSystem"}, enabled.Unclassified())
	require.Empty(t, disabled.Unclassified())
}

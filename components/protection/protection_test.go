package protection

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

func TestTransform(t *testing.T) {
	protect := func(t *testing.T, p *Policy, kind string, opts ...pulumi.ResourceOption) bool {
		t.Helper()
		result := p.Transform(&pulumi.ResourceTransformationArgs{Type: kind, Opts: opts})
		if result != nil {
			opts = result.Opts
		}
		snapshot, err := pulumi.NewResourceOptions(opts...)
		require.NoError(t, err)
		return snapshot.Protect
	}
	on, off := New(true), New(false)
	require.True(t, protect(t, on, "aws:ec2/vpc:Vpc"))
	require.False(t, protect(t, off, "aws:ec2/vpc:Vpc"))
	require.False(t, protect(t, off, "aws:ec2/vpc:Vpc", pulumi.Protect(true)), "the stack decides, not a component")
	require.False(t, protect(t, on, "aws:ec2/route:Route"))
	require.True(t, protect(t, on, "aws:efs/fileSystem:FileSystem"), "an unknown type may hold data")
	require.Equal(t, []string{"aws:efs/fileSystem:FileSystem"}, on.Unclassified())
	require.Empty(t, off.Unclassified())
}

package stateful

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHoldsStateOnlyForStatefulTypes(t *testing.T) {
	for _, tc := range []struct {
		reason, kind string
		inComponent  bool
		holds, known bool
	}{
		{"a database holds data", "aws:rds/instance:Instance", true, true, true},
		{"an Auto Scaling Group holds no data", "aws:autoscaling/group:Group", true, false, true},
		{"a Secret of a component is a store's password", "kubernetes:core/v1:Secret", true, true, true},
		{"a Secret outside of components can be created again", "kubernetes:core/v1:Secret", false, false, true},
		{"a component exists only in Pulumi", "progressive:network:Network", false, false, true},
		{"a provider exists only in Pulumi", "pulumi:providers:aws", false, false, true},
		{"a type that is not classified", "aws:efs/fileSystem:FileSystem", true, false, false},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			holds, known := HoldsState(tc.kind, tc.inComponent)
			require.Equal(t, tc.holds, holds)
			require.Equal(t, tc.known, known)
		})
	}
}

func TestEveryClassHasAReason(t *testing.T) {
	for kind, c := range classes {
		require.NotEmpty(t, c.reason, kind)
	}
}

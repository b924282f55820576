package stateful

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHolds(t *testing.T) {
	for _, tc := range []struct {
		reason, kind string
		inComponent  bool
		holds, known bool
	}{
		{"a database holds data", "aws:rds/instance:Instance", true, true, true},
		{"an instance holds nothing", "aws:autoscaling/group:Group", true, false, true},
		{"a store's password", "kubernetes:core/v1:Secret", true, true, true},
		{"a file of the project is replaced with it", "kubernetes:core/v1:Secret", false, false, true},
		{"a component groups", "progressive:network:Network", false, false, true},
		{"a provider reaches", "pulumi:providers:aws", false, false, true},
		{"a type that nobody classified", "aws:efs/fileSystem:FileSystem", true, false, false},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			holds, known := Holds(tc.kind, tc.inComponent)
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

package eksspec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// zoneIDs are the zones of an account in which zone a has no control planes.
var zoneIDs = map[string]string{"us-east-1a": "use1-az3", "us-east-1b": "use1-az1", "us-east-1c": "use1-az2", "us-east-1d": "use1-az4"}

func TestDefaultZonesHaveControlPlanes(t *testing.T) {
	for _, tc := range []struct {
		reason    string
		network   []string
		want      []string
		wantError string
	}{
		{"the first two by name", []string{"us-east-1d", "us-east-1c", "us-east-1b"}, []string{"us-east-1b", "us-east-1c"}, ""},
		{"the first zone has no control planes", []string{"us-east-1a", "us-east-1c", "us-east-1d"}, []string{"us-east-1c", "us-east-1d"}, ""},
		{"only one zone has control planes", []string{"us-east-1a", "us-east-1c"}, nil,
			"EKS has control planes in 1 of the zones and needs at least 2: it has none in these zones of this account: us-east-1a is use1-az3; add one of us-east-1b, us-east-1d"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			zones, err := DefaultZones(tc.network, zoneIDs)
			if tc.wantError != "" {
				require.EqualError(t, err, tc.wantError)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, zones)
		})
	}
}

func TestCheckZoneIDsProposesZonesWithControlPlanes(t *testing.T) {
	network := []string{"us-east-1c", "us-east-1a", "us-east-1b"}
	require.NoError(t, CheckZoneIDs([]string{"us-east-1b", "us-east-1c"}, network, zoneIDs))
	require.EqualError(t, CheckZoneIDs([]string{"us-east-1a", "us-east-1b"}, network, zoneIDs),
		"us-east-1a is use1-az3 in this account, where EKS has no control planes; choose from us-east-1b, us-east-1c")
}

package subnet

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The numbers that stand in AWS today: a change here renumbers live subnets.
func TestIPv6PlanIsWrittenDown(t *testing.T) {
	vpc := netip.MustParsePrefix("2600:1f18:1234:ab00::/56")
	for _, tc := range []struct {
		tier       Tier
		zone, want string
	}{
		{Public, "us-east-1a", "2600:1f18:1234:ab00::/64"},
		{Public, "us-east-1c", "2600:1f18:1234:ab02::/64"},
		{PrivateApp, "us-east-1a", "2600:1f18:1234:ab08::/64"},
		{PrivateData, "us-east-1h", "2600:1f18:1234:ab17::/64"},
	} {
		got, err := IPv6Subnet(vpc, tc.tier, tc.zone)
		require.NoError(t, err)
		require.Equal(t, tc.want, got.String())
	}
}

func TestIPv6Refuses(t *testing.T) {
	good := netip.MustParsePrefix("2600:1f18:1234:ab00::/56")
	for _, tc := range []struct {
		reason, want string
		vpc          netip.Prefix
		tier         Tier
		zone         string
	}{
		{"AWS assigns a /56", "must be a masked /56", netip.MustParsePrefix("2600::/48"), Public, "us-east-1a"},
		{"host bits are another VPC's", "must be a masked /56", netip.MustParsePrefix("2600:0:0:1::/56"), Public, "us-east-1a"},
		{"IPv4 has a plan of its own", "must be a masked /56", netip.MustParsePrefix("10.0.0.0/16"), Public, "us-east-1a"},
		{"a tier without a number would take another's", `tier "cache"`, good, "cache", "us-east-1a"},
		{"a local zone has no letter", "must be a region's name", good, Public, "us-east-1-bos-1a"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := IPv6Subnet(tc.vpc, tc.tier, tc.zone)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// Which other zones and tiers exist can't matter: they are no argument of
// IPv6Subnet. What is left to show is that no two of them share a block.
func TestIPv6SubnetsLieInsideAndApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 7, 7).Draw(t, "bytes")
		vpc := netip.PrefixFrom(netip.AddrFrom16([16]byte(append(b, make([]byte, 9)...))), IPv6Bits)
		var seen []netip.Prefix
		for _, tier := range Tiers() {
			whole, err := IPv6Tier(vpc, tier)
			require.NoError(t, err)
			for letter := 'a'; letter <= 'h'; letter++ {
				block, err := IPv6Subnet(vpc, tier, "eu-central-1"+string(letter))
				require.NoError(t, err)
				require.Equal(t, ipv6SubnetBits, block.Bits())
				require.True(t, vpc.Contains(block.Addr()), "%v outside %v", block, vpc)
				require.True(t, whole.Contains(block.Addr()), "%v outside its tier's %v", block, whole)
				for _, other := range seen {
					require.False(t, block.Overlaps(other), "%v overlaps %v", block, other)
				}
				seen = append(seen, block)
			}
		}
	})
}

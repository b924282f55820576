package subnet

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A change of these blocks would renumber subnets in use.
func TestIPv6BlocksStayTheSame(t *testing.T) {
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
		block, err := IPv6Subnet(vpc, tc.tier, tc.zone)
		require.NoError(t, err)
		require.Equal(t, tc.want, block.String())
	}
}

func TestIPv6SubnetRefusesInvalidBlocksTiersAndZones(t *testing.T) {
	valid := netip.MustParsePrefix("2600:1f18:1234:ab00::/56")
	for _, tc := range []struct {
		reason, want string
		vpc          netip.Prefix
		tier         Tier
		zone         string
	}{
		{"a block with another prefix length", "must be a masked /56", netip.MustParsePrefix("2600::/48"), Public, "us-east-1a"},
		{"a block with host bits", "must be a masked /56", netip.MustParsePrefix("2600:0:0:1::/56"), Public, "us-east-1a"},
		{"an IPv4 block", "must be a masked /56", netip.MustParsePrefix("10.0.0.0/16"), Public, "us-east-1a"},
		{"a tier without a slot", `tier "cache"`, valid, "cache", "us-east-1a"},
		{"a local zone, which has no letter", "must be a region's name", valid, Public, "us-east-1-bos-1a"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := IPv6Subnet(tc.vpc, tc.tier, tc.zone)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// The test draws a random /56. All blocks of tiers and zones must be within the /56 and within the
// block of their tier. The blocks must not overlap.
func TestIPv6SubnetsAreWithinTheVPCAndDoNotOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SliceOfN(rapid.Byte(), 7, 7).Draw(t, "bytes") // 7 bytes are the 56 bits of the prefix
		hostBits := make([]byte, 9)
		vpc := netip.PrefixFrom(netip.AddrFrom16([16]byte(append(prefix, hostBits...))), IPv6Bits)
		var seen []netip.Prefix
		for _, tier := range Tiers() {
			tierBlock, err := IPv6Tier(vpc, tier)
			require.NoError(t, err)
			for letter := 'a'; letter <= 'h'; letter++ {
				block, err := IPv6Subnet(vpc, tier, "eu-central-1"+string(letter))
				require.NoError(t, err)
				require.Equal(t, ipv6SubnetBits, block.Bits())
				require.True(t, vpc.Contains(block.Addr()), "%v outside %v", block, vpc)
				require.True(t, tierBlock.Contains(block.Addr()), "%v outside its tier's %v", block, tierBlock)
				for _, other := range seen {
					require.False(t, block.Overlaps(other), "%v overlaps %v", block, other)
				}
				seen = append(seen, block)
			}
		}
	})
}

package subnet

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseVPCAcceptsOnlyPrivateBlocksOfTheAllowedSizes(t *testing.T) {
	for _, tc := range []struct{ in, reason, want string }{
		{"10.20.0.0/16", "the largest block AWS allows", ""},
		{"172.16.16.0/20", "the smallest block that holds the tiers", ""},
		{"100.64.0.0/16", "a block of the shared address space", ""},
		{"10.20.0.0/15", "larger than AWS allows", "must be of /16 to /20"},
		{"10.20.0.0/21", "too small for the tiers", "must be of /16 to /20"},
		{"10.20.1.0/16", "a block with host bits", "write 10.20.0.0/16"},
		{"8.8.0.0/16", "a public block", "must be within"},
		{"fd00::/16", "an IPv6 block", "must be an IPv4 block"},
		{"10.20", "not a block", "must be an IPv4 block"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := ParseVPC(tc.in)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestCheckZonesReturnsAllErrors(t *testing.T) {
	for _, tc := range []struct {
		reason string
		zones  []string
		want   []string
	}{
		{"three zones of the region", []string{"us-east-1a", "us-east-1b", "us-east-1c"}, nil},
		{"one zone", []string{"us-east-1a"}, []string{"has 1 zones; must have 2 to 6"}},
		{"several errors at once", []string{"us-east-1a", "eu-west-1b", "us-east-1a"},
			[]string{`"eu-west-1b" is not a zone of us-east-1`, `"us-east-1a" is listed twice`}},
		{"a local zone, which has no NAT gateway and no EKS", []string{"us-east-1a", "us-east-1-bos-1a"},
			[]string{`"us-east-1-bos-1a" is not a zone`}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			errs := CheckZones("us-east-1", tc.zones)
			require.Len(t, errs, len(tc.want))
			for i, want := range tc.want {
				require.ErrorContains(t, errs[i], want)
			}
		})
	}
}

// A change of these blocks would renumber subnets in use.
func TestBlocksStayTheSame(t *testing.T) {
	subnets, err := Subnets(netip.MustParsePrefix("10.20.0.0/16"), "us-east-1", []string{"us-east-1a", "us-east-1c"})
	require.NoError(t, err)
	want := []string{
		"us-east-1a public 10.20.16.0/22", "us-east-1a private-app 10.20.0.0/20", "us-east-1a private-data 10.20.20.0/22",
		"us-east-1c public 10.20.80.0/22", "us-east-1c private-app 10.20.64.0/20", "us-east-1c private-data 10.20.84.0/22",
	}
	for i, s := range subnets {
		require.Equal(t, want[i], s.Zone+" "+string(s.Tier)+" "+s.Block.String())
	}
}

// drawVPC draws a valid VPC block and a list of zones in any order.
func drawVPC(t *rapid.T) (netip.Prefix, []string) {
	bits := rapid.IntRange(MinBits, MaxBits).Draw(t, "bits")
	bytes := rapid.SliceOfN(rapid.Byte(), 2, 2).Draw(t, "bytes")
	vpc := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, bytes[0], bytes[1], 0}), bits).Masked()
	letters := rapid.Permutation([]string{"a", "b", "c", "d", "e", "f", "g", "h"}).Draw(t, "letters")
	zones := letters[:rapid.IntRange(MinZones, MaxZones).Draw(t, "zones")]
	for i := range zones {
		zones[i] = "eu-central-1" + zones[i]
	}
	return vpc, zones
}

func TestSubnetsAreWithinTheVPCAndDoNotOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vpc, zones := drawVPC(t)
		subnets, err := Subnets(vpc, "eu-central-1", zones)
		require.NoError(t, err)
		require.Len(t, subnets, len(zones)*len(Tiers()))
		for i, s := range subnets {
			require.True(t, vpc.Contains(s.Block.Addr()) && s.Block.Bits() > vpc.Bits(), "%v outside %v", s, vpc)
			require.LessOrEqual(t, s.Block.Bits(), 28, "AWS allows no subnet smaller than /28")
			for _, other := range subnets[:i] {
				require.False(t, s.Block.Overlaps(other.Block), "%v overlaps %v", s, other)
			}
		}
	})
}

func TestNewZonesKeepExistingBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vpc, zones := drawVPC(t)
		all, err := Subnets(vpc, "eu-central-1", zones)
		require.NoError(t, err)
		fewer, err := Subnets(vpc, "eu-central-1", zones[:MinZones])
		require.NoError(t, err)
		for _, s := range fewer {
			require.True(t, slices.Contains(all, s), "%v changed when zones were added", s)
		}
	})
}

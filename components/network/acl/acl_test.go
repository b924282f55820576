package acl

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/progressive-framework/platform/components/network/subnet"
)

var (
	vpc  = netip.MustParsePrefix("10.20.0.0/16")
	vpc6 = netip.MustParsePrefix("2600:1f18:1234:ab00::/56")
)

// newDataRules returns the rules of the ACL for the zones, and the subnets of the zones.
func newDataRules(t require.TestingT, zones []string) (Rules, []subnet.Subnet) {
	subnets, err := subnet.Subnets(vpc, "us-east-1", zones)
	require.NoError(t, err)
	r, err := DataRules(subnets, vpc6)
	require.NoError(t, err)
	return r, subnets
}

func TestRuleNumbersAndBlocksStayTheSame(t *testing.T) {
	r, _ := newDataRules(t, []string{"us-east-1c", "us-east-1a"})
	format := func(rules []Rule) (lines []string) {
		for _, r := range rules {
			lines = append(lines, fmt.Sprintf("%d %s %d-%d", r.Number, r.Block, r.From, r.To))
		}
		return lines
	}
	require.Equal(t, []string{
		"100 10.20.0.0/20 5432-5432", "101 10.20.0.0/20 6379-6379", "102 10.20.0.0/20 27017-27017",
		"120 10.20.64.0/20 5432-5432", "121 10.20.64.0/20 6379-6379", "122 10.20.64.0/20 27017-27017",
		"200 10.20.20.0/22 1024-65535", "220 10.20.84.0/22 1024-65535",
		"300 2600:1f18:1234:ab08::/61 5432-5432", "301 2600:1f18:1234:ab08::/61 6379-6379", "302 2600:1f18:1234:ab08::/61 27017-27017",
		"310 2600:1f18:1234:ab10::/61 1024-65535",
	}, format(r.Ingress))
	require.Equal(t, []string{
		"100 10.20.0.0/20 1024-65535", "120 10.20.64.0/20 1024-65535",
		"200 10.20.20.0/22 1024-65535", "220 10.20.84.0/22 1024-65535",
		"300 2600:1f18:1234:ab08::/61 1024-65535", "310 2600:1f18:1234:ab10::/61 1024-65535",
	}, format(r.Egress))
}

// drawZones returns two to six random zones.
func drawZones(t *rapid.T) []string {
	shuffled := rapid.Permutation([]string{"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d", "us-east-1e", "us-east-1f", "us-east-1g", "us-east-1h"}).Draw(t, "zones")
	return shuffled[:rapid.IntRange(subnet.MinZones, subnet.MaxZones).Draw(t, "count")]
}

// covers reports whether outer allows all traffic that inner allows.
func covers(outer, inner Rule) bool {
	return outer.Block.Bits() <= inner.Block.Bits() && outer.Block.Contains(inner.Block.Addr()) &&
		outer.From <= inner.From && outer.To >= inner.To
}

func TestRulesAreSortedAndNoneIsHidden(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, _ := newDataRules(t, drawZones(t))
		for _, direction := range [][]Rule{r.Ingress, r.Egress} {
			require.LessOrEqual(t, len(direction), 40, "the largest quota that AWS grants")
			for i, rule := range direction {
				require.True(t, rule.Number >= 1 && rule.Number <= 32766 && rule.From <= rule.To, "%v", rule)
				for _, earlier := range direction[:i] {
					require.Less(t, earlier.Number, rule.Number)
					require.False(t, covers(earlier, rule), "%v never applies after %v", rule, earlier)
				}
			}
		}
	})
}

func TestFourZonesFitTheDefaultQuota(t *testing.T) {
	r, _ := newDataRules(t, []string{"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"})
	require.LessOrEqual(t, len(r.Ingress), 20)
	require.LessOrEqual(t, len(r.Egress), 20)
}

func TestNewZonesKeepExistingRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zones := drawZones(t)
		all, _ := newDataRules(t, zones)
		fewer, _ := newDataRules(t, zones[:subnet.MinZones])
		for _, rule := range fewer.Ingress {
			require.Contains(t, all.Ingress, rule)
		}
		for _, rule := range fewer.Egress {
			require.Contains(t, all.Egress, rule)
		}
	})
}

// The private-app tier may connect to the stores' ports. The private-data tier may connect to
// ports from 1024 up. The public tier and the internet may connect to no port.
func TestOnlyAppAndDataTiersReachTheStores(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, subnets := newDataRules(t, drawZones(t))
		source := rapid.SampledFrom(subnets).Draw(t, "from")
		port := rapid.OneOf(rapid.SampledFrom(ports), rapid.IntRange(1, 65535)).Draw(t, "port")
		ipv6Source, err := subnet.IPv6Subnet(vpc6, source.Tier, source.Zone)
		require.NoError(t, err)
		want := map[subnet.Tier]bool{
			subnet.PrivateApp:  slices.Contains(ports, port),
			subnet.PrivateData: port >= ephemeralFrom,
		}[source.Tier]
		for _, block := range []netip.Prefix{source.Block, ipv6Source} {
			admitted := slices.ContainsFunc(r.Ingress, func(rule Rule) bool { return covers(rule, Rule{Block: block, From: port, To: port}) })
			require.Equal(t, want, admitted, "%s %s port %d", source.Tier, block, port)
			responseAllowed := slices.ContainsFunc(r.Egress, func(rule Rule) bool {
				return covers(rule, Rule{Block: block, From: ephemeralFrom, To: ephemeralTo})
			})
			require.Equal(t, source.Tier != subnet.Public, responseAllowed, "responses to %s", block)
		}
		internet := Rule{Block: netip.MustParsePrefix("8.8.8.8/32"), From: port, To: port}
		for _, rule := range slices.Concat(r.Ingress, r.Egress) {
			require.False(t, covers(rule, internet), "%v is open to the internet", rule)
		}
	})
}

func TestDataRulesRefusesAnInvalidIPv6Block(t *testing.T) {
	_, err := DataRules(nil, netip.MustParsePrefix("2600::/48"))
	require.ErrorContains(t, err, "must be a masked /56")
}

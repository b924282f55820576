package subnet

import (
	"fmt"
	"net/netip"
)

const (
	// IPv6Bits is the prefix length of the block that AWS assigns to a VPC
	// (VPC User Guide, "VPC CIDR blocks").
	IPv6Bits = 56
	// ipv6SubnetBits is the prefix length of a subnet's block.
	ipv6SubnetBits = 64
)

// slots are the positions of the tiers in the VPC's IPv6 block. A slot has eight subnets,
// one for each zone letter. So all subnets of a tier are in one block. Never change or reuse a
// number, because that would renumber existing subnets.
var slots = map[Tier]byte{Public: 0, PrivateApp: 1, PrivateData: 2}

// IPv6Subnet returns the /64 of a tier in a zone, within the VPC's /56. As with IPv4, the block
// depends only on the VPC's block, the zone's letter and the tier.
func IPv6Subnet(vpc netip.Prefix, tier Tier, zone string) (netip.Prefix, error) {
	match := zoneNamePattern.FindStringSubmatch(zone)
	if match == nil {
		return netip.Prefix{}, fmt.Errorf("zone %q: must be a region's name and a letter from a to h", zone)
	}
	block, err := IPv6Tier(vpc, tier)
	if err != nil {
		return netip.Prefix{}, err
	}
	addr := block.Addr().As16()
	addr[7] |= match[2][0] - 'a' // byte 7 is the last byte of a /64; its low bits are the zone
	return netip.PrefixFrom(netip.AddrFrom16(addr), ipv6SubnetBits), nil
}

// IPv6Tier returns the /61 of all subnets of a tier.
func IPv6Tier(vpc netip.Prefix, tier Tier) (netip.Prefix, error) {
	if !vpc.Addr().Is6() || vpc.Bits() != IPv6Bits || vpc != vpc.Masked() {
		return netip.Prefix{}, fmt.Errorf("VPC's IPv6 block %s: must be a masked /%d, as AWS assigns it", vpc, IPv6Bits)
	}
	slot, ok := slots[tier]
	if !ok {
		return netip.Prefix{}, fmt.Errorf("tier %q has no slot for IPv6: add one to slots", tier)
	}
	addr := vpc.Addr().As16()
	addr[7] = slot << zoneBits // byte 7 follows the VPC's /56; its high bits are the tier, its low bits the zone
	return netip.PrefixFrom(netip.AddrFrom16(addr), ipv6SubnetBits-zoneBits), nil
}

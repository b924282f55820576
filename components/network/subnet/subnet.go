// Package subnet divides the IPv4 and IPv6 CIDR blocks of a VPC into subnets. It
// imports no SDK. It owns the block of every zone and tier. The resources are in
// package network.
//
// The block of a subnet depends only on the VPC's block, the zone's letter and the
// tier. It does not depend on other zones or tiers. So zones and tiers can be
// added, removed and reordered without renumbering existing subnets.
//
//	VPC /16 ── zone a /19 ─┬─ private-app   /20  4,096 addresses: nodes and pods
//	        │              ├─ public        /22  1,024: load balancer, NAT
//	        │              ├─ private-data  /22  1,024: Redis, PostgreSQL, MongoDB
//	        │              └─ reserved    2 × /22
//	        ├─ zone b /19 …
//	        └─ zone h /19
package subnet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
)

// Tier is one layer of subnets. The names are the values of the Tier tag.
type Tier string

// The tiers of the design document's network.
const (
	Public      Tier = "public"
	PrivateApp  Tier = "private-app"
	PrivateData Tier = "private-data"
)

// Tiers lists all tiers in the order in which their subnets are created.
func Tiers() []Tier { return []Tier{Public, PrivateApp, PrivateData} }

const (
	// MinBits is the prefix length of the largest VPC that AWS allows.
	MinBits = 16
	// MaxBits is the prefix length of the smallest VPC of the platform. AWS allows
	// /28, but EKS needs an address for every pod, and tiers of a VPC smaller than
	// /20 have too few.
	MaxBits = 20

	// MinZones is AWS's minimum for EKS and for a Multi-AZ database.
	MinZones = 2
	// MaxZones is the largest number of zones in any region (us-east-1).
	MaxZones = 6

	zoneBits = 3 // eight zone blocks, letters a to h
)

// share is the part of a zone's block that belongs to a tier. The block is divided into 2^bits
// equal parts, and the tier gets the part with the number index.
type share struct {
	bits  int
	index uint32
}

// shares has the share of each tier. A change would renumber existing subnets.
var shares = map[Tier]share{
	PrivateApp:  {bits: 1, index: 0},
	Public:      {bits: 3, index: 4},
	PrivateData: {bits: 3, index: 5},
}

// zoneNamePattern matches the name of an availability zone. Its last group is the letter of the zone.
var zoneNamePattern = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]([a-h])$`)

// Subnet is the block of one tier in one zone.
type Subnet struct {
	Zone  string
	Tier  Tier
	Block netip.Prefix
}

// ParseVPC parses the IPv4 CIDR block of a VPC. The block must be a prefix of /16 to /20 without
// host bits, within a private range (RFC 1918 or RFC 6598).
func ParseVPC(s string) (netip.Prefix, error) {
	block, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, errors.New(`must be an IPv4 block such as "10.0.0.0/16"`)
	}
	switch {
	case !block.Addr().Is4():
		return netip.Prefix{}, errors.New("must be an IPv4 block")
	case block != block.Masked():
		return netip.Prefix{}, fmt.Errorf("has bits set beyond its prefix; write %s", block.Masked())
	case block.Bits() < MinBits || block.Bits() > MaxBits:
		return netip.Prefix{}, fmt.Errorf("must be of /%d to /%d", MinBits, MaxBits)
	case !isPrivate(block):
		return netip.Prefix{}, errors.New("must be within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10")
	}
	return block, nil
}

// isPrivate reports whether the block is within a private range of RFC 1918, or within the shared
// range of RFC 6598.
func isPrivate(block netip.Prefix) bool {
	sharedRange := netip.MustParsePrefix("100.64.0.0/10")
	return block.Addr().IsPrivate() || sharedRange.Contains(block.Addr())
}

// CheckZones checks a list of zones: two to six distinct availability zones of the
// region, and no local or wavelength zones. It returns all errors.
func CheckZones(region string, zones []string) []error {
	var errs []error
	if n := len(zones); n < MinZones || n > MaxZones {
		errs = append(errs, fmt.Errorf("has %d zones; must have %d to %d", n, MinZones, MaxZones))
	}
	for i, zone := range zones {
		if match := zoneNamePattern.FindStringSubmatch(zone); match == nil || zone != region+match[2] {
			errs = append(errs, fmt.Errorf("%q is not a zone of %s; write %sa to %sh", zone, region, region, region))
		}
		if slices.Contains(zones[:i], zone) {
			errs = append(errs, fmt.Errorf("%q is listed twice", zone))
		}
	}
	return errs
}

// Subnets returns the subnets of all tiers in all zones, zone by zone. All zones
// must be in the region.
func Subnets(vpc netip.Prefix, region string, zones []string) ([]Subnet, error) {
	if _, err := ParseVPC(vpc.String()); err != nil {
		return nil, fmt.Errorf("VPC block %s: %w", vpc, err)
	}
	if errs := CheckZones(region, zones); len(errs) > 0 {
		return nil, fmt.Errorf("zones: %w", errors.Join(errs...))
	}
	subnets := make([]Subnet, 0, len(zones)*len(shares))
	for _, zone := range zones {
		block := nthBlock(vpc, zoneBits, uint32(zone[len(zone)-1]-'a'))
		for _, tier := range Tiers() {
			s := shares[tier]
			subnets = append(subnets, Subnet{Zone: zone, Tier: tier, Block: nthBlock(block, s.bits, s.index)})
		}
	}
	return subnets, nil
}

// nthBlock divides parent into 2^bits blocks of equal size, and returns the block with the number
// index.
func nthBlock(parent netip.Prefix, bits int, index uint32) netip.Prefix {
	base := parent.Addr().As4()
	length := parent.Bits() + bits
	var addr [4]byte
	binary.BigEndian.PutUint32(addr[:], binary.BigEndian.Uint32(base[:])|index<<(32-length))
	return netip.PrefixFrom(netip.AddrFrom4(addr), length)
}

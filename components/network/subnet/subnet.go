// Package subnet divides a VPC's blocks, IPv4 and IPv6, into the subnets of the
// platform. It is pure arithmetic: it owns which block belongs to which zone
// and tier, and nothing of AWS.
//
// A subnet's block depends on the VPC's block, the zone's letter and the tier
// alone, never on which other zones or tiers exist. So a zone or a tier can be
// added or taken away, and the zones can be listed in any order, without
// renumbering what stands.
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

// Tiers lists every tier in the order in which subnets are made.
func Tiers() []Tier { return []Tier{Public, PrivateApp, PrivateData} }

const (
	// MinBits is the prefix length of the largest VPC that AWS allows.
	MinBits = 16
	// MaxBits is that of the smallest VPC here: AWS allows /28, but beyond /20
	// the tiers are too small for EKS, which wants an address for every pod.
	MaxBits = 20

	// MinZones is AWS's minimum for EKS and for a Multi-AZ database.
	MinZones = 2
	// MaxZones is the largest number of zones in any region (us-east-1).
	MaxZones = 6

	zoneBits = 3 // eight zone blocks, letters a to h
)

// share is a tier's place within its zone's block: so many bits longer than
// the zone's prefix, at this index among blocks of that size.
type share struct {
	bits  int
	index uint32
}

var shares = map[Tier]share{
	PrivateApp:  {bits: 1, index: 0},
	Public:      {bits: 3, index: 4},
	PrivateData: {bits: 3, index: 5},
}

var zoneName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]([a-h])$`)

// Subnet is one planned subnet.
type Subnet struct {
	Zone  string
	Tier  Tier
	Block netip.Prefix
}

// ParseVPC reads a VPC block. It must be a masked IPv4 prefix of /16 to /20
// within a private range (RFC 1918 or RFC 6598).
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
	case !private(block):
		return netip.Prefix{}, errors.New("must lie in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10")
	}
	return block, nil
}

func private(block netip.Prefix) bool {
	shared := netip.MustParsePrefix("100.64.0.0/10")
	return block.Addr().IsPrivate() || shared.Contains(block.Addr())
}

// CheckZones says whether zones are names that can be planned for: two to six
// distinct zones of the region, none of them a local or wavelength zone. It
// returns every error it finds.
func CheckZones(region string, zones []string) []error {
	var errs []error
	if n := len(zones); n < MinZones || n > MaxZones {
		errs = append(errs, fmt.Errorf("has %d zones; must have %d to %d", n, MinZones, MaxZones))
	}
	for i, zone := range zones {
		if letter := zoneName.FindStringSubmatch(zone); letter == nil || zone != region+letter[2] {
			errs = append(errs, fmt.Errorf("%q is not a zone of %s; write %sa to %sh", zone, region, region, region))
		}
		if slices.Contains(zones[:i], zone) {
			errs = append(errs, fmt.Errorf("%q is listed twice", zone))
		}
	}
	return errs
}

// Subnets plans every tier in every zone, zone by zone. The region is the
// zones' common region.
func Subnets(vpc netip.Prefix, region string, zones []string) ([]Subnet, error) {
	if _, err := ParseVPC(vpc.String()); err != nil {
		return nil, fmt.Errorf("VPC block %s: %w", vpc, err)
	}
	if errs := CheckZones(region, zones); len(errs) > 0 {
		return nil, fmt.Errorf("zones: %w", errors.Join(errs...))
	}
	subnets := make([]Subnet, 0, len(zones)*len(shares))
	for _, zone := range zones {
		block := nth(vpc, zoneBits, uint32(zone[len(zone)-1]-'a'))
		for _, tier := range Tiers() {
			s := shares[tier]
			subnets = append(subnets, Subnet{Zone: zone, Tier: tier, Block: nth(block, s.bits, s.index)})
		}
	}
	return subnets, nil
}

// nth is the index-th of the blocks that are bits longer than parent.
func nth(parent netip.Prefix, bits int, index uint32) netip.Prefix {
	base := parent.Addr().As4()
	length := parent.Bits() + bits
	var addr [4]byte
	binary.BigEndian.PutUint32(addr[:], binary.BigEndian.Uint32(base[:])|index<<(32-length))
	return netip.PrefixFrom(netip.AddrFrom4(addr), length)
}

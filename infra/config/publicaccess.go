package config

import (
	"fmt"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	// maxPublicBlocks is EKS's quota (EKS User Guide, "Service quotas": public
	// endpoint access CIDR ranges per cluster).
	maxPublicBlocks = 40
	// widestPublic limits the sum of all blocks: 40 blocks of /8 are less than a
	// sixth of the internet.
	widestPublic = 8
)

// reserved are the blocks that are not routed on the internet (RFC 6890). EKS
// refuses them.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("224.0.0.0/3"),
}

// validatePublicAccess checks the blocks from which the API endpoint is reached
// over the internet.
func validatePublicAccess(at *field.Path, blocks []string) field.ErrorList {
	var problems field.ErrorList
	var parsed []netip.Prefix
	for i, cidr := range blocks {
		block, err := netip.ParsePrefix(cidr)
		refuse := func(why string) { problems = append(problems, field.Invalid(at.Index(i), cidr, why)) }
		switch {
		case err != nil || block != block.Masked():
			refuse("must be a block such as 203.0.113.0/24, with no bits set beyond its prefix")
		case !block.Addr().Is4():
			refuse("must be IPv4: the cluster's endpoint has IPv4 addresses only")
		case block.Bits() < widestPublic:
			refuse(fmt.Sprintf("opens the API endpoint to the whole internet or to much of it; name the blocks that need it, each /%d or longer", widestPublic))
		case slices.ContainsFunc(reserved, block.Overlaps):
			refuse("is private or reserved: nobody comes from it over the internet; the endpoint is reached from inside the VPC without it")
		case slices.ContainsFunc(parsed, block.Overlaps):
			refuse("overlaps an earlier block; leave the smaller one out")
		default:
			parsed = append(parsed, block)
		}
	}
	return problems
}

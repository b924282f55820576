package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	// maxPublicBlocks is EKS's quota (EKS User Guide, "Service quotas": public
	// endpoint access CIDR ranges per cluster).
	maxPublicBlocks = 40
	// minPrefixBits is the shortest prefix of a block. It limits the sum of all blocks: 40 blocks
	// of /8 are less than a sixth of the internet.
	minPrefixBits = 8
)

var (
	// unusableBlocks are the blocks that no other host has as a source address (RFC 6890).
	unusableBlocks = []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"),
		netip.MustParsePrefix("224.0.0.0/3"),
	}
	// nonPublicBlocks are the blocks that are not routed on the internet (RFC 6890). EKS refuses
	// them.
	nonPublicBlocks = append(slices.Clone(unusableBlocks), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
		netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.168.0.0/16"))
	// securityGroupID is the ID of a security group (EC2 API, "Resource IDs").
	securityGroupID = regexp.MustCompile(`^sg-([0-9a-f]{8}|[0-9a-f]{17})$`)
)

// validateAccess checks the keys that say from where the stack is deployed. Without one of these
// keys the cluster would admit nodes only, and the first Kubernetes object would fail.
func validateAccess(keyPath *field.Path, c *Cluster) field.ErrorList {
	problems := validateBlocks(keyPath.Child("publicAccessCidrs"), c.PublicAccessCIDRs, nonPublicBlocks,
		"is private or reserved: no request from the internet has such an address; for a private connection set cluster.privateAccessCidrs")
	problems = append(problems, validateBlocks(keyPath.Child("privateAccessCidrs"), c.PrivateAccessCIDRs, unusableBlocks,
		"is reserved: no request has such an address")...)
	for i, id := range c.PrivateAccessSecurityGroups {
		if !securityGroupID.MatchString(id) {
			problems = append(problems, field.Invalid(keyPath.Child("privateAccessSecurityGroups").Index(i), id, "must be the ID of a security group, such as sg-0123456789abcdef0"))
		}
	}
	if len(c.PublicAccessCIDRs)+len(c.PrivateAccessCIDRs)+len(c.PrivateAccessSecurityGroups) == 0 {
		problems = append(problems, field.Required(keyPath.Child("publicAccessCidrs"),
			"from where the stack is deployed: otherwise only nodes reach the API endpoint, and `up` can't create the first Kubernetes object. "+
				"Give the public blocks of whoever deploys over the internet, such as 203.0.113.7/32. "+
				"Or set cluster.privateAccessCidrs or cluster.privateAccessSecurityGroups to the blocks or security groups of a connected network or of a runner in the VPC"))
	}
	return problems
}

// validateBlocks checks a list of IPv4 blocks. It refuses a block that overlaps one of
// refusedBlocks, with the reason overlapReason.
func validateBlocks(keyPath *field.Path, blocks []string, refusedBlocks []netip.Prefix, overlapReason string) field.ErrorList {
	var problems field.ErrorList
	var parsed []netip.Prefix
	for i, cidr := range blocks {
		block, err := netip.ParsePrefix(cidr)
		addProblem := func(why string) { problems = append(problems, field.Invalid(keyPath.Index(i), cidr, why)) }
		switch {
		case err != nil || block != block.Masked():
			addProblem("must be a block such as 203.0.113.0/24, with no bits set beyond its prefix")
		case !block.Addr().Is4():
			addProblem("must be IPv4: the cluster's endpoint has IPv4 addresses only")
		case block.Bits() < minPrefixBits:
			addProblem(fmt.Sprintf("opens the API endpoint to the whole internet or to much of it; name the blocks that need it, each /%d or longer", minPrefixBits))
		case slices.ContainsFunc(refusedBlocks, block.Overlaps):
			addProblem(overlapReason)
		case slices.ContainsFunc(parsed, block.Overlaps):
			addProblem("overlaps an earlier block; leave the smaller one out")
		default:
			parsed = append(parsed, block)
		}
	}
	return problems
}

// Package existingvpc checks whether the platform can use a VPC that the stack does not
// create. It imports no SDK. Package network reads the VPC from AWS.
package existingvpc

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/components/network/subnet"
)

// VPC is an existing VPC.
type VPC struct {
	ID string
	// DNSSupport and DNSHostnames are the VPC's DNS attributes.
	DNSSupport, DNSHostnames bool
	// Private are the subnets of the nodes and of the load balancer. Database are the
	// subnets of the data stores.
	Private, Database []Subnet
}

// Subnet is a subnet of an existing VPC.
type Subnet struct {
	ID, VPCID string
	// Zone is the availability zone's name.
	Zone string
	// Block is the subnet's IPv4 CIDR block.
	Block string
	// FreeAddresses is the number of IPv4 addresses that are not in use.
	FreeAddresses int
	// DefaultRoute is the target of the route to 0.0.0.0/0, such as a NAT gateway's
	// id. It is empty if the subnet has no such route.
	DefaultRoute string
}

// Needs are the largest numbers of IPv4 addresses that a stack uses in each subnet. Zero
// means no check. An existing stack needs no check, because its addresses are already in use.
type Needs struct{ Private, Database int }

// Check returns an error with all reasons why the platform can't use the VPC.
func (v VPC) Check(needs Needs) error {
	var errs []error
	if !v.DNSSupport || !v.DNSHostnames {
		// EKS User Guide, "VPC requirements and considerations".
		errs = append(errs, fmt.Errorf("%s: EKS needs the attributes enableDnsSupport and enableDnsHostnames; set both with `aws ec2 modify-vpc-attribute`", v.ID))
	}
	errs = append(errs, v.checkTier("private", v.Private, routed)...)
	errs = append(errs, v.checkTier("database", v.Database, isolated)...)
	for _, s := range v.Private {
		need := needs.Private
		if hasSubnet(v.Database, s.ID) {
			need += needs.Database
		}
		errs = append(errs, s.checkFreeAddresses(need))
	}
	for _, s := range v.Database {
		if !hasSubnet(v.Private, s.ID) {
			errs = append(errs, s.checkFreeAddresses(needs.Database))
		}
	}
	return errors.Join(errs...)
}

// Kinds of tiers for checkTier. An isolated tier needs no default route. A routed tier needs
// one, because nodes pull images from registry.k8s.io, for which no VPC endpoint exists.
const (
	routed   = false
	isolated = true
)

// checkTier returns the errors of the subnets of a tier.
func (v VPC) checkTier(name string, subnets []Subnet, isIsolated bool) []error {
	var errs []error
	zones := map[string]string{}
	for _, s := range subnets {
		if s.VPCID != v.ID {
			errs = append(errs, fmt.Errorf("%s subnet %s is in %s, not in %s; name subnets of one VPC", name, s.ID, s.VPCID, v.ID))
		}
		if other, taken := zones[s.Zone]; taken {
			errs = append(errs, fmt.Errorf("%s subnets %s and %s are both in %s; name one of each zone", name, other, s.ID, s.Zone))
		}
		zones[s.Zone] = s.ID
		switch {
		case strings.HasPrefix(s.DefaultRoute, "igw-"):
			errs = append(errs, fmt.Errorf("%s subnet %s is public: its default route is the internet gateway %s, and nothing of the platform has a public address; name a private subnet", name, s.ID, s.DefaultRoute))
		case s.DefaultRoute == "" && !isIsolated:
			errs = append(errs, fmt.Errorf("%s subnet %s has no route to 0.0.0.0/0, and nodes pull images from the internet; add a route to a NAT gateway or a transit gateway", name, s.ID))
		}
	}
	if len(zones) < subnet.MinZones {
		errs = append(errs, fmt.Errorf("%s subnets are in %d zones; must be in at least %d", name, len(zones), subnet.MinZones))
	}
	return errs
}

// checkFreeAddresses returns an error if the subnet has fewer free addresses than needed.
func (s Subnet) checkFreeAddresses(need int) error {
	if s.FreeAddresses >= need {
		return nil
	}
	return fmt.Errorf("subnet %s has %d free addresses, and the stack needs up to %d; name a larger subnet, more zones, or lower tiers.NAME.max", s.ID, s.FreeAddresses, need)
}

// Zones returns the zones of the private subnets, in their order.
func (v VPC) Zones() []string {
	var zones []string
	for _, s := range v.Private {
		zones = append(zones, s.Zone)
	}
	return zones
}

func hasSubnet(subnets []Subnet, id string) bool {
	return slices.ContainsFunc(subnets, func(s Subnet) bool { return s.ID == id })
}

// Package access admits operators of a stack to HTTPS servers in the stack's VPC: the cluster's
// API endpoint and the interface endpoints of AWS's services. Operators connect from a
// network that has a route to the VPC, or from a CI runner in the VPC.
package access

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Source is a source of connections. Exactly one of CIDR and SecurityGroupID is set.
type Source struct {
	// Name is unique among the sources of a server. It is part of resource names.
	Name string
	// CIDR is an IPv4 CIDR block, such as 10.99.0.0/16.
	CIDR string
	// SecurityGroupID is a security group of the VPC, or of a VPC that is peered
	// with it.
	SecurityGroupID pulumi.StringInput
}

// CIDRSource returns the source for an IPv4 CIDR block, such as 10.99.0.0/16.
func CIDRSource(cidr string) Source {
	return Source{Name: strings.NewReplacer(".", "-", "/", "-").Replace(cidr), CIDR: cidr}
}

// GroupSource returns the source for the members of a security group, by its id.
func GroupSource(id string) Source { return Source{Name: id, SecurityGroupID: pulumi.String(id)} }

// Sources returns the sources for IPv4 blocks and for security groups.
func Sources(blocks, groups []string) []Source {
	var sources []Source
	for _, block := range blocks {
		sources = append(sources, CIDRSource(block))
	}
	for _, group := range groups {
		sources = append(sources, GroupSource(group))
	}
	return sources
}

// Check returns an error if a source has no name or the name of another source. It also returns an
// error if a source has both CIDR and SecurityGroupID, or neither of them.
func Check(sources []Source) error {
	seen := map[string]bool{}
	for _, s := range sources {
		switch {
		case s.Name == "":
			return errors.New("a source has no Name")
		case (s.CIDR == "") == (s.SecurityGroupID == nil):
			return fmt.Errorf("source %s: must have a CIDR or a SecurityGroupID, and not both", s.Name)
		case seen[s.Name]:
			return fmt.Errorf("source %s is listed twice", s.Name)
		}
		seen[s.Name] = true
	}
	return nil
}

// httpsPort is the port of the servers.
const httpsPort = 443

// NewRule creates an ingress rule of a security group. The rule admits a source to port 443 of
// the group's members. The rule's name in Pulumi is name-from-SOURCE.
func NewRule(ctx *pulumi.Context, name string, securityGroupID pulumi.StringInput, source Source, opts ...pulumi.ResourceOption) (*vpc.SecurityGroupIngressRule, error) {
	args := &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: securityGroupID,
		IpProtocol:      pulumi.String("tcp"),
		FromPort:        pulumi.Int(httpsPort),
		ToPort:          pulumi.Int(httpsPort),
		Description:     pulumi.String("HTTPS from " + source.Name),
	}
	if source.CIDR != "" {
		args.CidrIpv4 = pulumi.String(source.CIDR)
	} else {
		args.ReferencedSecurityGroupId = source.SecurityGroupID
	}
	rule, err := vpc.NewSecurityGroupIngressRule(ctx, name+"-from-"+source.Name, args, opts...)
	if err != nil {
		return nil, fmt.Errorf("rule of %s for %s: %w", name, source.Name, err)
	}
	return rule, nil
}

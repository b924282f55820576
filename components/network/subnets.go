package network

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/network/subnet"
)

// subnetKey identifies a subnet of a VPC by its tier and the zone's letter.
type subnetKey struct {
	tier   subnet.Tier
	letter string
}

// builder creates the children of a Network with the same name prefix and parent.
type builder struct {
	ctx    *pulumi.Context
	name   string
	parent pulumi.ResourceOption
	args   *Args

	vpc          *ec2.Vpc
	subnetsByKey map[subnetKey]*ec2.Subnet
	tables       map[subnetKey]*ec2.RouteTable
	// endpointGroup is the security group of the interface endpoints. It is nil if the
	// stack has none.
	endpointGroup *ec2.SecurityGroup
	// settled is Network.Settled.
	settled []pulumi.Resource
}

// tags returns the tags of one of the network's resources.
func (b *builder) tags(part string) pulumi.StringMap {
	return pulumi.StringMap{"Name": pulumi.String(b.name + "-" + part)}
}

// letter returns the last letter of a zone's name. The letter is part of the names of the zone's
// subnets.
func letter(zone string) string { return zone[len(zone)-1:] }

// roleTags mark the subnets of internet-facing and of internal load balancers for the AWS
// load balancer controller (EKS User Guide, "VPC and subnet requirements").
var roleTags = map[subnet.Tier]string{
	subnet.Public:     "kubernetes.io/role/elb",
	subnet.PrivateApp: "kubernetes.io/role/internal-elb",
}

// createSubnets creates the planned subnets, and adds their ids to ids.
func (b *builder) createSubnets(planned []subnet.Subnet, ids map[subnet.Tier]pulumi.StringArray) error {
	b.subnetsByKey = make(map[subnetKey]*ec2.Subnet, len(planned))
	for _, s := range planned {
		part := string(s.Tier) + "-" + letter(s.Zone)
		tags := b.tags(part)
		tags["Tier"] = pulumi.String(string(s.Tier))
		if role, ok := roleTags[s.Tier]; ok {
			tags[role] = pulumi.String("1")
		}
		created, err := ec2.NewSubnet(b.ctx, b.name+"-"+part, &ec2.SubnetArgs{
			VpcId:            b.vpc.ID(),
			AvailabilityZone: pulumi.String(s.Zone),
			CidrBlock:        pulumi.String(s.Block.String()),
			Ipv6CidrBlock:    b.ipv6Block(s),
			// Even public subnets assign no public addresses. Only the load
			// balancer and the NAT gateways are public, with their own addresses.
			MapPublicIpOnLaunch: pulumi.Bool(false),
			Tags:                tags,
		}, b.parent)
		if err != nil {
			return fmt.Errorf("subnet %s: %w", part, err)
		}
		b.subnetsByKey[subnetKey{s.Tier, letter(s.Zone)}] = created
		ids[s.Tier] = append(ids[s.Tier], created.ID())
	}
	return nil
}

// ipv6Block returns the IPv6 block of a subnet. The output is known after AWS assigned the
// VPC's block.
func (b *builder) ipv6Block(s subnet.Subnet) pulumi.StringOutput {
	return b.vpc.Ipv6CidrBlock.ApplyT(func(assigned string) (string, error) {
		vpc, err := parseIPv6(assigned)
		if err != nil {
			return "", err
		}
		block, err := subnet.IPv6Subnet(vpc, s.Tier, s.Zone)
		return block.String(), err
	}).(pulumi.StringOutput)
}

// parseIPv6 parses the IPv6 block that AWS assigned to the VPC.
func parseIPv6(assigned string) (netip.Prefix, error) {
	block, err := netip.ParsePrefix(assigned)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("IPv6 block that AWS assigned to the VPC: %w", err)
	}
	return block, nil
}

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
	routeTables  map[subnetKey]*ec2.RouteTable
	// endpointGroup is the security group of the interface endpoints. It is nil if the
	// stack has no interface endpoints.
	endpointGroup *ec2.SecurityGroup
	// ready is Network.Ready.
	ready []pulumi.Resource
}

// tags returns the tags of one of the network's resources. suffix is the last part of the
// resource's name.
func (b *builder) tags(suffix string) pulumi.StringMap {
	return pulumi.StringMap{"Name": pulumi.String(b.name + "-" + suffix)}
}

// zoneLetter returns the last letter of a zone's name. The letter is part of the names of the zone's
// subnets.
func zoneLetter(zone string) string { return zone[len(zone)-1:] }

// roleTagKeys are tag keys. By these tags, the AWS load balancer controller finds the subnets of
// internet-facing and of internal load balancers (EKS User Guide, "VPC and subnet requirements").
var roleTagKeys = map[subnet.Tier]string{
	subnet.Public:     "kubernetes.io/role/elb",
	subnet.PrivateApp: "kubernetes.io/role/internal-elb",
}

// createSubnets creates the planned subnets, and adds their ids to the map ids.
func (b *builder) createSubnets(planned []subnet.Subnet, ids map[subnet.Tier]pulumi.StringArray) error {
	b.subnetsByKey = make(map[subnetKey]*ec2.Subnet, len(planned))
	for _, s := range planned {
		suffix := string(s.Tier) + "-" + zoneLetter(s.Zone)
		tags := b.tags(suffix)
		tags["Tier"] = pulumi.String(string(s.Tier))
		if roleTag, ok := roleTagKeys[s.Tier]; ok {
			tags[roleTag] = pulumi.String("1")
		}
		ec2Subnet, err := ec2.NewSubnet(b.ctx, b.name+"-"+suffix, &ec2.SubnetArgs{
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
			return fmt.Errorf("subnet %s: %w", suffix, err)
		}
		b.subnetsByKey[subnetKey{s.Tier, zoneLetter(s.Zone)}] = ec2Subnet
		ids[s.Tier] = append(ids[s.Tier], ec2Subnet.ID())
	}
	return nil
}

// ipv6Block returns the IPv6 block of a subnet. The output is known after AWS has assigned the
// VPC's block.
func (b *builder) ipv6Block(s subnet.Subnet) pulumi.StringOutput {
	return b.vpc.Ipv6CidrBlock.ApplyT(func(assignedBlock string) (string, error) {
		vpc, err := parseIPv6(assignedBlock)
		if err != nil {
			return "", err
		}
		block, err := subnet.IPv6Subnet(vpc, s.Tier, s.Zone)
		return block.String(), err
	}).(pulumi.StringOutput)
}

// parseIPv6 parses the IPv6 block that AWS assigned to the VPC.
func parseIPv6(assignedBlock string) (netip.Prefix, error) {
	block, err := netip.ParsePrefix(assignedBlock)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("IPv6 block that AWS assigned to the VPC: %w", err)
	}
	return block, nil
}

package network

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/network/plan"
)

const anywhere = "0.0.0.0/0"

// subnetKey names one subnet among a VPC's: its tier and the zone's letter.
type subnetKey struct {
	tier   plan.Tier
	letter string
}

// builder makes a network's children, all named and parented alike.
type builder struct {
	ctx    *pulumi.Context
	name   string
	parent pulumi.ResourceOption
	vpc    *ec2.Vpc
	made   map[subnetKey]*ec2.Subnet
}

func (b *builder) tags(part string) pulumi.StringMap {
	return pulumi.StringMap{"Name": pulumi.String(b.name + "-" + part)}
}

// letter is the last letter of a zone's name, by which its subnets are known.
func letter(zone string) string { return zone[len(zone)-1:] }

// roleTags tell the AWS load balancer controller which subnets are for
// internet-facing and which for internal load balancers (Amazon EKS User
// Guide, "VPC and subnet requirements").
var roleTags = map[plan.Tier]string{
	plan.Public:     "kubernetes.io/role/elb",
	plan.PrivateApp: "kubernetes.io/role/internal-elb",
}

func (b *builder) subnets(planned []plan.Subnet, ids map[plan.Tier]pulumi.StringArray) error {
	b.made = make(map[subnetKey]*ec2.Subnet, len(planned))
	for _, s := range planned {
		part := string(s.Tier) + "-" + letter(s.Zone)
		tags := b.tags(part)
		tags["Tier"] = pulumi.String(string(s.Tier))
		if role, ok := roleTags[s.Tier]; ok {
			tags[role] = pulumi.String("1")
		}
		subnet, err := ec2.NewSubnet(b.ctx, b.name+"-"+part, &ec2.SubnetArgs{
			VpcId:            b.vpc.ID(),
			AvailabilityZone: pulumi.String(s.Zone),
			CidrBlock:        pulumi.String(s.Block.String()),
			// Not even public subnets hand out addresses: only the load
			// balancer and the NAT gateways are public, and they bring theirs.
			MapPublicIpOnLaunch: pulumi.Bool(false),
			Tags:                tags,
		}, b.parent)
		if err != nil {
			return fmt.Errorf("subnet %s: %w", part, err)
		}
		b.made[subnetKey{s.Tier, letter(s.Zone)}] = subnet
		ids[s.Tier] = append(ids[s.Tier], subnet.ID())
	}
	return nil
}

// routes gives every subnet a route table of its own, so that a zone or a
// layout can change without touching another zone's routes.
func (b *builder) routes(args *Args) error {
	gateway, err := ec2.NewInternetGateway(b.ctx, b.name+"-igw", &ec2.InternetGatewayArgs{
		VpcId: b.vpc.ID(), Tags: b.tags("igw"),
	}, b.parent)
	if err != nil {
		return fmt.Errorf("internet gateway: %w", err)
	}
	zones := slices.Sorted(slices.Values(args.Zones))
	nats := map[string]*ec2.NatGateway{}
	for i, zone := range zones {
		if i > 0 && args.NAT == NATSingle {
			nats[zone] = nats[zones[0]]
			continue
		}
		if nats[zone], err = b.nat(letter(zone), gateway); err != nil {
			return err
		}
	}
	for _, zone := range zones {
		for _, tier := range plan.Tiers() {
			table, err := b.table(tier, letter(zone))
			if err != nil {
				return err
			}
			route := &ec2.RouteArgs{RouteTableId: table.ID(), DestinationCidrBlock: pulumi.String(anywhere)}
			switch tier {
			case plan.Public:
				route.GatewayId = gateway.ID()
			case plan.PrivateApp:
				route.NatGatewayId = nats[zone].ID()
			default:
				continue // data stays inside the VPC
			}
			part := string(tier) + "-" + letter(zone)
			if _, err := ec2.NewRoute(b.ctx, b.name+"-"+part+"-out", route, b.parent); err != nil {
				return fmt.Errorf("route out of %s: %w", part, err)
			}
		}
	}
	return nil
}

func (b *builder) nat(letter string, gateway *ec2.InternetGateway) (*ec2.NatGateway, error) {
	part := "nat-" + letter
	// AWS refuses addresses and gateways in a VPC without a way out.
	after := pulumi.DependsOn([]pulumi.Resource{gateway})
	address, err := ec2.NewEip(b.ctx, b.name+"-"+part, &ec2.EipArgs{
		Domain: pulumi.String("vpc"), Tags: b.tags(part),
	}, b.parent, after)
	if err != nil {
		return nil, fmt.Errorf("address of %s: %w", part, err)
	}
	nat, err := ec2.NewNatGateway(b.ctx, b.name+"-"+part, &ec2.NatGatewayArgs{
		AllocationId: address.AllocationId,
		SubnetId:     b.made[subnetKey{plan.Public, letter}].ID(),
		Tags:         b.tags(part),
	}, b.parent, after)
	if err != nil {
		return nil, fmt.Errorf("gateway %s: %w", part, err)
	}
	return nat, nil
}

func (b *builder) table(tier plan.Tier, letter string) (*ec2.RouteTable, error) {
	part := string(tier) + "-" + letter
	table, err := ec2.NewRouteTable(b.ctx, b.name+"-"+part, &ec2.RouteTableArgs{
		VpcId: b.vpc.ID(), Tags: b.tags(part),
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("route table of %s: %w", part, err)
	}
	if _, err := ec2.NewRouteTableAssociation(b.ctx, b.name+"-"+part, &ec2.RouteTableAssociationArgs{
		RouteTableId: table.ID(),
		SubnetId:     b.made[subnetKey{tier, letter}].ID(),
	}, b.parent); err != nil {
		return nil, fmt.Errorf("route table of %s: %w", part, err)
	}
	return table, nil
}

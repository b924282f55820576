package network

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/network/subnet"
)

const (
	anywhere   = "0.0.0.0/0"
	anywhereV6 = "::/0"
)

// createRoutes creates the gateways, and a route table for every subnet. With separate tables, a
// change of a zone or a layout does not change the routes of other zones.
func (b *builder) createRoutes() error {
	gateway, err := ec2.NewInternetGateway(b.ctx, b.name+"-igw", &ec2.InternetGatewayArgs{
		VpcId: b.vpc.ID(), Tags: b.tags("igw"),
	}, b.parent)
	if err != nil {
		return fmt.Errorf("internet gateway: %w", err)
	}
	egressOnly, err := ec2.NewEgressOnlyInternetGateway(b.ctx, b.name+"-eigw", &ec2.EgressOnlyInternetGatewayArgs{
		VpcId: b.vpc.ID(), Tags: b.tags("eigw"),
	}, b.parent)
	if err != nil {
		return fmt.Errorf("egress-only gateway: %w", err)
	}
	nats, err := b.newNATGateways(gateway)
	if err != nil {
		return err
	}
	b.tables = map[subnetKey]*ec2.RouteTable{}
	for _, zone := range b.args.Zones {
		for _, tier := range subnet.Tiers() {
			table, err := b.newRouteTable(tier, letter(zone))
			if err != nil {
				return err
			}
			v4 := &ec2.RouteArgs{RouteTableId: table.ID(), DestinationCidrBlock: pulumi.String(anywhere)}
			v6 := &ec2.RouteArgs{RouteTableId: table.ID(), DestinationIpv6CidrBlock: pulumi.String(anywhereV6)}
			switch tier {
			case subnet.Public:
				v4.GatewayId, v6.GatewayId = gateway.ID(), gateway.ID()
			case subnet.PrivateApp:
				v4.NatGatewayId, v6.EgressOnlyGatewayId = nats[zone].ID(), egressOnly.ID()
			default:
				continue // the data tier has no route out of the VPC
			}
			part := string(tier) + "-" + letter(zone)
			out, err := ec2.NewRoute(b.ctx, b.name+"-"+part+"-out", v4, b.parent)
			if err != nil {
				return fmt.Errorf("route out of %s: %w", part, err)
			}
			out6, err := ec2.NewRoute(b.ctx, b.name+"-"+part+"-out6", v6, b.parent)
			if err != nil {
				return fmt.Errorf("IPv6 route out of %s: %w", part, err)
			}
			b.settled = append(b.settled, out, out6)
		}
	}
	return nil
}

// newNATGateways creates the NAT gateways of the layout, and returns the gateway of each zone.
func (b *builder) newNATGateways(gateway *ec2.InternetGateway) (map[string]*ec2.NatGateway, error) {
	nats := map[string]*ec2.NatGateway{}
	if b.args.NAT == subnet.NATSingle {
		single, err := b.newNATGateway(letter(cmp.Or(b.args.NATZone, slices.Min(b.args.Zones))), gateway)
		for _, zone := range b.args.Zones {
			nats[zone] = single
		}
		return nats, err
	}
	for _, zone := range slices.Sorted(slices.Values(b.args.Zones)) {
		nat, err := b.newNATGateway(letter(zone), gateway)
		if err != nil {
			return nil, err
		}
		nats[zone] = nat
	}
	return nats, nil
}

// newNATGateway creates the NAT gateway of a zone and its public address.
func (b *builder) newNATGateway(letter string, gateway *ec2.InternetGateway) (*ec2.NatGateway, error) {
	part := "nat-" + letter
	// AWS refuses addresses and NAT gateways in a VPC without an internet gateway.
	after := pulumi.DependsOn([]pulumi.Resource{gateway})
	address, err := ec2.NewEip(b.ctx, b.name+"-"+part, &ec2.EipArgs{
		Domain: pulumi.String("vpc"), Tags: b.tags(part),
	}, b.parent, after)
	if err != nil {
		return nil, fmt.Errorf("address of %s: %w", part, err)
	}
	nat, err := ec2.NewNatGateway(b.ctx, b.name+"-"+part, &ec2.NatGatewayArgs{
		AllocationId: address.AllocationId,
		SubnetId:     b.subnetsByKey[subnetKey{subnet.Public, letter}].ID(),
		Tags:         b.tags(part),
	}, b.parent, after)
	if err != nil {
		return nil, fmt.Errorf("gateway %s: %w", part, err)
	}
	return nat, nil
}

// newRouteTable creates the route table of a subnet and associates it with the subnet.
func (b *builder) newRouteTable(tier subnet.Tier, letter string) (*ec2.RouteTable, error) {
	part := string(tier) + "-" + letter
	table, err := ec2.NewRouteTable(b.ctx, b.name+"-"+part, &ec2.RouteTableArgs{
		VpcId: b.vpc.ID(), Tags: b.tags(part),
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("route table of %s: %w", part, err)
	}
	association, err := ec2.NewRouteTableAssociation(b.ctx, b.name+"-"+part, &ec2.RouteTableAssociationArgs{
		RouteTableId: table.ID(),
		SubnetId:     b.subnetsByKey[subnetKey{tier, letter}].ID(),
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("route table of %s: %w", part, err)
	}
	b.settled = append(b.settled, association)
	b.tables[subnetKey{tier, letter}] = table
	return table, nil
}

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
// change of one zone does not change the routes of other zones.
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
	b.routeTables = map[subnetKey]*ec2.RouteTable{}
	for _, zone := range b.args.Zones {
		for _, tier := range subnet.Tiers() {
			table, err := b.newRouteTable(tier, zoneLetter(zone))
			if err != nil {
				return err
			}
			ipv4Args := &ec2.RouteArgs{RouteTableId: table.ID(), DestinationCidrBlock: pulumi.String(anywhere)}
			ipv6Args := &ec2.RouteArgs{RouteTableId: table.ID(), DestinationIpv6CidrBlock: pulumi.String(anywhereV6)}
			switch tier {
			case subnet.Public:
				ipv4Args.GatewayId, ipv6Args.GatewayId = gateway.ID(), gateway.ID()
			case subnet.PrivateApp:
				ipv4Args.NatGatewayId, ipv6Args.EgressOnlyGatewayId = nats[zone].ID(), egressOnly.ID()
			default:
				continue // the data tier has no route out of the VPC
			}
			suffix := string(tier) + "-" + zoneLetter(zone)
			ipv4Route, err := ec2.NewRoute(b.ctx, b.name+"-"+suffix+"-out", ipv4Args, b.parent)
			if err != nil {
				return fmt.Errorf("route out of %s: %w", suffix, err)
			}
			ipv6Route, err := ec2.NewRoute(b.ctx, b.name+"-"+suffix+"-out6", ipv6Args, b.parent)
			if err != nil {
				return fmt.Errorf("IPv6 route out of %s: %w", suffix, err)
			}
			b.ready = append(b.ready, ipv4Route, ipv6Route)
		}
	}
	return nil
}

// newNATGateways creates the NAT gateways of the layout, and returns the gateway of each zone.
func (b *builder) newNATGateways(gateway *ec2.InternetGateway) (map[string]*ec2.NatGateway, error) {
	nats := map[string]*ec2.NatGateway{}
	if b.args.NAT == subnet.NATSingle {
		single, err := b.newNATGateway(zoneLetter(cmp.Or(b.args.NATZone, slices.Min(b.args.Zones))), gateway)
		if err != nil {
			return nil, err
		}
		for _, zone := range b.args.Zones {
			nats[zone] = single
		}
		return nats, nil
	}
	for _, zone := range slices.Sorted(slices.Values(b.args.Zones)) {
		nat, err := b.newNATGateway(zoneLetter(zone), gateway)
		if err != nil {
			return nil, err
		}
		nats[zone] = nat
	}
	return nats, nil
}

// newNATGateway creates the NAT gateway of a zone and its public address.
func (b *builder) newNATGateway(letter string, gateway *ec2.InternetGateway) (*ec2.NatGateway, error) {
	suffix := "nat-" + letter
	// AWS refuses addresses and NAT gateways in a VPC without an internet gateway.
	afterGateway := pulumi.DependsOn([]pulumi.Resource{gateway})
	address, err := ec2.NewEip(b.ctx, b.name+"-"+suffix, &ec2.EipArgs{
		Domain: pulumi.String("vpc"), Tags: b.tags(suffix),
	}, b.parent, afterGateway)
	if err != nil {
		return nil, fmt.Errorf("address of %s: %w", suffix, err)
	}
	nat, err := ec2.NewNatGateway(b.ctx, b.name+"-"+suffix, &ec2.NatGatewayArgs{
		AllocationId: address.AllocationId,
		SubnetId:     b.subnetsByKey[subnetKey{subnet.Public, letter}].ID(),
		Tags:         b.tags(suffix),
	}, b.parent, afterGateway)
	if err != nil {
		return nil, fmt.Errorf("gateway %s: %w", suffix, err)
	}
	return nat, nil
}

// newRouteTable creates the route table of a subnet and associates it with the subnet.
func (b *builder) newRouteTable(tier subnet.Tier, letter string) (*ec2.RouteTable, error) {
	suffix := string(tier) + "-" + letter
	table, err := ec2.NewRouteTable(b.ctx, b.name+"-"+suffix, &ec2.RouteTableArgs{
		VpcId: b.vpc.ID(), Tags: b.tags(suffix),
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("route table of %s: %w", suffix, err)
	}
	association, err := ec2.NewRouteTableAssociation(b.ctx, b.name+"-"+suffix, &ec2.RouteTableAssociationArgs{
		RouteTableId: table.ID(),
		SubnetId:     b.subnetsByKey[subnetKey{tier, letter}].ID(),
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("association of the route table of %s: %w", suffix, err)
	}
	b.ready = append(b.ready, association)
	b.routeTables[subnetKey{tier, letter}] = table
	return table, nil
}

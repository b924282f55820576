package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/network/existingvpc"
	"github.com/progressive-framework/platform/components/network/subnet"
)

// ExistingArgs name a VPC that the stack does not create, and its subnets.
type ExistingArgs struct {
	VPCID string
	// PrivateSubnetIDs are the subnets of the nodes and of the load balancer.
	// DatabaseSubnetIDs are the subnets of the data stores. Each list has one subnet of
	// each zone.
	PrivateSubnetIDs, DatabaseSubnetIDs []string
	// Needs are the numbers of IPv4 addresses that the stack needs in each subnet.
	Needs existingvpc.Needs
	// InternetGateway requires an internet gateway, as CloudFront's VPC origins do.
	InternetGateway bool
}

// LookupExisting reads an existing VPC from AWS and checks that the platform can use
// it. It registers nothing. Its error lists all reasons why the platform can't use the
// VPC.
func LookupExisting(ctx *pulumi.Context, args *ExistingArgs, opts ...pulumi.InvokeOption) (*existingvpc.VPC, error) {
	awsVPC, err := ec2.LookupVpc(ctx, &ec2.LookupVpcArgs{Id: &args.VPCID}, opts...)
	if err != nil {
		return nil, fmt.Errorf("VPC %s: %w", args.VPCID, err)
	}
	vpc := &existingvpc.VPC{ID: awsVPC.Id, DNSSupport: awsVPC.EnableDnsSupport, DNSHostnames: awsVPC.EnableDnsHostnames}
	for _, tier := range []struct {
		ids     []string
		subnets *[]existingvpc.Subnet
	}{{args.PrivateSubnetIDs, &vpc.Private}, {args.DatabaseSubnetIDs, &vpc.Database}} {
		for _, id := range tier.ids {
			s, err := lookupSubnet(ctx, id, opts...)
			if err != nil {
				return nil, err
			}
			*tier.subnets = append(*tier.subnets, s)
		}
	}
	if args.InternetGateway {
		if _, err := ec2.LookupInternetGateway(ctx, &ec2.LookupInternetGatewayArgs{
			Filters: []ec2.GetInternetGatewayFilter{{Name: "attachment.vpc-id", Values: []string{vpc.ID}}},
		}, opts...); err != nil {
			return nil, fmt.Errorf("internet gateway of VPC %s: CloudFront supports VPC origins only in a VPC with an internet gateway, even if no subnet has a route to it: %w", vpc.ID, err)
		}
	}
	return vpc, vpc.Check(args.Needs)
}

// lookupSubnet reads a subnet and the target of its default route.
func lookupSubnet(ctx *pulumi.Context, id string, opts ...pulumi.InvokeOption) (existingvpc.Subnet, error) {
	awsSubnet, err := ec2.LookupSubnet(ctx, &ec2.LookupSubnetArgs{Id: &id}, opts...)
	if err != nil {
		return existingvpc.Subnet{}, fmt.Errorf("subnet %s: %w", id, err)
	}
	route, err := lookupDefaultRoute(ctx, awsSubnet.VpcId, id, opts...)
	if err != nil {
		return existingvpc.Subnet{}, fmt.Errorf("routes of subnet %s: %w", id, err)
	}
	return existingvpc.Subnet{
		ID: id, VPCID: awsSubnet.VpcId, Zone: awsSubnet.AvailabilityZone, Block: awsSubnet.CidrBlock, FreeAddresses: awsSubnet.AvailableIpAddressCount, DefaultRoute: route,
	}, nil
}

// lookupDefaultRoute reads the target of a subnet's route to 0.0.0.0/0, or "" if there is no
// such route. A subnet without its own route table uses the main route table of the VPC
// (VPC User Guide, "Subnet route tables").
func lookupDefaultRoute(ctx *pulumi.Context, vpcID, subnetID string, opts ...pulumi.InvokeOption) (string, error) {
	tables, err := ec2.GetRouteTables(ctx, &ec2.GetRouteTablesArgs{
		VpcId: &vpcID, Filters: []ec2.GetRouteTablesFilter{{Name: "association.subnet-id", Values: []string{subnetID}}},
	}, opts...)
	if err != nil {
		return "", err
	}
	var tableID string
	if len(tables.Ids) > 0 {
		tableID = tables.Ids[0]
	} else {
		vpc, err := ec2.LookupVpc(ctx, &ec2.LookupVpcArgs{Id: &vpcID}, opts...)
		if err != nil {
			return "", err
		}
		tableID = vpc.MainRouteTableId
	}
	table, err := ec2.LookupRouteTable(ctx, &ec2.LookupRouteTableArgs{RouteTableId: &tableID}, opts...)
	if err != nil {
		return "", err
	}
	for _, route := range table.Routes {
		if route.CidrBlock != anywhere {
			continue
		}
		for _, target := range []string{
			route.NatGatewayId, route.TransitGatewayId, route.GatewayId, route.NetworkInterfaceId, route.VpcEndpointId,
			route.CoreNetworkArn, route.LocalGatewayId, route.VpcPeeringConnectionId, route.CarrierGatewayId,
		} {
			if target != "" {
				return target, nil
			}
		}
	}
	return "", nil
}

// UseExisting returns a Network for the VPC v, which LookupExisting has read. It creates nothing in
// AWS: routes, endpoints, network ACLs and flow logs belong to the VPC's owner.
func UseExisting(ctx *pulumi.Context, name string, v *existingvpc.VPC, opts ...pulumi.ResourceOption) (*Network, error) {
	n := &Network{SubnetIDs: map[subnet.Tier]pulumi.StringArray{}, Zones: v.Zones(), Blocks: map[subnet.Tier][]string{}}
	if err := ctx.RegisterComponentResource(componentType, name, n, opts...); err != nil {
		return nil, fmt.Errorf("network %s: %w", name, err)
	}
	n.VPCID = pulumi.ID(v.ID).ToIDOutput()
	for tier, subnets := range map[subnet.Tier][]existingvpc.Subnet{subnet.PrivateApp: v.Private, subnet.PrivateData: v.Database} {
		for _, s := range subnets {
			n.SubnetIDs[tier] = append(n.SubnetIDs[tier], pulumi.String(s.ID))
			n.Blocks[tier] = append(n.Blocks[tier], s.Block)
		}
	}
	return n, ctx.RegisterResourceOutputs(n, n.outputs())
}

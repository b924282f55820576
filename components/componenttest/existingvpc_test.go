package componenttest

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/cloudmocks"
	"github.com/progressive-framework/platform/components/network"
	"github.com/progressive-framework/platform/components/network/subnet"
)

// existingVPC is an account with the VPC vpc-1. Its subnets are named by their zone's
// letter; those with "own" have a route table of their own, with a NAT gateway. The main
// route table has the route that main says.
func existingVPC(main string) *cloudmocks.Cloud {
	route := func(id any) []any {
		switch id {
		case "rtb-own":
			return []any{map[string]any{"cidrBlock": "0.0.0.0/0", "natGatewayId": "nat-1"}, map[string]any{"cidrBlock": "10.9.0.0/16", "gatewayId": "vgw-1"}}
		case "rtb-main":
			return []any{map[string]any{"cidrBlock": "0.0.0.0/0", "gatewayId": main}}
		}
		return nil
	}
	return &cloudmocks.Cloud{Calls: map[string]func(map[string]any) map[string]any{
		"aws:ec2/getVpc:getVpc": func(args map[string]any) map[string]any {
			return map[string]any{"id": args["id"], "enableDnsSupport": true, "enableDnsHostnames": true, "mainRouteTableId": "rtb-main"}
		},
		"aws:ec2/getSubnet:getSubnet": func(args map[string]any) map[string]any {
			id := args["id"].(string)
			return map[string]any{
				"id": id, "vpcId": "vpc-1", "availabilityZone": "us-east-1" + id[len(id)-1:], "availableIpAddressCount": 4000,
			}
		},
		"aws:ec2/getRouteTables:getRouteTables": func(args map[string]any) map[string]any {
			filter := args["filters"].([]any)[0].(map[string]any)
			if strings.Contains(filter["values"].([]any)[0].(string), "own") {
				return map[string]any{"ids": []any{"rtb-own"}}
			}
			return map[string]any{"ids": []any{}}
		},
		"aws:ec2/getRouteTable:getRouteTable": func(args map[string]any) map[string]any {
			return map[string]any{"routes": route(args["routeTableId"])}
		},
		"aws:ec2/getInternetGateway:getInternetGateway": func(map[string]any) map[string]any { return map[string]any{"id": "igw-1"} },
	}}
}

// useExisting uses the VPC, and reports the network's ids.
func useExisting(args *network.ExistingArgs, check func(*network.Network)) program {
	return func(ctx *pulumi.Context, _ *account.Account) error {
		vpc, err := network.LookupExisting(ctx, args)
		if err != nil {
			return err
		}
		n, err := network.UseExisting(ctx, "app", vpc)
		if err != nil {
			return err
		}
		check(n)
		return n.AdmitToEndpoints("nodes", pulumi.String("sg-nodes"))
	}
}

// An existing VPC is the same for everything that uses a Network, and nothing of it is
// created.
func TestExistingVPCCreatesNothing(t *testing.T) {
	var used *network.Network
	d, err := runOn(existingVPC("igw-1"), useExisting(&network.ExistingArgs{
		VPCID: "vpc-1", PrivateSubnetIDs: []string{"own-b", "own-a"}, DatabaseSubnetIDs: []string{"own-c", "own-a"}, InternetGateway: true,
	}, func(n *network.Network) { used = n }))
	require.NoError(t, err)
	for _, r := range d {
		require.False(t, r.Custom, "%s %s is created", r.Type, r.Name)
	}
	require.Equal(t, []string{"us-east-1b", "us-east-1a"}, used.Zones)
	require.Equal(t, pulumi.StringArray{pulumi.String("own-b"), pulumi.String("own-a")}, used.SubnetIDs[subnet.PrivateApp])
	require.Equal(t, pulumi.StringArray{pulumi.String("own-c"), pulumi.String("own-a")}, used.SubnetIDs[subnet.PrivateData])
}

// A subnet without a route table of its own has the main one.
func TestMainRouteTableCounts(t *testing.T) {
	args := &network.ExistingArgs{VPCID: "vpc-1", PrivateSubnetIDs: []string{"subnet-a", "subnet-b"}, DatabaseSubnetIDs: []string{"own-a", "own-b"}}
	_, err := runOn(existingVPC("igw-1"), useExisting(args, func(*network.Network) {}))
	require.ErrorContains(t, err, "private subnet subnet-a is public: its default route is the internet gateway igw-1")
	require.ErrorContains(t, err, "private subnet subnet-b is public")
	_, err = runOn(existingVPC("vgw-1"), useExisting(args, func(*network.Network) {}))
	require.NoError(t, err)
}

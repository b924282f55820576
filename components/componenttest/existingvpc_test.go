package componenttest

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/cloudmocks"
	"github.com/progressive-framework/platform/components/network"
	"github.com/progressive-framework/platform/components/network/subnet"
)

// cloudWithVPC returns the mock of an account with an existing VPC. mainGatewayID is the gateway of
// the main route table's default route; see cloudmocks.ExistingVPC.
func cloudWithVPC(mainGatewayID string) *cloudmocks.Cloud {
	return &cloudmocks.Cloud{Calls: cloudmocks.ExistingVPC(mainGatewayID)}
}

// newExistingNetwork returns a program that creates a network from the existing VPC, and calls
// check with this network.
func newExistingNetwork(args *network.ExistingArgs, check func(*network.Network)) program {
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
		return n.AllowEndpointAccess("nodes", pulumi.String("sg-nodes"))
	}
}

// A network from an existing VPC has the VPC's zones and subnets. The program creates no
// resource.
func TestNetworkFromAnExistingVPCCreatesNoResources(t *testing.T) {
	var created *network.Network
	d, err := runOn(cloudWithVPC("igw-1"), newExistingNetwork(&network.ExistingArgs{
		VPCID: cloudmocks.ExistingVPCID, PrivateSubnetIDs: []string{cloudmocks.RoutedSubnet + "b", cloudmocks.RoutedSubnet + "a"}, DatabaseSubnetIDs: []string{cloudmocks.RoutedSubnet + "c", cloudmocks.RoutedSubnet + "a"}, InternetGateway: true,
	}, func(n *network.Network) { created = n }))
	require.NoError(t, err)
	for _, r := range d {
		require.False(t, r.Custom, "%s %s is created", r.Type, r.Name)
	}
	require.Equal(t, []string{"us-east-1b", "us-east-1a"}, created.Zones)
	require.Equal(t, pulumi.StringArray{pulumi.String(cloudmocks.RoutedSubnet + "b"), pulumi.String(cloudmocks.RoutedSubnet + "a")}, created.SubnetIDs[subnet.PrivateApp])
	require.Equal(t, pulumi.StringArray{pulumi.String(cloudmocks.RoutedSubnet + "c"), pulumi.String(cloudmocks.RoutedSubnet + "a")}, created.SubnetIDs[subnet.PrivateData])
}

// A subnet without a route table of its own uses the main route table.
func TestMainRouteTableDecidesWhetherASubnetIsPublic(t *testing.T) {
	args := &network.ExistingArgs{VPCID: cloudmocks.ExistingVPCID, PrivateSubnetIDs: []string{cloudmocks.PlainSubnet + "a", cloudmocks.PlainSubnet + "b"}, DatabaseSubnetIDs: []string{cloudmocks.RoutedSubnet + "a", cloudmocks.RoutedSubnet + "b"}}
	_, err := runOn(cloudWithVPC("igw-1"), newExistingNetwork(args, func(*network.Network) {}))
	require.ErrorContains(t, err, "private subnet subnet-0000000000000000a is public: its default route is the internet gateway igw-1")
	require.ErrorContains(t, err, "private subnet subnet-0000000000000000b is public")
	_, err = runOn(cloudWithVPC("vgw-1"), newExistingNetwork(args, func(*network.Network) {}))
	require.NoError(t, err)
}

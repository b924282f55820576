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

// withVPC is an account with an existing VPC; see cloudmocks.ExistingVPC.
func withVPC(mainTarget string) *cloudmocks.Cloud {
	return &cloudmocks.Cloud{Calls: cloudmocks.ExistingVPC(mainTarget)}
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
	d, err := runOn(withVPC("igw-1"), useExisting(&network.ExistingArgs{
		VPCID: cloudmocks.ExistingVPCID, PrivateSubnetIDs: []string{cloudmocks.RoutedSubnet + "b", cloudmocks.RoutedSubnet + "a"}, DatabaseSubnetIDs: []string{cloudmocks.RoutedSubnet + "c", cloudmocks.RoutedSubnet + "a"}, InternetGateway: true,
	}, func(n *network.Network) { used = n }))
	require.NoError(t, err)
	for _, r := range d {
		require.False(t, r.Custom, "%s %s is created", r.Type, r.Name)
	}
	require.Equal(t, []string{"us-east-1b", "us-east-1a"}, used.Zones)
	require.Equal(t, pulumi.StringArray{pulumi.String(cloudmocks.RoutedSubnet + "b"), pulumi.String(cloudmocks.RoutedSubnet + "a")}, used.SubnetIDs[subnet.PrivateApp])
	require.Equal(t, pulumi.StringArray{pulumi.String(cloudmocks.RoutedSubnet + "c"), pulumi.String(cloudmocks.RoutedSubnet + "a")}, used.SubnetIDs[subnet.PrivateData])
}

// A subnet without a route table of its own has the main one.
func TestMainRouteTableCounts(t *testing.T) {
	args := &network.ExistingArgs{VPCID: cloudmocks.ExistingVPCID, PrivateSubnetIDs: []string{cloudmocks.PlainSubnet + "a", cloudmocks.PlainSubnet + "b"}, DatabaseSubnetIDs: []string{cloudmocks.RoutedSubnet + "a", cloudmocks.RoutedSubnet + "b"}}
	_, err := runOn(withVPC("igw-1"), useExisting(args, func(*network.Network) {}))
	require.ErrorContains(t, err, "private subnet subnet-0000000000000000a is public: its default route is the internet gateway igw-1")
	require.ErrorContains(t, err, "private subnet subnet-0000000000000000b is public")
	_, err = runOn(withVPC("vgw-1"), useExisting(args, func(*network.Network) {}))
	require.NoError(t, err)
}

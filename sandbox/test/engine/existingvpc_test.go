package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// foreignNetwork is a network that the stack has not created.
type foreignNetwork struct {
	vpcID                               string
	publicSubnetID                      string
	privateSubnetIDs, databaseSubnetIDs []string
	created                             []resourceRef // all resources, in the order of creation
}

// newForeignNetwork creates a VPC with an internet gateway, a public subnet with a NAT
// gateway, and private and database subnets in three zones.
func newForeignNetwork(t *testing.T, s *stack) *foreignNetwork {
	t.Helper()
	n := &foreignNetwork{}
	create := func(kind string, properties ...string) string {
		out, err := s.run(t, s.dir, "sandbox", append([]string{"aws", "create", kind}, properties...)...)
		require.NoError(t, err)
		words := strings.Fields(out)
		id := words[len(words)-1] // the command prints the id last
		n.created = append(n.created, resourceRef{Type: kind, ID: id})
		return id
	}
	n.vpcID = create("aws:ec2/vpc:Vpc", "cidrBlock=10.60.0.0/16", "enableDnsHostnames=true")
	gateway := create("aws:ec2/internetGateway:InternetGateway", "vpcId="+n.vpcID)
	n.publicSubnetID = create("aws:ec2/subnet:Subnet", "vpcId="+n.vpcID, "cidrBlock=10.60.255.0/24", "availabilityZone=us-east-1a")
	publicRoutes := create("aws:ec2/routeTable:RouteTable", "vpcId="+n.vpcID)
	create("aws:ec2/route:Route", "routeTableId="+publicRoutes, "destinationCidrBlock=0.0.0.0/0", "gatewayId="+gateway)
	create("aws:ec2/routeTableAssociation:RouteTableAssociation", "routeTableId="+publicRoutes, "subnetId="+n.publicSubnetID)
	address := create("aws:ec2/eip:Eip", "domain=vpc")
	nat := create("aws:ec2/natGateway:NatGateway", "allocationId="+address, "subnetId="+n.publicSubnetID)
	privateRoutes := create("aws:ec2/routeTable:RouteTable", "vpcId="+n.vpcID)
	create("aws:ec2/route:Route", "routeTableId="+privateRoutes, "destinationCidrBlock=0.0.0.0/0", "natGatewayId="+nat)
	for i, letter := range []string{"a", "b", "c"} {
		private := create("aws:ec2/subnet:Subnet", "vpcId="+n.vpcID, fmt.Sprintf("cidrBlock=10.60.%d.0/20", 16*i), "availabilityZone=us-east-1"+letter)
		create("aws:ec2/routeTableAssociation:RouteTableAssociation", "routeTableId="+privateRoutes, "subnetId="+private)
		n.privateSubnetIDs = append(n.privateSubnetIDs, private)
		n.databaseSubnetIDs = append(n.databaseSubnetIDs, create("aws:ec2/subnet:Subnet", "vpcId="+n.vpcID, fmt.Sprintf("cidrBlock=10.60.%d.0/24", 64+i), "availabilityZone=us-east-1"+letter))
	}
	return n
}

// remove deletes the network.
func (n *foreignNetwork) remove(t *testing.T, s *stack) {
	t.Helper()
	for _, r := range slices.Backward(n.created) {
		_, err := s.run(t, s.dir, "sandbox", "aws", "delete", r.Type, r.ID)
		require.NoError(t, err)
	}
}

// A stack that uses an existing VPC creates no resource of the network.
func TestStackUsesAnExistingVPC(t *testing.T) {
	s := newStack(t, newEnvironment(t), "staging")
	n := newForeignNetwork(t, s)
	newNetworkConfig := func(change map[string]any) map[string]any {
		keys := map[string]any{"vpcId": n.vpcID, "privateSubnetIds": n.privateSubnetIDs, "databaseSubnetIds": n.databaseSubnetIDs}
		maps.Copy(keys, change)
		return map[string]any{"network": keys}
	}
	original := s.readConfiguration(t)
	for _, wrong := range []struct {
		reason  string
		change  map[string]any
		message string
	}{
		{"a public subnet", map[string]any{"privateSubnetIds": []string{n.publicSubnetID, n.privateSubnetIDs[1]}}, "is public: its default route is the internet gateway"},
		{"subnets without a route to the internet", map[string]any{"privateSubnetIds": n.databaseSubnetIDs}, "has no route to 0.0.0.0/0"},
		{"a VPC that does not exist", map[string]any{"vpcId": "vpc-0123456789abcdef0"}, "InvalidVpcID.NotFound"},
		{"two subnets of a zone", map[string]any{"databaseSubnetIds": []string{n.databaseSubnetIDs[0], n.privateSubnetIDs[0], n.databaseSubnetIDs[1]}}, "are both in us-east-1a"},
	} {
		s.configure(t, original, newNetworkConfig(wrong.change))
		out, err := s.tryPulumi(t, "preview")
		require.Error(t, err, wrong.reason)
		require.Contains(t, out, wrong.message, wrong.reason)
	}

	s.configure(t, original, newNetworkConfig(nil))
	s.pulumi(t, "up", "--yes", "--skip-preview")
	for _, kind := range []string{
		"ec2/vpc:Vpc", "ec2/subnet:Subnet", "ec2/routeTable:RouteTable", "ec2/route:Route", "ec2/natGateway:NatGateway", "ec2/eip:Eip",
		"ec2/internetGateway:InternetGateway", "ec2/vpcEndpoint:VpcEndpoint", "ec2/networkAcl:NetworkAcl", "ec2/flowLog:FlowLog",
	} {
		require.Empty(t, s.listObjects(t, kind), kind)
	}
	var vpc string
	s.readOutput(t, "vpcId", &vpc)
	require.Equal(t, n.vpcID, vpc)
	requireNoChanges(t, s)

	// The nodes now use addresses of the subnets. The program must not refuse the stack because
	// of these used addresses.
	s.configure(t, original, newNetworkConfig(map[string]any{"privateSubnetIds": []string{n.privateSubnetIDs[2], n.privateSubnetIDs[1], n.privateSubnetIDs[0]}}))
	require.Empty(t, s.preview(t).destructiveSteps(), "the order of the subnets does not matter")

	s.configure(t, original, newNetworkConfig(map[string]any{"databaseSubnetIds": n.privateSubnetIDs}))
	out, err := s.tryPulumi(t, "preview")
	require.Error(t, err)
	require.Contains(t, out, "network.databaseSubnetIds: ", "the stores have instances in their subnets")

	s.configure(t, original, nil)
	out, err = s.tryPulumi(t, "preview")
	require.Error(t, err)
	require.Contains(t, out, `network.cidr: "" can't become "10.20.0.0/16"`)

	s.configure(t, original, newNetworkConfig(nil))
	s.pulumi(t, "destroy", "--yes", "--skip-preview")
	require.Len(t, s.listAWSResources(t), len(n.created), "only the foreign network still exists")
	s.pulumi(t, "stack", "rm", "--yes")
	n.remove(t, s)
	require.Empty(t, s.listAWSResources(t))
}

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
	vpc               string   // the id of the VPC
	public            string   // the id of the public subnet
	private, database []string // the ids of the other subnets
	created           []record // all resources, in the order of creation
}

// newForeignNetwork creates a VPC with an internet gateway, a public subnet with a NAT
// gateway, and private and database subnets in three zones.
func newForeignNetwork(t *testing.T, s *stack) *foreignNetwork {
	t.Helper()
	o := &foreignNetwork{}
	create := func(kind string, properties ...string) string {
		out, err := s.run(t, s.dir, "sandbox", append([]string{"aws", "create", kind}, properties...)...)
		require.NoError(t, err)
		lines := strings.Fields(out)
		id := lines[len(lines)-1]
		o.created = append(o.created, record{Type: kind, ID: id})
		return id
	}
	o.vpc = create("aws:ec2/vpc:Vpc", "cidrBlock=10.60.0.0/16", "enableDnsHostnames=true")
	gateway := create("aws:ec2/internetGateway:InternetGateway", "vpcId="+o.vpc)
	o.public = create("aws:ec2/subnet:Subnet", "vpcId="+o.vpc, "cidrBlock=10.60.255.0/24", "availabilityZone=us-east-1a")
	publicRoutes := create("aws:ec2/routeTable:RouteTable", "vpcId="+o.vpc)
	create("aws:ec2/route:Route", "routeTableId="+publicRoutes, "destinationCidrBlock=0.0.0.0/0", "gatewayId="+gateway)
	create("aws:ec2/routeTableAssociation:RouteTableAssociation", "routeTableId="+publicRoutes, "subnetId="+o.public)
	address := create("aws:ec2/eip:Eip", "domain=vpc")
	nat := create("aws:ec2/natGateway:NatGateway", "allocationId="+address, "subnetId="+o.public)
	privateRoutes := create("aws:ec2/routeTable:RouteTable", "vpcId="+o.vpc)
	create("aws:ec2/route:Route", "routeTableId="+privateRoutes, "destinationCidrBlock=0.0.0.0/0", "natGatewayId="+nat)
	for i, letter := range []string{"a", "b", "c"} {
		private := create("aws:ec2/subnet:Subnet", "vpcId="+o.vpc, fmt.Sprintf("cidrBlock=10.60.%d.0/20", 16*i), "availabilityZone=us-east-1"+letter)
		create("aws:ec2/routeTableAssociation:RouteTableAssociation", "routeTableId="+privateRoutes, "subnetId="+private)
		o.private = append(o.private, private)
		o.database = append(o.database, create("aws:ec2/subnet:Subnet", "vpcId="+o.vpc, fmt.Sprintf("cidrBlock=10.60.%d.0/24", 64+i), "availabilityZone=us-east-1"+letter))
	}
	return o
}

// remove deletes the network.
func (o *foreignNetwork) remove(t *testing.T, s *stack) {
	t.Helper()
	for _, r := range slices.Backward(o.created) {
		_, err := s.run(t, s.dir, "sandbox", "aws", "delete", r.Type, r.ID)
		require.NoError(t, err)
	}
}

// A stack that uses an existing VPC creates no resource of the network.
func TestStackUsesAnExistingVPC(t *testing.T) {
	s := newStack(t, newEnvironment(t), "staging")
	o := newForeignNetwork(t, s)
	network := func(change map[string]any) map[string]any {
		keys := map[string]any{"vpcId": o.vpc, "privateSubnetIds": o.private, "databaseSubnetIds": o.database}
		maps.Copy(keys, change)
		return map[string]any{"network": keys}
	}
	original := s.configuration(t)
	for _, wrong := range []struct {
		reason  string
		change  map[string]any
		message string
	}{
		{"a public subnet", map[string]any{"privateSubnetIds": []string{o.public, o.private[1]}}, "is public: its default route is the internet gateway"},
		{"subnets without a route to the internet", map[string]any{"privateSubnetIds": o.database}, "has no route to 0.0.0.0/0"},
		{"a VPC that does not exist", map[string]any{"vpcId": "vpc-0123456789abcdef0"}, "InvalidVpcID.NotFound"},
		{"two subnets of a zone", map[string]any{"databaseSubnetIds": []string{o.database[0], o.private[0], o.database[1]}}, "are both in us-east-1a"},
	} {
		s.configure(t, original, network(wrong.change))
		out, err := s.try(t, "preview")
		require.Error(t, err, wrong.reason)
		require.Contains(t, out, wrong.message, wrong.reason)
	}

	s.configure(t, original, network(nil))
	s.pulumi(t, "up", "--yes", "--skip-preview")
	for _, kind := range []string{
		"ec2/vpc:Vpc", "ec2/subnet:Subnet", "ec2/routeTable:RouteTable", "ec2/route:Route", "ec2/natGateway:NatGateway", "ec2/eip:Eip",
		"ec2/internetGateway:InternetGateway", "ec2/vpcEndpoint:VpcEndpoint", "ec2/networkAcl:NetworkAcl", "ec2/flowLog:FlowLog",
	} {
		require.Empty(t, s.objects(t, kind), kind)
	}
	var vpc string
	s.output(t, "vpcId", &vpc)
	require.Equal(t, o.vpc, vpc)
	requireNoChanges(t, s)

	// The nodes now use addresses of the subnets. The program must not refuse the stack because
	// of these used addresses.
	s.configure(t, original, network(map[string]any{"privateSubnetIds": []string{o.private[2], o.private[1], o.private[0]}}))
	require.Empty(t, s.preview(t).destructiveSteps(), "the order of the subnets does not matter")

	s.configure(t, original, network(map[string]any{"databaseSubnetIds": o.private}))
	out, err := s.try(t, "preview")
	require.Error(t, err)
	require.Contains(t, out, "network.databaseSubnetIds: ", "the stores have instances in their subnets")

	s.configure(t, original, nil)
	out, err = s.try(t, "preview")
	require.Error(t, err)
	require.Contains(t, out, `network.cidr: "" can't become "10.20.0.0/16"`)

	s.configure(t, original, network(nil))
	s.pulumi(t, "destroy", "--yes", "--skip-preview")
	require.Len(t, s.awsResources(t), len(o.created), "only the foreign network still exists")
	s.pulumi(t, "stack", "rm", "--yes")
	o.remove(t, s)
	require.Empty(t, s.awsResources(t))
}

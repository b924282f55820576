package aws

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	getVpc         = "aws:ec2/getVpc:getVpc"
	getSubnet      = "aws:ec2/getSubnet:getSubnet"
	getRouteTables = "aws:ec2/getRouteTables:getRouteTables"
	getRouteTable  = "aws:ec2/getRouteTable:getRouteTable"
	getGateway     = "aws:ec2/getInternetGateway:getInternetGateway"
	getClusters    = "aws:eks/getClusters:getClusters"
)

// A program can read a network that it did not create.
func TestFunctionsFindAnExistingNetwork(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createClusterStack()
	vpc, a, b := stack.byName["vpc"], stack.byName["a"], stack.byName["b"]

	found, err := s.invoke(getVpc, props{"id": vpc.id})
	require.NoError(t, err)
	require.Equal(t, []any{true, true, "10.20.0.0/16"}, []any{found["enableDnsSupport"], found["enableDnsHostnames"], found["cidrBlock"]})
	require.Equal(t, vpc.state["mainRouteTableId"], found["mainRouteTableId"])

	for _, row := range []struct {
		subnet *resource
		free   float64
		reason string
	}{
		{a, 4096 - 5 - 2, "AWS reserves five addresses; the NAT gateway and the endpoint use one each"},
		{b, 4096 - 5 - 1, "AWS reserves five addresses; the endpoint uses one"},
	} {
		subnet, err := s.invoke(getSubnet, props{"id": row.subnet.id})
		require.NoError(t, err)
		require.Equal(t, row.free, subnet["availableIpAddressCount"], row.reason)
		require.Equal(t, row.subnet.state["availabilityZoneId"], subnet["availabilityZoneId"])
		require.Equal(t, vpc.id, subnet["vpcId"])
	}

	bySubnet := func(id string) props {
		return props{"vpcId": vpc.id, "filters": []any{props{"name": "association.subnet-id", "values": []any{id}}}}
	}
	tables, err := s.invoke(getRouteTables, bySubnet(b.id))
	require.NoError(t, err)
	require.Equal(t, []any{stack.byName["private"].id}, tables["ids"])
	unassociated := s.mustCreate(subnetT, "unassociated", props{"vpcId": vpc.id, "cidrBlock": "10.20.32.0/20"})
	tables, err = s.invoke(getRouteTables, bySubnet(unassociated.id))
	require.NoError(t, err)
	require.Empty(t, tables["ids"], "the main route table has no association with the subnet")
	tables, err = s.invoke(getRouteTables, props{"vpcId": vpc.id})
	require.NoError(t, err)
	require.Len(t, tables["ids"], 3, "the tables public and private, and the main table of the VPC")

	for name, target := range map[string]string{"private": "natGatewayId", "public": "gatewayId"} {
		table, err := s.invoke(getRouteTable, props{"routeTableId": stack.byName[name].id})
		require.NoError(t, err)
		routes := table["routes"].([]any)
		require.Len(t, routes, 1, "the route table %s must show its route, whether the route is inline or a separate resource", name)
		require.NotEmpty(t, routes[0].(props)[target])
		require.Equal(t, "0.0.0.0/0", routes[0].(props)["cidrBlock"])
	}

	gateway, err := s.invoke(getGateway, props{"filters": []any{props{"name": "attachment.vpc-id", "values": []any{vpc.id}}}})
	require.NoError(t, err)
	require.Equal(t, stack.byName["gateway"].id, gateway["internetGatewayId"])

	clusters, err := s.invoke(getClusters, nil)
	require.NoError(t, err)
	require.Equal(t, []any{stack.byName["cluster"].id}, clusters["names"])
}

func TestNetworkLookupErrors(t *testing.T) {
	s := newSandbox(t, nil)
	for _, row := range []struct {
		reason, token string
		in            props
		want          string
	}{
		{"a VPC that does not exist", getVpc, props{"id": "vpc-00000000000000000"}, "InvalidVpcID.NotFound"},
		{"a VPC by its tags", getVpc, props{"tags": props{"Name": "main"}}, "the stand-in looks this up by id only"},
		{"a subnet that does not exist", getSubnet, props{"id": "subnet-00000000000000000"}, "InvalidSubnetID.NotFound"},
		{"a route table that does not exist", getRouteTable, props{"routeTableId": "rtb-0"}, "query returned no results"},
		{"a filter without a rule", getRouteTables, props{"filters": []any{props{"name": "tag:Name", "values": []any{"a"}}}}, "association.subnet-id"},
		{"a VPC without an internet gateway", getGateway, props{"filters": []any{props{"name": "attachment.vpc-id", "values": []any{"vpc-0"}}}}, "no matching EC2 Internet Gateway found"},
	} {
		_, err := s.invoke(row.token, row.in)
		require.ErrorContains(t, err, row.want, row.reason)
	}
}

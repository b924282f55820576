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

const getAMI = "aws:ec2/getAmi:getAmi"

// byImageID returns the inputs of getAMI for an image.
func byImageID(id any, change props) props {
	return with(props{"filters": []any{props{"name": "image-id", "values": []any{id}}}}, change)
}

// A program can read the images whose ids it gets from SSM, and those of the account.
func TestImagesAreFoundByID(t *testing.T) {
	s := newSandbox(t, nil)
	parameter, err := s.invoke("aws:ssm/getParameter:getParameter", props{
		"name": "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/arm64/standard/amazon-eks-node-al2023-arm64-standard-1.34-v20260923/image_id",
	})
	require.NoError(t, err)
	for _, row := range []struct {
		id                          any
		architecture, root, rootGiB string
		ownerAlias, name            string
	}{
		{parameter["insecureValue"], "arm64", "/dev/xvda", "20", "amazon", "amazon-eks-node-al2023-arm64-standard-1.34-v20260923"},
		{"ami-0123456789abcdef0", "x86_64", "/dev/xvda", "20", "", "nodes-x86_64"},
		{"ami-0123456789abcdef1", "arm64", "/dev/xvda", "20", "", "nodes-arm64"},
		{"ami-0123456789abcdef2", "x86_64", "/dev/sda1", "100", "", "shared-x86_64"},
	} {
		image, err := s.invoke(getAMI, byImageID(row.id, props{"includeDeprecated": true}))
		require.NoError(t, err, row.id)
		require.Equal(t, []any{row.id, row.id, row.architecture, row.name, row.ownerAlias}, []any{
			image["id"], image["imageId"], image["architecture"], image["name"], image["imageOwnerAlias"],
		})
		require.Equal(t, []any{"available", "hvm", "ebs", true}, []any{image["state"], image["virtualizationType"], image["rootDeviceType"], image["enaSupport"]})
		require.Equal(t, row.root, image["rootDeviceName"])
		disks := image["blockDeviceMappings"].([]any)
		require.Len(t, disks, 1)
		require.Equal(t, row.root, disks[0].(props)["deviceName"])
		require.Equal(t, row.rootGiB, disks[0].(props)["ebs"].(props)["volume_size"], "the provider keeps EC2's names in this map, and its values are texts")
	}
}

func TestImageLookupErrors(t *testing.T) {
	s := newSandbox(t, nil)
	parameter, err := s.inRegion("eu-west-1").invoke("aws:ssm/getParameter:getParameter", props{
		"name": "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/standard/recommended/image_id",
	})
	require.NoError(t, err)
	for _, row := range []struct {
		reason string
		in     props
		want   string
	}{
		{"an image that does not exist", byImageID("ami-00000000000000000", nil), "Your query returned no results. Please change your search criteria and try again."},
		{"an image of another region", byImageID(parameter["insecureValue"], nil), "Your query returned no results"},
		{"a deprecated image of another account", byImageID("ami-0123456789abcdef2", nil), "Your query returned no results"},
		{"a search by name", props{"filters": []any{props{"name": "name", "values": []any{"a"}}}}, "the stand-in finds images by the filter image-id"},
		{"a search by owner", byImageID("ami-0123456789abcdef0", props{"owners": []any{"self"}}), "the stand-in finds images by the filter image-id"},
		{"every image", nil, "the stand-in finds images by the filter image-id"},
		{"several images", props{"filters": []any{props{"name": "image-id", "values": []any{"ami-0123456789abcdef0", "ami-0123456789abcdef1"}}}}, "the stand-in finds images by the filter image-id"},
	} {
		_, err := s.invoke(getAMI, row.in)
		require.ErrorContains(t, err, row.want, row.reason)
	}
}

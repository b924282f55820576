package rules

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// getVPC implements the Pulumi function aws:ec2/getVpc. Its source is
// ec2/vpc_data_source.go of terraform-provider-aws.
func getVPC(c *Call, in Object) (Object, error) {
	if err := checkLookupKey(in, "id"); err != nil {
		return nil, err
	}
	vpc, ok := c.resolve(toVPC, in.String("id"))
	if !ok {
		return nil, refuse(toVPC.Missing, "The vpc ID '%s' does not exist", in.String("id"))
	}
	out := c.lookupResult(vpc, "arn", "cidrBlock", "enableDnsHostnames", "enableDnsSupport", "enableNetworkAddressUsageMetrics", "instanceTenancy",
		"ipv6AssociationId", "ipv6CidrBlock", "mainRouteTableId", "dhcpOptionsId", "ownerId")
	out["default"], out["state"] = false, "available"
	out["cidrBlockAssociations"] = []any{map[string]any{
		"associationId": "vpc-cidr-assoc-" + vpc.ID[len("vpc-"):], "cidrBlock": Object(vpc.State).String("cidrBlock"), "state": "associated",
	}}
	return out, nil
}

// getSubnet implements the Pulumi function aws:ec2/getSubnet. Its source is
// ec2/vpc_subnet_data_source.go of terraform-provider-aws.
func getSubnet(c *Call, in Object) (Object, error) {
	if err := checkLookupKey(in, "id"); err != nil {
		return nil, err
	}
	subnet, ok := c.resolve(toSubnet, in.String("id"))
	if !ok {
		return nil, refuse(toSubnet.Missing, "The subnet ID '%s' does not exist", in.String("id"))
	}
	out := c.lookupResult(subnet, "arn", "assignIpv6AddressOnCreation", "availabilityZone", "availabilityZoneId", "cidrBlock", "enableDns64",
		"enableResourceNameDnsARecordOnLaunch", "enableResourceNameDnsAaaaRecordOnLaunch", "ipv6CidrBlock", "ipv6CidrBlockAssociationId",
		"mapPublicIpOnLaunch", "ownerId", "privateDnsHostnameTypeOnLaunch", "vpcId")
	free, err := c.freeAddressCount(subnet)
	if err != nil {
		return nil, err
	}
	out["availableIpAddressCount"], out["state"] = float64(free), "available"
	for _, name := range []string{"defaultForAz", "ipv6Native", "mapCustomerOwnedIpOnLaunch"} {
		out[name] = false
	}
	out["customerOwnedIpv4Pool"], out["outpostArn"], out["enableLniAtDeviceIndex"] = "", "", 0.0
	return out, nil
}

// freeAddressCount returns the number of free IPv4 addresses in a subnet. AWS reserves five
// addresses of each subnet (vpc/latest/userguide/subnet-sizing.html). Each NAT gateway and
// each interface endpoint in the subnet uses one address. Nodes, load balancers and
// databases have no network interfaces in the stand-in, so their addresses count as free.
func (c *Call) freeAddressCount(subnet store.Object) (int, error) {
	block, err := netip.ParsePrefix(Object(subnet.State).String("cidrBlock"))
	if err != nil {
		return 0, fmt.Errorf("CIDR block of the subnet %s: %w", subnet.ID, err)
	}
	free := 1<<(32-block.Bits()) - 5
	c.Tx.Each(c.scope(rows[natType]), natType, func(o store.Object) bool {
		if Object(o.State).String("subnetId") == subnet.ID {
			free--
		}
		return true
	})
	c.Tx.Each(c.scope(rows[vpcEndpointType]), vpcEndpointType, func(o store.Object) bool {
		if slices.Contains(Object(o.State).Strings("subnetIds"), subnet.ID) {
			free--
		}
		return true
	})
	return free, nil
}

// getRouteTables implements the Pulumi function aws:ec2/getRouteTables. Its source is
// ec2/vpc_route_tables_data_source.go of terraform-provider-aws. For a subnet without an
// association, the function finds no table, as on AWS, although the subnet uses the main
// table of its VPC.
func getRouteTables(c *Call, in Object) (Object, error) {
	filters := in.Objects("filters")
	isUnsupported := func(filter Object) bool { return filter.String("name") != "association.subnet-id" }
	if in.Has("tags") || len(filters) > 1 || slices.ContainsFunc(filters, isUnsupported) {
		return nil, errors.New("the stand-in finds route tables by vpcId and by the filter association.subnet-id")
	}
	ids := []any{}
	c.Tx.Each(c.scope(rows[routeTableType]), routeTableType, func(o store.Object) bool {
		matches := !in.Has("vpcId") || Object(o.State).String("vpcId") == in.String("vpcId")
		if len(filters) == 1 {
			subnets := filters[0].Strings("values")
			matches = matches && slices.ContainsFunc(c.associatedSubnets(o.ID), func(id string) bool { return slices.Contains(subnets, id) })
		}
		if matches {
			ids = append(ids, o.ID)
		}
		return true
	})
	return Object{"id": c.Region, "ids": ids, "tags": map[string]any{}}, nil
}

// associatedSubnets returns the ids of the subnets that are associated with a route table.
func (c *Call) associatedSubnets(tableID string) []string {
	var ids []string
	c.Tx.Each(c.scope(rows[routeTableAssociationType]), routeTableAssociationType, func(o store.Object) bool {
		if a := Object(o.State); a.String("routeTableId") == tableID {
			ids = append(ids, a.String("subnetId"))
		}
		return true
	})
	return ids
}

// getRouteTable implements the Pulumi function aws:ec2/getRouteTable. Its source is
// ec2/vpc_route_table_data_source.go of terraform-provider-aws.
func getRouteTable(c *Call, in Object) (Object, error) {
	if err := checkLookupKey(in, "routeTableId"); err != nil {
		return nil, err
	}
	table, ok := c.resolve(toRouteTable, in.String("routeTableId"))
	if !ok {
		return nil, errors.New("query returned no results. Please change your search criteria and try again")
	}
	// The result has the same routes as a read of the resource: the inline routes, and the
	// routes that are separate resources.
	readCall := &Call{Cloud: c.Cloud, Tx: c.Tx, Context: c.Context, Row: rows[routeTableType], ID: table.ID, Old: table.State, Out: Object{}}
	if err := refreshRoutes(readCall); err != nil {
		return nil, err
	}
	out := c.lookupResult(table, "arn", "ownerId", "vpcId")
	out["routeTableId"], out["subnetId"], out["gatewayId"] = table.ID, "", ""
	routes, associations := []any{}, []any{}
	for _, route := range readCall.Out.Objects("routes") {
		result := map[string]any{}
		for _, name := range append([]string{"cidrBlock", "ipv6CidrBlock", "destinationPrefixListId", "instanceId"}, targetProps...) {
			result[name] = route.String(name)
		}
		routes = append(routes, result)
	}
	for _, subnet := range c.associatedSubnets(table.ID) {
		associations = append(associations, map[string]any{
			"main": false, "routeTableId": table.ID, "subnetId": subnet, "gatewayId": "", "routeTableAssociationId": "",
		})
	}
	out["routes"], out["associations"] = routes, associations
	return out, nil
}

// getInternetGateway implements the Pulumi function aws:ec2/getInternetGateway. Its source
// is ec2/vpc_internet_gateway_data_source.go of terraform-provider-aws.
func getInternetGateway(c *Call, in Object) (Object, error) {
	filters := in.Objects("filters")
	if in.Has("internetGatewayId") || in.Has("tags") || len(filters) != 1 || filters[0].String("name") != "attachment.vpc-id" {
		return nil, errors.New("the stand-in finds internet gateways by the filter attachment.vpc-id")
	}
	var found *store.Object
	c.Tx.Each(c.scope(rows[internetGatewayType]), internetGatewayType, func(o store.Object) bool {
		if slices.Contains(filters[0].Strings("values"), Object(o.State).String("vpcId")) {
			found = &o
		}
		return found == nil
	})
	if found == nil {
		return nil, errors.New("no matching EC2 Internet Gateway found")
	}
	out := c.lookupResult(*found, "arn", "ownerId")
	out["internetGatewayId"] = found.ID
	out["attachments"] = []any{map[string]any{"state": "available", "vpcId": Object(found.State).String("vpcId")}}
	return out, nil
}

// checkLookupKey returns an error unless property is the only input of a lookup.
func checkLookupKey(in Object, property string) error {
	if !in.Has(property) || len(in) > 1 {
		return fmt.Errorf("the stand-in looks this up by %s only, not by %v", property, slices.Sorted(maps.Keys(in)))
	}
	return nil
}

// lookupResult returns the id, the tags and the named properties of an object as the
// result of a Pulumi function. A property without a value is an empty string.
func (c *Call) lookupResult(o store.Object, properties ...string) Object {
	state := Object(o.State)
	tags := map[string]any{}
	maps.Copy(tags, state.Object("tagsAll"))
	out := Object{"id": o.ID, "tags": tags}
	for _, name := range properties {
		out[name] = wire.Clone(state[name])
		if state[name] == nil {
			out[name] = ""
		}
	}
	return out
}

package rules

import (
	"cmp"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const (
	routeTableType = "aws:ec2/routeTable:RouteTable"
	routeType      = "aws:ec2/route:Route"
	// routeTableAssociationType is a route table's association with a subnet.
	routeTableAssociationType = "aws:ec2/routeTableAssociation:RouteTableAssociation"
)

// References of routes. The gateways have no InUseCode, because AWS does not refuse to
// delete a gateway with routes. Such a route then drops its traffic.
var (
	toRouteTable        = &Ref{To: []string{routeTableType}, Noun: "routeTable ID", Missing: "InvalidRouteTableID.NotFound", DeletedWith: true}
	toInternetGateway   = &Ref{To: []string{internetGatewayType}, Noun: "gateway ID", Missing: "InvalidGatewayID.NotFound"}
	toEgressOnlyGateway = &Ref{To: []string{egressOnlyGatewayType}, Noun: "gateway ID", Missing: "InvalidGatewayID.NotFound"}
	toNAT               = &Ref{To: []string{natType}, Noun: "natGateway ID", Missing: "InvalidNatGatewayID.NotFound"}
)

// A route has exactly one of destinationProps and one of targetProps.
var (
	destinationProps = []string{"destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"}
	targetProps      = []string{
		"carrierGatewayId", "coreNetworkArn", "egressOnlyGatewayId", "gatewayId", "localGatewayId", "natGatewayId",
		"networkInterfaceId", "transitGatewayId", "vpcEndpointId", "vpcPeeringConnectionId",
	}
)

// unsupportedReference is the reason to refuse a property that refers to a type without rules.
const unsupportedReference = "the type to which it refers is not supported"

// routeTargetProps returns the property rules of a route's targets. The prefix is "" for a
// route, and "routes." for the inline routes of a route table.
func routeTargetProps(prefix string) Props {
	return Props{
		prefix + "gatewayId":              {Ref: toInternetGateway},
		prefix + "natGatewayId":           {Ref: toNAT},
		prefix + "vpcEndpointId":          {Refuse: "gateway load balancer endpoints are not supported"},
		prefix + "networkInterfaceId":     {Computed: true, Refuse: unsupportedReference},
		prefix + "carrierGatewayId":       {Refuse: unsupportedReference},
		prefix + "coreNetworkArn":         {Refuse: unsupportedReference},
		prefix + "egressOnlyGatewayId":    {Ref: toEgressOnlyGateway},
		prefix + "localGatewayId":         {Refuse: unsupportedReference},
		prefix + "transitGatewayId":       {Refuse: unsupportedReference},
		prefix + "vpcPeeringConnectionId": {Refuse: unsupportedReference},
	}
}

// with returns the property rules of p and of more. If several of them have a rule for
// the same path, the result has the last of these rules.
func (p Props) with(more ...Props) Props {
	out := maps.Clone(p)
	for _, rules := range more {
		maps.Copy(out, rules)
	}
	return out
}

var _ = registerRows(
	&Row{
		Token:  routeTableType,
		Source: "ec2/vpc_route_table.go", Page: "vpc/latest/userguide/VPC_Route_Tables.html",
		Label: "EC2 Route Table", ID: "rtb-{hex17}", NotFound: "InvalidRouteTableID.NotFound",
		Props: Props{
			"vpcId":                          {Replace: true, Ref: toVPC},
			"propagatingVgws":                {Set: true, Computed: true, Refuse: unsupportedReference},
			"routes":                         {Set: true, Computed: true},
			"routes.cidrBlock":               {Valid: cidr4(0, 32)},
			"routes.ipv6CidrBlock":           {Valid: cidr6(0, 128), Same: sameCIDR},
			"routes.destinationPrefixListId": {Refuse: "prefix lists are not supported"},
		}.with(routeTargetProps("routes.")),
		Outputs: map[string]string{
			"arn":     "arn:{partition}:ec2:{region}:{account}:route-table/{id}",
			"ownerId": "{account}",
		},
		Check: func(in Object, fail Fail) {
			for i, r := range in.Objects("routes") {
				for _, group := range [][]string{{"cidrBlock", "ipv6CidrBlock", "destinationPrefixListId"}, targetProps} {
					given := slices.DeleteFunc(slices.Clone(group), func(name string) bool { return !r.Has(name) })
					if len(given) != 1 {
						fail(fmt.Sprintf("routes[%d]", i), "exactly one of %s must be given", strings.Join(group, ", "))
					}
				}
			}
		},
		Verify:  verifyInlineRoutes,
		Refresh: refreshRoutes,
	},
	&Row{
		Token:  routeType,
		Source: "ec2/vpc_route.go", Page: "AWSEC2/latest/APIReference/API_CreateRoute.html",
		Label: "EC2 Route", NotFound: "InvalidRoute.NotFound",
		ExistsCode: "RouteAlreadyExists", ExistsText: "The route with this destination already exists in {routeTableId}.",
		Props: Props{
			"routeTableId":             {Replace: true, Ref: toRouteTable},
			"destinationCidrBlock":     {Replace: true, Valid: cidr4(0, 32)},
			"destinationIpv6CidrBlock": {Replace: true, Valid: cidr6(0, 128), Same: sameCIDR},
			"destinationPrefixListId":  {Replace: true, Refuse: "prefix lists are not supported"},
		}.with(routeTargetProps("")),
		ExactlyOne: [][]string{destinationProps, targetProps},
		NewID: func(c *Call) (string, error) {
			return routeID(c.In.String("routeTableId"), routeDestination(c.In)), nil
		},
		Outputs: map[string]string{"origin": "CreateRoute", "state": "active"},
		Verify:  verifyRoute,
	},
	&Row{
		Token:  routeTableAssociationType,
		Source: "ec2/vpc_route_table_association.go", Page: "AWSEC2/latest/APIReference/API_AssociateRouteTable.html",
		Label: "EC2 Route Table Association", ID: "rtbassoc-{hex17}", NotFound: "InvalidAssociationID.NotFound",
		Props: Props{
			"routeTableId": {Ref: toRouteTable},
			"subnetId": {Replace: true, Ref: &Ref{
				To: toSubnet.To, Noun: toSubnet.Noun, Missing: toSubnet.Missing, DeletedWith: true,
			}},
			"gatewayId": {Replace: true, Refuse: "edge associations are not supported yet"},
		},
		ExactlyOne: [][]string{{"subnetId", "gatewayId"}},
		Unique: []Unique{{
			Props: []string{"subnetId"}, Code: "Resource.AlreadyAssociated",
			Message: "the subnet {subnetId} is already associated with a route table",
		}},
		Verify: func(c *Call) error {
			table, _ := c.referencedObject("routeTableId")
			subnet, _ := c.referencedObject("subnetId")
			if tableVPC, subnetVPC := Object(table.State).String("vpcId"), Object(subnet.State).String("vpcId"); tableVPC != subnetVPC {
				return refuse("InvalidParameterValue", "route table %s and subnet %s belong to different networks", table.ID, subnet.ID)
			}
			return nil
		},
	},
)

// routeDestination returns the destination of a route or of an inline route, or "" if the
// destination is not a CIDR block.
func routeDestination(o Object) string {
	for _, name := range []string{"destinationCidrBlock", "destinationIpv6CidrBlock", "cidrBlock", "ipv6CidrBlock"} {
		if s := o.String(name); s != "" {
			return s
		}
	}
	return ""
}

// routeID returns the provider's id of a route: the table and a checksum of the
// destination.
func routeID(table, destination string) string {
	return fmt.Sprintf("r-%s%d", table, crc32.ChecksumIEEE([]byte(destination)))
}

// verifyRoute returns an error for a destination that has a route already, and for a
// target in another network.
func verifyRoute(c *Call) error {
	table, _ := c.referencedObject("routeTableId")
	destination := routeDestination(c.In)
	for _, r := range Object(table.State).Objects("routes") {
		if sameCIDR(routeDestination(r), destination) {
			return refuse("RouteAlreadyExists", "The route identified by %s already exists in %s.", destination, table.ID)
		}
	}
	return c.verifyRouteTarget(table, c.In, destination)
}

// verifyInlineRoutes returns an error if two inline routes of a table have the same destination.
// It also returns the errors of verifyRouteTarget for the inline routes.
func verifyInlineRoutes(c *Call) error {
	// verifyRouteTarget needs only the VPC of the table. The table's id stays empty here: it is
	// used only in error messages.
	table := store.Object{State: map[string]any{"vpcId": c.In.String("vpcId")}}
	var seen []string
	for i, r := range c.In.Objects("routes") {
		destination := routeDestination(r)
		if slices.ContainsFunc(seen, func(other string) bool { return sameCIDR(other, destination) }) {
			return refuse("RouteAlreadyExists", "The route identified by %s already exists (routes[%d]).", destination, i)
		}
		seen = append(seen, destination)
		if err := c.verifyRouteTarget(table, r, destination); err != nil {
			return err
		}
	}
	return nil
}

// verifyRouteTarget returns an error if a route's target does not exist, is in another VPC, or
// does not accept the destination. It also returns an error if the destination is a CIDR block
// of the VPC, because the local route has this destination. table is the route table with the
// route.
func (c *Call) verifyRouteTarget(table store.Object, route Object, destination string) error {
	vpcID := Object(table.State).String("vpcId")
	if vpc, ok := c.Tx.Get(store.Key{Scope: c.scope(c.Row), Type: vpcType, ID: vpcID}); ok {
		vpcState := Object(vpc.State)
		if sameCIDR(vpcState.String("cidrBlock"), destination) || sameCIDR(vpcState.String("ipv6CidrBlock"), destination) {
			return refuse("RouteAlreadyExists", "The route identified by %s already exists: it is the local route of %s.", destination, vpcID)
		}
	}
	if id := route.String("gatewayId"); id != "" {
		gateway, ok := c.resolve(toInternetGateway, id)
		if !ok {
			return refuse(toInternetGateway.Missing, "The gateway ID '%s' does not exist", id)
		}
		if otherVPC := Object(gateway.State).String("vpcId"); otherVPC != vpcID {
			return refuse("InvalidParameterValue", "route table %s and network gateway %s belong to different networks", table.ID, id)
		}
	}
	if id := route.String("egressOnlyGatewayId"); id != "" {
		gateway, ok := c.resolve(toEgressOnlyGateway, id)
		if !ok {
			return refuse(toEgressOnlyGateway.Missing, "The gateway ID '%s' does not exist", id)
		}
		if otherVPC := Object(gateway.State).String("vpcId"); otherVPC != vpcID {
			return refuse("InvalidParameterValue", "route table %s and network gateway %s belong to different networks", table.ID, id)
		}
		if !strings.Contains(destination, ":") {
			return refuse("InvalidParameterValue", "the IPv4 destination %s can't be routed to an egress-only internet gateway", destination)
		}
	}
	if id := route.String("natGatewayId"); id != "" {
		nat, ok := c.resolve(toNAT, id)
		if !ok {
			return refuse(toNAT.Missing, "The natGateway ID '%s' does not exist", id)
		}
		subnet, _ := c.resolve(toSubnet, Object(nat.State).String("subnetId"))
		if otherVPC := Object(subnet.State).String("vpcId"); otherVPC != vpcID {
			return refuse("InvalidParameterValue", "route table %s and NAT gateway %s belong to different networks", table.ID, id)
		}
		if strings.Contains(destination, ":") {
			return refuse("InvalidParameterValue", "the IPv6 destination %s can't be routed to a NAT gateway", destination)
		}
	}
	return nil
}

// refreshRoutes adds the routes that are separate resources to the routes of the table,
// because AWS returns both kinds of routes.
func refreshRoutes(c *Call) error {
	if c.Old == nil {
		return nil
	}
	routes := []any{}
	for _, r := range c.Old.Objects("routes") {
		if c.isInlineRoute(r) {
			routes = append(routes, map[string]any(r))
		}
	}
	c.Tx.Each(c.scope(c.Row), routeType, func(o store.Object) bool {
		route := Object(o.State)
		if route.String("routeTableId") != c.ID {
			return true
		}
		inline := map[string]any{}
		for routeProp, inlineProp := range map[string]string{
			"destinationCidrBlock": "cidrBlock", "destinationIpv6CidrBlock": "ipv6CidrBlock", "gatewayId": "gatewayId", "natGatewayId": "natGatewayId",
			"egressOnlyGatewayId": "egressOnlyGatewayId",
		} {
			if v := route.String(routeProp); v != "" {
				inline[inlineProp] = v
			}
		}
		routes = append(routes, inline)
		return true
	})
	slices.SortFunc(routes, func(a, b any) int { return cmp.Compare(canonicalText(a, sortLists), canonicalText(b, sortLists)) })
	if len(routes) > 0 || c.Out.Has("routes") {
		c.Out["routes"] = routes
	}
	return nil
}

// isInlineRoute reports whether a route of the table is an inline route and not a
// separate resource.
func (c *Call) isInlineRoute(r Object) bool {
	_, isResource := c.Tx.Get(store.Key{Scope: c.scope(c.Row), Type: routeType, ID: routeID(c.ID, routeDestination(r))})
	return !isResource
}

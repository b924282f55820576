package rules

import (
	"fmt"
	"net/netip"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// Types that several files use.
const (
	natType             = "aws:ec2/natGateway:NatGateway"
	internetGatewayType = "aws:ec2/internetGateway:InternetGateway"
	vpcEndpointType     = "aws:ec2/vpcEndpoint:VpcEndpoint"
)

// References that many EC2 types share.
var (
	toVPC = &Ref{
		To: []string{vpcType}, Noun: "vpc ID", Missing: "InvalidVpcID.NotFound", InUseCode: "DependencyViolation",
	}
	toSubnet = &Ref{
		To: []string{"aws:ec2/subnet:Subnet"}, Noun: "subnet ID", Missing: "InvalidSubnetID.NotFound", InUseCode: "DependencyViolation",
	}
	toSecurityGroup = &Ref{
		To: []string{"aws:ec2/securityGroup:SecurityGroup"}, Noun: "security group", Missing: "InvalidGroup.NotFound", InUseCode: "DependencyViolation",
	}
)

const vpcType = "aws:ec2/vpc:Vpc"

const noIPAM = "IPAM pools and bring-your-own addresses are not supported"

var _ = registerRows(
	&Row{
		Token:  vpcType,
		Source: "ec2/vpc_.go", Page: "vpc/latest/userguide/vpc-cidr-blocks.html",
		Label: "EC2 VPC", ID: "vpc-{hex17}", NotFound: "InvalidVpcID.NotFound",
		Props: Props{
			"cidrBlock":                        {Replace: true, Required: true, Valid: all(cidr4(16, 28), checkUsableForVPC)},
			"instanceTenancy":                  {Default: "default", Enum: []string{"default", "dedicated"}},
			"enableDnsSupport":                 {Default: true},
			"enableDnsHostnames":               {Computed: true},
			"enableNetworkAddressUsageMetrics": {Computed: true},
			"assignGeneratedIpv6CidrBlock":     {},
			"ipv4IpamPoolId":                   {Refuse: noIPAM},
			"ipv4NetmaskLength":                {Refuse: noIPAM},
			"ipv6CidrBlock":                    {Computed: true, Refuse: noIPAM},
			"ipv6IpamPoolId":                   {Refuse: noIPAM},
			"ipv6NetmaskLength":                {Refuse: noIPAM},
			"ipv6CidrBlockNetworkBorderGroup":  {Computed: true, Refuse: "Local Zones are not supported"},
		},
		Outputs: map[string]string{
			"arn":     "arn:{partition}:ec2:{region}:{account}:vpc/{id}",
			"ownerId": "{account}",
		},
		// The tenancy can be changed in place from dedicated to default only.
		ReplaceIf: func(old, in Object) []string {
			if in.String("instanceTenancy") == "dedicated" && old.String("instanceTenancy") != "dedicated" {
				return []string{"instanceTenancy"}
			}
			return nil
		},
		Fill: fillVPC,
		VolatileIf: func(old, in Object) []string {
			if old.Bool("assignGeneratedIpv6CidrBlock") == in.Bool("assignGeneratedIpv6CidrBlock") {
				return nil
			}
			return []string{"ipv6CidrBlock", "ipv6AssociationId"}
		},
	},
	&Row{
		Token:  "aws:ec2/subnet:Subnet",
		Source: "ec2/vpc_subnet.go", Page: "vpc/latest/userguide/subnet-sizing.html",
		Label: "EC2 Subnet", ID: "subnet-{hex17}", NotFound: "InvalidSubnetID.NotFound",
		Props: Props{
			"vpcId":                                   {Replace: true, Ref: toVPC},
			"cidrBlock":                               {Replace: true, Required: true, Valid: cidr4(16, 28)},
			"availabilityZone":                        {Replace: true, Computed: true},
			"availabilityZoneId":                      {Replace: true, Computed: true},
			"ipv6CidrBlock":                           {Computed: true, Valid: cidr6(64, 64)},
			"assignIpv6AddressOnCreation":             {Default: false},
			"enableDns64":                             {Default: false},
			"enableResourceNameDnsARecordOnLaunch":    {Default: false},
			"enableResourceNameDnsAaaaRecordOnLaunch": {Default: false},
			"mapPublicIpOnLaunch":                     {Default: false},
			"privateDnsHostnameTypeOnLaunch":          {Computed: true},
			"ipv6Native":                              {Replace: true, Default: false, Refuse: "IPv6-only subnets are not supported yet"},
			"customerOwnedIpv4Pool":                   {Refuse: "Outposts are not supported"},
			"enableLniAtDeviceIndex":                  {Refuse: "Outposts are not supported"},
			"mapCustomerOwnedIpOnLaunch":              {Refuse: "Outposts are not supported"},
			"outpostArn":                              {Refuse: "Outposts are not supported"},
		},
		AtMostOne: [][]string{{"availabilityZone", "availabilityZoneId"}},
		Outputs: map[string]string{
			"arn":     "arn:{partition}:ec2:{region}:{account}:subnet/{id}",
			"ownerId": "{account}",
		},
		Check: func(in Object, fail Fail) {
			for _, name := range []string{"assignIpv6AddressOnCreation", "enableDns64", "enableResourceNameDnsAaaaRecordOnLaunch"} {
				if in.Bool(name) && !in.Has("ipv6CidrBlock") {
					fail(name, "needs ipv6CidrBlock: the subnet has no IPv6 addresses")
				}
			}
		},
		Verify: verifySubnet,
		Fill:   fillSubnet,
	},
	&Row{
		Token:  internetGatewayType,
		Source: "ec2/vpc_internet_gateway.go", Page: "vpc/latest/userguide/VPC_Internet_Gateway.html",
		Label: "EC2 Internet Gateway", ID: "igw-{hex17}", NotFound: "InvalidInternetGatewayID.NotFound",
		Props: Props{"vpcId": {Computed: true, Ref: toVPC}},
		// For a change of the VPC, the provider detaches the gateway from the old VPC. So
		// the rules of a deletion apply.
		Verify: func(c *Call) error {
			if c.Old == nil || c.Old.String("vpcId") == c.In.String("vpcId") || !c.In.Has("vpcId") {
				return nil
			}
			return verifyGatewayUnused(c)
		},
		Unique: []Unique{{
			Props: []string{"vpcId"}, Code: "InvalidParameterValue",
			Message: "Network {vpcId} already has an internet gateway attached",
		}},
		Outputs: map[string]string{
			"arn":     "arn:{partition}:ec2:{region}:{account}:internet-gateway/{id}",
			"ownerId": "{account}",
		},
		BeforeDelete: verifyGatewayUnused,
	},
)

// checkUsableForVPC returns a message for a CIDR block that AWS does not allow for VPCs.
func checkUsableForVPC(v any) string {
	s, _ := v.(string)
	for _, reserved := range []string{"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4"} {
		if overlap(s, reserved) {
			return fmt.Sprintf("%q is in %s, which can't be used in a VPC", s, reserved)
		}
	}
	return ""
}

// fillVPC creates the objects that AWS creates with a VPC: the default security group and
// the main route table. It also sets the ids of the default network ACL and of the DHCP
// options. The stand-in has no objects for this network ACL and these options.
func fillVPC(c *Call) error {
	if c.In.Bool("assignGeneratedIpv6CidrBlock") && !c.Out.Has("ipv6CidrBlock") {
		digits, err := randomHex(4)
		if err != nil {
			return err
		}
		prefix, err := netip.ParsePrefix("2600:1f18:" + digits + ":0::/56")
		if err != nil {
			return err
		}
		association, err := randomHex(17)
		if err != nil {
			return err
		}
		c.Out["ipv6CidrBlock"] = prefix.Masked().String()
		c.Out["ipv6AssociationId"] = "vpc-cidr-assoc-" + association
		c.Out["ipv6CidrBlockNetworkBorderGroup"] = c.Region
	}
	if !c.In.Bool("assignGeneratedIpv6CidrBlock") {
		delete(c.Out, "ipv6CidrBlock")
		delete(c.Out, "ipv6AssociationId")
		delete(c.Out, "ipv6CidrBlockNetworkBorderGroup")
	}
	if c.Old != nil {
		return nil
	}
	for _, name := range []string{"enableDnsHostnames", "enableNetworkAddressUsageMetrics"} {
		if !c.Out.Has(name) {
			c.Out[name] = false
		}
	}
	ids := map[string]string{}
	for _, prefix := range []string{"sg-", "rtb-", "acl-", "dopt-"} {
		digits, err := randomHex(17)
		if err != nil {
			return err
		}
		ids[prefix] = prefix + digits
	}
	c.Out["defaultSecurityGroupId"] = ids["sg-"]
	c.Out["defaultRouteTableId"], c.Out["mainRouteTableId"] = ids["rtb-"], ids["rtb-"]
	c.Out["defaultNetworkAclId"] = ids["acl-"]
	c.Out["dhcpOptionsId"] = ids["dopt-"]
	tags := map[string]any{}
	if err := c.putOwned("aws:ec2/securityGroup:SecurityGroup", ids["sg-"], Object{
		"name": "default", "description": "default VPC security group", "vpcId": c.ID, "ownerId": c.Account, "tagsAll": tags,
		"arn": fmt.Sprintf("arn:%s:ec2:%s:%s:security-group/%s", c.Partition, c.Region, c.Account, ids["sg-"]),
	}); err != nil {
		return err
	}
	return c.putOwned("aws:ec2/routeTable:RouteTable", ids["rtb-"], Object{
		"vpcId": c.ID, "ownerId": c.Account, "tagsAll": tags, "routes": []any{},
		"arn": fmt.Sprintf("arn:%s:ec2:%s:%s:route-table/%s", c.Partition, c.Region, c.Account, ids["rtb-"]),
	})
}

// verifySubnet returns an error for a CIDR block that is outside of the VPC's block, or that
// overlaps another subnet. It also returns an error for an availability zone that the region
// does not have.
func verifySubnet(c *Call) error {
	vpc, _ := c.referencedObject("vpcId")
	block, ipv6Block := c.In.String("cidrBlock"), c.In.String("ipv6CidrBlock")
	vpcBlock, vpcIPv6Block := Object(vpc.State).String("cidrBlock"), Object(vpc.State).String("ipv6CidrBlock")
	if !inside(block, vpcBlock) {
		return refuse("InvalidSubnet.Range", "The CIDR '%s' is invalid: it is not inside the VPC's %s.", block, vpcBlock)
	}
	if ipv6Block != "" && !inside(ipv6Block, vpcIPv6Block) {
		return refuse("InvalidSubnet.Range", "The IPv6 CIDR '%s' is invalid: it is not inside the VPC's %q.", ipv6Block, vpcIPv6Block)
	}
	var conflict error
	c.Tx.Each(c.scope(c.Row), c.Row.Token, func(o store.Object) bool {
		other := Object(o.State)
		if o.ID == c.ID || other.String("vpcId") != vpc.ID {
			return true
		}
		if overlap(block, other.String("cidrBlock")) || (ipv6Block != "" && overlap(ipv6Block, other.String("ipv6CidrBlock"))) {
			conflict = refuse("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet: %s has %s", block, o.ID, other.String("cidrBlock"))
		}
		return conflict == nil
	})
	if conflict != nil {
		return conflict
	}
	name, id := c.In.String("availabilityZone"), c.In.String("availabilityZoneId")
	noSuchName, noSuchID := name != "" && c.zoneID(name) == "", id != "" && c.zoneName(id) == ""
	if noSuchName || noSuchID {
		return refuse("InvalidParameterValue", "Value (%s%s) for parameter availabilityZone is invalid. Subnets can currently only be created in "+
			"the following availability zones: %v.", name, id, c.zones())
	}
	return nil
}

// fillSubnet sets the name and the id of the availability zone, and the outputs that AWS
// chooses.
func fillSubnet(c *Call) error {
	name := c.Out.String("availabilityZone")
	if name == "" {
		name = c.zoneName(c.Out.String("availabilityZoneId"))
	}
	if name == "" {
		name = c.zones()[0].name
	}
	c.Out["availabilityZone"], c.Out["availabilityZoneId"] = name, c.zoneID(name)
	if !c.Out.Has("privateDnsHostnameTypeOnLaunch") {
		c.Out["privateDnsHostnameTypeOnLaunch"] = "ip-name"
	}
	if c.In.Has("ipv6CidrBlock") && !c.Out.Has("ipv6CidrBlockAssociationId") {
		digits, err := randomHex(17)
		if err != nil {
			return err
		}
		c.Out["ipv6CidrBlockAssociationId"] = "subnet-cidr-assoc-" + digits
	}
	return nil
}

// verifyGatewayUnused returns an error if public addresses of the VPC are in use
// (AWSEC2/latest/APIReference/API_DetachInternetGateway.html).
func verifyGatewayUnused(c *Call) error {
	var conflict error
	c.Tx.Each(c.scope(c.Row), natType, func(o store.Object) bool {
		nat := Object(o.State)
		subnet, ok := c.Tx.Get(store.Key{Scope: c.scope(c.Row), Type: "aws:ec2/subnet:Subnet", ID: nat.String("subnetId")})
		if ok && nat.String("connectivityType") == "public" && Object(subnet.State).String("vpcId") == c.Old.String("vpcId") {
			conflict = refuse("DependencyViolation", "Network %s has some mapped public address(es): NAT gateway %s. Please unmap those before "+
				"detaching the gateway.", c.Old.String("vpcId"), o.ID)
		}
		return conflict == nil
	})
	c.Tx.Each(c.scope(c.Row), loadBalancerType, func(o store.Object) bool {
		if b := Object(o.State); !b.Bool("internal") && b.String("vpcId") == c.Old.String("vpcId") {
			conflict = refuse("DependencyViolation", "Network %s has some mapped public address(es): load balancer %s. Please unmap those before "+
				"detaching the gateway.", c.Old.String("vpcId"), o.ID)
		}
		return conflict == nil
	})
	return conflict
}

package rules

import (
	"fmt"
	"net/netip"
	"strings"
)

const loadBalancerType = "aws:lb/loadBalancer:LoadBalancer"

// References to load balancers and to the buckets for their logs. Only application load
// balancers have rules. AWS deletes a load balancer together with its listeners.
var (
	toLoadBalancer = &Ref{To: []string{loadBalancerType}, Noun: "load balancer", Missing: "LoadBalancerNotFound", DeletedWith: true}
	toLogBucket    = &Ref{
		To: []string{bucketType}, By: []string{"bucket"}, Noun: "bucket", Missing: "InvalidConfigurationRequest",
	}
)

const networkLBOnly = "belongs to network and gateway load balancers, which are not supported yet"

var lbName = all(length(1, 32), pattern(`[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?`, "letters, digits and hyphens, not beginning or ending with a hyphen"))

// lbLogProps returns the property rules of a block that configures logs in a bucket, such as
// accessLogs. If a program omits the block, the provider keeps the block's old values.
func lbLogProps(block string) Props {
	return Props{
		block:              {Computed: true},
		block + ".bucket":  {Ref: toLogBucket},
		block + ".enabled": {Default: false},
		block + ".prefix":  {Valid: pattern(`[^/].*[^/]|[^/]`, "a prefix without a slash at its ends")},
	}
}

var _ = registerRows(&Row{
	Token:  loadBalancerType,
	Source: "elbv2/load_balancer.go", Page: "elasticloadbalancing/latest/application/application-load-balancers.html",
	Label: "ELBv2 application Load Balancer", NotFound: "LoadBalancerNotFound",
	ID:     "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/{hex16}",
	Naming: &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 32},
	Props: Props{
		"name":                                  {Replace: true, Computed: true, Valid: all(lbName, withoutPrefix("internal-"))},
		"namePrefix":                            {Replace: true, Computed: true, Valid: all(length(1, 6), pattern(`[0-9A-Za-z][0-9A-Za-z-]*`, "letters, digits and -"))},
		"loadBalancerType":                      {Replace: true, Default: "application", Enum: []string{"application"}},
		"internal":                              {Replace: true, Computed: true},
		"subnets":                               {Set: true, Computed: true, Ref: toSubnet},
		"securityGroups":                        {Set: true, Computed: true, Max: 5, Ref: toSecurityGroup},
		"ipAddressType":                         {Computed: true},
		"enableDeletionProtection":              {Default: false},
		"idleTimeout":                           {Default: 60.0, Valid: numbers(1, 4000)},
		"clientKeepAlive":                       {Default: 3600.0, Valid: numbers(60, 604800)},
		"enableHttp2":                           {Default: true},
		"dropInvalidHeaderFields":               {Default: false},
		"desyncMitigationMode":                  {Default: "defensive", Enum: []string{"monitor", "defensive", "strictest"}},
		"xffHeaderProcessingMode":               {Default: "append", Enum: []string{"append", "preserve", "remove"}},
		"enableXffClientPort":                   {Default: false},
		"preserveHostHeader":                    {Default: false},
		"enableWafFailOpen":                     {Default: false},
		"enableZonalShift":                      {Default: false},
		"subnetMappings":                        {Set: true, Computed: true, Refuse: "fixed addresses are for network load balancers; use subnets"},
		"customerOwnedIpv4Pool":                 {Replace: true, Refuse: "Outposts are not supported"},
		"ipamPools":                             {Refuse: noIPAM},
		"minimumLoadBalancerCapacity":           {Refuse: "reserved capacity is not supported yet"},
		"enableCrossZoneLoadBalancing":          {Refuse: "it is always on"},
		"dnsRecordClientRoutingPolicy":          {Refuse: networkLBOnly},
		"enableTlsVersionAndCipherSuiteHeaders": {Default: false},
		"enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": {Computed: true, Refuse: networkLBOnly},
	}.with(lbLogProps("accessLogs")).with(lbLogProps("connectionLogs")),
	ExactlyOne: [][]string{{"subnets", "subnetMappings"}},
	AtMostOne:  [][]string{{"name", "namePrefix"}},
	Unique: []Unique{{
		Props: []string{"name"}, Code: "DuplicateLoadBalancerName", Message: "A load balancer with the same name '{name}' exists",
	}},
	Outputs: map[string]string{"arn": "{id}"},
	Verify:  verifyLoadBalancer,
	Fill:    fillLoadBalancer,
	BeforeDelete: func(c *Call) error {
		if c.Old.Bool("enableDeletionProtection") {
			return refuse("OperationNotPermitted", "Load balancer '%s' cannot be deleted because deletion protection is enabled", c.ID)
		}
		return nil
	},
})

// verifyLoadBalancer checks the subnets and the security groups of a load balancer
// (elasticloadbalancing/latest/application/load-balancer-subnets.html). The errors about
// zones are from public logs. The other error codes were not checked against AWS's
// documentation.
func verifyLoadBalancer(c *Call) error {
	vpcID, subnetIDByZone := "", map[string]string{}
	for _, subnet := range c.referencedObjects("subnets") {
		s := Object(subnet.State)
		cidrBlock, err := netip.ParsePrefix(s.String("cidrBlock"))
		switch otherSubnetID, exists := subnetIDByZone[s.String("availabilityZone")]; {
		case err != nil:
			return err
		case vpcID != "" && s.String("vpcId") != vpcID:
			return refuse("InvalidConfigurationRequest", "The subnets must be in one VPC: %s is in %s", subnet.ID, s.String("vpcId"))
		case exists:
			return refuse("InvalidConfigurationRequest", "A load balancer cannot be attached to multiple subnets in the same Availability Zone: %s and %s",
				otherSubnetID, subnet.ID)
		case cidrBlock.Bits() > 27:
			return refuse("InvalidSubnet", "Not enough IP space available in %s: a load balancer needs a /27, the subnet has %s", subnet.ID, cidrBlock)
		case strings.HasPrefix(c.In.String("ipAddressType"), "dualstack") && s.String("ipv6CidrBlock") == "":
			return refuse("InvalidSubnet", "The subnet %s has no IPv6 CIDR block, which %s needs", subnet.ID, c.In.String("ipAddressType"))
		}
		vpcID, subnetIDByZone[s.String("availabilityZone")] = s.String("vpcId"), subnet.ID
	}
	if len(subnetIDByZone) < 2 {
		return refuse("ValidationError", "At least two subnets in two different Availability Zones must be specified")
	}
	for _, group := range c.referencedObjects("securityGroups") {
		if Object(group.State).String("vpcId") != vpcID {
			return refuse("InvalidConfigurationRequest", "One or more security groups are invalid: %s is not in %s", group.ID, vpcID)
		}
	}
	if c.In.Bool("internal") {
		if c.In.String("ipAddressType") == "dualstack-without-public-ipv4" {
			return refuse("ValidationError", "dualstack-without-public-ipv4 is for internet-facing load balancers")
		}
		return nil
	}
	if !c.hasInternetGateway(vpcID) {
		return refuse("InvalidSubnet", "VPC %s has no internet gateway; let the load balancer depend on it", vpcID)
	}
	return nil
}

// fillLoadBalancer computes the outputs of a load balancer, such as its DNS name.
func fillLoadBalancer(c *Call) error {
	subnets := c.referencedObjects("subnets")
	vpcID := Object(subnets[0].State).String("vpcId")
	mappings := make([]any, len(subnets))
	for i, subnet := range subnets {
		mappings[i] = map[string]any{"subnetId": subnet.ID}
	}
	c.Out["subnetMappings"] = mappings
	for _, block := range []string{"accessLogs", "connectionLogs"} {
		c.Out[block] = addDefaults(c.Out.Object(block), map[string]any{"bucket": "", "enabled": false})
	}
	if c.Old != nil {
		return nil
	}
	vpc, _ := c.resolve(toVPC, vpcID)
	c.Out.setDefaults(map[string]any{
		"internal": false, "ipAddressType": "ipv4", "securityGroups": []any{Object(vpc.State).String("defaultSecurityGroupId")},
	})
	offset, err := randomBelow(9_000_000_000) // the host name has a number of ten digits
	if err != nil {
		return err
	}
	host := fmt.Sprintf("%s-%d.%s.elb.amazonaws.com", c.Out.String("name"), 1_000_000_000+offset, c.Region)
	if c.Out.Bool("internal") {
		host = "internal-" + host
	}
	c.Out["vpcId"], c.Out["dnsName"], c.Out["zoneId"] = vpcID, host, lbZoneIDs[c.Region]
	_, c.Out["arnSuffix"], _ = strings.Cut(c.ID, ":loadbalancer/")
	return nil
}

// hasInternetGateway reports whether a VPC of the provider's region has an internet
// gateway.
func (c *Call) hasInternetGateway(vpcID string) bool { return c.hasGatewayIn(c.Region, vpcID) }

// lbZoneIDs maps a region to the id of the hosted zone of its application load balancers:
// elbv2/hosted_zone_id_data_source.go of terraform-provider-aws.
var lbZoneIDs = map[string]string{
	"us-east-1": "Z35SXDOTRQ7X7K", "us-east-2": "Z3AADJGX6KTTL2", "us-west-2": "Z1H1FL5HABSF5", "ca-central-1": "ZQSVJUPU6J1EY",
	"eu-central-1": "Z215JYRZR1TBD5", "eu-west-1": "Z32O12XQLNTSW2", "eu-west-2": "ZHURV8PSTC4K8", "eu-west-3": "Z3Q77PNBQS71R4",
	"eu-north-1": "Z23TAZ6LKFMNIO", "ap-south-1": "ZP97RAFLXTNZK", "ap-northeast-1": "Z14GRHDCWA56QT", "ap-northeast-2": "ZWKZPGTI48KDX",
	"ap-southeast-1": "Z1LMS91P8CMLE5", "ap-southeast-2": "Z1GM3OXH4ZPM65", "sa-east-1": "Z2P70J7HTTTPLU",
}

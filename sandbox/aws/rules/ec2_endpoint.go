package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// The AWS services with endpoints in a VPC, without the prefix com.amazonaws.REGION
// (vpc/latest/privatelink/aws-services-privatelink-support.html and
// gateway-endpoints.html).
var (
	gatewayServices   = []string{"s3", "dynamodb"}
	interfaceServices = []string{
		"autoscaling", "ec2", "ec2messages", "ecr.api", "ecr.dkr", "eks", "eks-auth", "elasticache", "elasticloadbalancing", "kms", "logs",
		"monitoring", "rds", "s3", "secretsmanager", "sns", "sqs", "ssm", "ssmmessages", "sts", "xray",
	}
)

var _ = registerRows(
	&Row{
		Token:  vpcEndpointType,
		Source: "ec2/vpc_endpoint.go", Page: "AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html",
		Label: "EC2 VPC Endpoint", ID: "vpce-{hex17}", NotFound: "InvalidVpcEndpointId.NotFound",
		Props: Props{
			"vpcId":             {Replace: true, Ref: toVPC},
			"serviceName":       {Replace: true, Required: true},
			"vpcEndpointType":   {Replace: true, Default: "Gateway", Enum: []string{"Gateway", "Interface"}},
			"policy":            {Computed: true, JSON: true, Valid: checkEndpointPolicy},
			"privateDnsEnabled": {Computed: true},
			"routeTableIds": {Set: true, Computed: true, Ref: &Ref{
				To: []string{routeTableType}, Noun: "routeTable ID", Missing: "InvalidRouteTableId.NotFound",
			}},
			"securityGroupIds":           {Set: true, Computed: true, Ref: toSecurityGroup},
			"subnetIds":                  {Set: true, Computed: true, Ref: toSubnet},
			"ipAddressType":              {Computed: true, Enum: []string{"ipv4"}},
			"autoAccept":                 {},
			"dnsOptions":                 {Computed: true},
			"dnsOptions.dnsRecordIpType": {Computed: true, Enum: []string{"ipv4"}},
			"serviceRegion":              {Replace: true, Computed: true, Refuse: "endpoints into other regions are not supported yet"},
			"subnetConfigurations":       {Set: true, Computed: true, Refuse: "fixed addresses of endpoints are not supported yet"},
			"resourceConfigurationArn":   {Replace: true, Refuse: unsupportedReference},
			"serviceNetworkArn":          {Replace: true, Refuse: unsupportedReference},
			"dnsOptions.privateDnsOnlyForInboundResolverEndpoint": {Refuse: "Route 53 resolver endpoints are not supported"},
		},
		Check:   checkEndpoint,
		Verify:  verifyEndpoint,
		Fill:    fillEndpoint,
		Outputs: map[string]string{"arn": "arn:{partition}:ec2:{region}:{account}:vpc-endpoint/{id}", "ownerId": "{account}", "state": "available"},
		ReplaceIf: func(old, in Object) []string {
			changed := in.Has("privateDnsEnabled") && in.Bool("privateDnsEnabled") != old.Bool("privateDnsEnabled")
			if changed && in.String("vpcEndpointType") != "Interface" {
				return []string{"privateDnsEnabled"}
			}
			return nil
		},
	},
	&Row{
		Token:  "aws:ec2/flowLog:FlowLog",
		Source: "ec2/vpc_flow_log.go", Page: "AWSEC2/latest/APIReference/API_CreateFlowLogs.html",
		Label: "EC2 Flow Log", ID: "fl-{hex17}", NotFound: "InvalidFlowLogId.NotFound",
		Props: Props{
			"vpcId":                      {Replace: true, Ref: &Ref{To: toVPC.To, Noun: toVPC.Noun, Missing: toVPC.Missing, DeletedWith: true}},
			"subnetId":                   {Replace: true, Ref: &Ref{To: toSubnet.To, Noun: toSubnet.Noun, Missing: toSubnet.Missing, DeletedWith: true}},
			"trafficType":                {Replace: true, Required: true},
			"logDestinationType":         {Replace: true, Default: "cloud-watch-logs", Enum: []string{"cloud-watch-logs"}},
			"logDestination":             {Replace: true, Required: true, Valid: checkARN, Ref: toLogGroup},
			"iamRoleArn":                 {Replace: true, Required: true, Valid: checkARN, Ref: toRoleARN},
			"logFormat":                  {Replace: true, Computed: true},
			"maxAggregationInterval":     {Replace: true, Default: 600.0, Valid: oneOf(60, 600)},
			"logGroupName":               {Replace: true, Refuse: "deprecated; use logDestination"},
			"destinationOptions":         {Replace: true, Refuse: "flow logs to S3 are not supported yet"},
			"deliverCrossAccountRole":    {Replace: true, Refuse: "other accounts are not supported"},
			"eniId":                      {Replace: true, Refuse: unsupportedReference},
			"transitGatewayId":           {Replace: true, Refuse: unsupportedReference},
			"transitGatewayAttachmentId": {Replace: true, Refuse: unsupportedReference},
		},
		ExactlyOne: [][]string{{"vpcId", "subnetId", "eniId", "transitGatewayId", "transitGatewayAttachmentId"}},
		Unique: []Unique{
			{Props: []string{"vpcId", "logDestination", "trafficType"}, Code: "FlowLogAlreadyExists", Message: sameFlowLogMessage},
			{Props: []string{"subnetId", "logDestination", "trafficType"}, Code: "FlowLogAlreadyExists", Message: sameFlowLogMessage},
		},
		Outputs: map[string]string{"arn": "arn:{partition}:ec2:{region}:{account}:vpc-flow-log/{id}"},
		Verify: func(c *Call) error {
			role, _ := c.referencedObject("iamRoleArn")
			if !trusts(role, "vpc-flow-logs.amazonaws.com") {
				return refuse("InvalidParameter", "Unable to assume given IAM role: %s does not trust vpc-flow-logs.amazonaws.com", c.In.String("iamRoleArn"))
			}
			return nil
		},
		Fill: func(c *Call) error {
			if !c.Out.Has("logFormat") {
				c.Out["logFormat"] = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} " +
					"${bytes} ${start} ${end} ${action} ${log-status}"
			}
			return nil
		},
	},
)

const sameFlowLogMessage = "Error. There is an existing Flow Log with the same configuration and log destination."

// checkEndpointPolicy returns a message unless v is a valid resource policy.
func checkEndpointPolicy(v any) string {
	s, _ := v.(string)
	return checkPolicy(s, resourcePolicy)
}

// checkEndpoint reports failures for properties that the endpoint's type does not have.
func checkEndpoint(in Object, fail Fail) {
	if in.Has("vpcEndpointType") && !in.Known("vpcEndpointType") {
		return
	}
	if in.String("vpcEndpointType") == "Interface" {
		if in.Has("routeTableIds") {
			fail("routeTableIds", "interface endpoints have no route tables; they have subnets")
		}
		return
	}
	for _, name := range []string{"subnetIds", "securityGroupIds", "ipAddressType", "dnsOptions"} {
		if in.Has(name) {
			fail(name, "gateway endpoints have route tables only")
		}
	}
	if in.Bool("privateDnsEnabled") {
		fail("privateDnsEnabled", "gateway endpoints have no private DNS")
	}
}

// endpointServiceName returns the AWS service in the name of an endpoint service, such as s3 for
// com.amazonaws.us-east-1.s3. It returns "" for an endpoint service of another region.
func (c *Call) endpointServiceName(name string) string {
	service, ok := strings.CutPrefix(name, "com.amazonaws."+c.Region+".")
	if !ok {
		return ""
	}
	return service
}

// verifyEndpoint returns an error for a service that does not exist, and for an
// endpoint that conflicts with another endpoint. Two gateway endpoints of a service conflict if
// they have the same route table. verifyInterfaceEndpoint checks an interface endpoint.
func verifyEndpoint(c *Call) error {
	name := c.In.String("serviceName")
	service := c.endpointServiceName(name)
	supported := gatewayServices
	if c.In.String("vpcEndpointType") == "Interface" {
		supported = interfaceServices
	}
	if !slices.Contains(supported, service) {
		return refuse("InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist (the stand-in supports com.amazonaws.%s. with %s)",
			name, c.Region, strings.Join(supported, ", "))
	}
	if c.In.String("vpcEndpointType") == "Interface" {
		return verifyInterfaceEndpoint(c)
	}
	for _, table := range c.referencedObjects("routeTableIds") {
		var conflict error
		c.Tx.Each(c.scope(c.Row), c.Row.Token, func(o store.Object) bool {
			other := Object(o.State)
			if o.ID != c.ID && other.String("serviceName") == name && slices.Contains(other.Strings("routeTableIds"), table.ID) {
				conflict = refuse("RouteAlreadyExists", "route table %s already has a route to %s, by %s", table.ID, name, o.ID)
			}
			return conflict == nil
		})
		if conflict != nil {
			return conflict
		}
	}
	return nil
}

// verifyInterfaceEndpoint returns an error if the subnets or the private DNS of an interface
// endpoint are not valid.
func verifyInterfaceEndpoint(c *Call) error {
	vpc, _ := c.referencedObject("vpcId")
	subnetOfZone := map[string]string{} // an endpoint can have only one subnet in a zone
	for _, subnet := range c.referencedObjects("subnetIds") {
		s := Object(subnet.State)
		if s.String("vpcId") != vpc.ID {
			return refuse("InvalidParameter", "The subnet %s does not belong to %s", subnet.ID, vpc.ID)
		}
		if otherID, ok := subnetOfZone[s.String("availabilityZone")]; ok {
			return refuse("DuplicateSubnetsInSameZone", "Found another VPC endpoint subnet in the availability zone of %s: %s", subnet.ID, otherID)
		}
		subnetOfZone[s.String("availabilityZone")] = subnet.ID
	}
	if !c.In.Bool("privateDnsEnabled") {
		return nil
	}
	vpcState := Object(vpc.State)
	if !vpcState.Bool("enableDnsSupport") || !vpcState.Bool("enableDnsHostnames") {
		return refuse("InvalidParameter", "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for %s", vpc.ID)
	}
	var conflict error
	c.Tx.Each(c.scope(c.Row), c.Row.Token, func(o store.Object) bool {
		other := Object(o.State)
		sameService := other.String("vpcId") == vpc.ID && other.String("serviceName") == c.In.String("serviceName")
		if o.ID != c.ID && sameService && other.Bool("privateDnsEnabled") {
			conflict = refuse("InvalidParameter", "private-dns-enabled cannot be set because there is already a conflicting DNS domain for %s in the VPC %s, by %s",
				c.In.String("serviceName"), vpc.ID, o.ID)
		}
		return conflict == nil
	})
	return conflict
}

// fillEndpoint computes the outputs of an endpoint, with a network interface for each
// subnet.
func fillEndpoint(c *Call) error {
	c.Out["requesterManaged"] = false
	if !c.Out.Has("policy") {
		c.Out["policy"] = `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}],"Version":"2008-10-17"}`
	}
	if !c.Out.Has("privateDnsEnabled") {
		c.Out["privateDnsEnabled"] = false
	}
	c.Out["serviceRegion"] = c.Region
	if c.In.String("vpcEndpointType") != "Interface" {
		c.Out["prefixListId"] = c.prefixListID(c.In.String("serviceName")) // the prefix list and the service have the same name
		return nil
	}
	if !c.Out.Has("ipAddressType") {
		c.Out["ipAddressType"] = "ipv4"
	}
	vpc, _ := c.referencedObject("vpcId")
	if len(c.Out.Strings("securityGroupIds")) == 0 {
		c.Out["securityGroupIds"] = []any{Object(vpc.State).String("defaultSecurityGroupId")}
	}
	subnetCount := len(c.Out.Strings("subnetIds"))
	interfaces, _ := c.Out["networkInterfaceIds"].([]any)
	for len(interfaces) < subnetCount {
		digits, err := randomHex(17)
		if err != nil {
			return err
		}
		interfaces = append(interfaces, "eni-"+digits)
	}
	c.Out["networkInterfaceIds"] = append([]any{}, interfaces[:subnetCount]...)
	if c.Old == nil {
		return fillEndpointDNS(c)
	}
	return nil
}

// fillEndpointDNS computes the DNS names of an interface endpoint.
func fillEndpointDNS(c *Call) error {
	zoneID, err := randomID(13)
	if err != nil {
		return err
	}
	suffix, err := randomHex(8)
	if err != nil {
		return err
	}
	service := c.endpointServiceName(c.In.String("serviceName"))
	// In DNS, the labels of a service's name are reversed, as in api.ecr for ecr.api.
	labels := strings.Split(service, ".")
	slices.Reverse(labels)
	host := strings.Join(labels, ".") + "." + c.Region
	entries := []any{map[string]any{
		"dnsName": fmt.Sprintf("%s-%s.%s.vpce.amazonaws.com", c.ID, suffix, host), "hostedZoneId": "Z" + zoneID,
	}}
	if c.In.Bool("privateDnsEnabled") {
		entries = append(entries, map[string]any{"dnsName": host + ".amazonaws.com", "hostedZoneId": "ZONEIDPENDING"})
	}
	c.Out["dnsEntries"] = entries
	return nil
}

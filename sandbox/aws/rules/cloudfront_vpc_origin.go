package rules

import (
	"fmt"
	"slices"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const vpcOriginType = "aws:cloudfront/vpcOrigin:VpcOrigin"

// vpcOriginGroupName is the name of the security group that CloudFront creates in a VPC
// together with the first VPC origin
// (AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html).
const vpcOriginGroupName = "CloudFront-VPCOrigins-Service-SG"

// originConfigProp is the property with the settings of a VPC origin. inUseDelete and inUseUpdate
// are CloudFront's error codes for an origin that a distribution uses.
const (
	originConfigProp = "vpcOriginEndpointConfig"
	inUseDelete      = "CannotDeleteEntityWhileInUse"
	inUseUpdate      = "CannotUpdateEntityWhileInUse"
)

var (
	// toVPCOrigin is the reference of a distribution's origin to a VPC origin.
	toVPCOrigin = &Ref{To: []string{vpcOriginType}, Noun: "VPC origin", Missing: "EntityNotFound", InUseCode: inUseDelete}
	// toOriginBalancer is the reference of a VPC origin to its load balancer. The
	// stand-in does not support Network Load Balancers and instances as origins yet.
	// InUseCode was not checked against AWS's documentation.
	toOriginBalancer = &Ref{To: []string{loadBalancerType}, Noun: "load balancer", Missing: cloudfrontInvalidArgument, InUseCode: "ResourceInUse"}
)

var _ = registerRows(&Row{
	Token:  vpcOriginType,
	Source: "cloudfront/vpc_origin.go", Page: "AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html",
	Label: "CloudFront VPC Origin", Global: true, ID: "vo_{id22}", NotFound: "EntityNotFound",
	Props: Props{
		originConfigProp:                                  {Required: true},
		originConfigProp + ".arn":                         {Valid: checkARN, Ref: toOriginBalancer},
		originConfigProp + ".name":                        {Valid: length(1, 64)},
		originConfigProp + ".httpPort":                    {Valid: numbers(1, 65535)},
		originConfigProp + ".httpsPort":                   {Valid: numbers(1, 65535)},
		originConfigProp + ".originProtocolPolicy":        {Enum: []string{"http-only", "https-only", "match-viewer"}},
		originConfigProp + ".originSslProtocols":          {Required: true},
		originConfigProp + ".originSslProtocols.items":    {Set: true, Min: 1, Enum: []string{"SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2"}},
		originConfigProp + ".originSslProtocols.quantity": {},
		"timeouts": {Refuse: "the stand-in creates and deletes at once"},
	},
	Outputs:  map[string]string{"arn": cloudfrontARN + "vpcorigin/{id}", "etag": "E{id13}"},
	Volatile: []string{"etag"},
	Check: func(in Object, fail Fail) {
		protocols := in.Object(originConfigProp).Object("originSslProtocols")
		if n := len(protocols.Strings("items")); protocols.Known("items") && protocols.Known("quantity") && protocols.Int("quantity") != n {
			fail(originConfigProp+".originSslProtocols.quantity", "is %d, must be the number of items, %d", protocols.Int("quantity"), n)
		}
	},
	Verify:       verifyVPCOrigin,
	Fill:         fillVPCOrigin,
	BeforeDelete: beforeDeleteVPCOrigin,
})

// zonesWithoutVPCOrigins are the ids of availability zones without VPC origins
// (private-content-vpc-origins.html, "Supported AWS Regions for VPC origins"). The zone of
// us-east-1 is from public notes of 2026. AWS does not document whether CloudFront refuses an
// origin in such a zone; the stand-in refuses the origin.
var zonesWithoutVPCOrigins = []string{"use1-az3"}

// verifyVPCOrigin returns an error for a load balancer that cannot be a VPC origin
// (private-content-vpc-origins.html, "Prerequisites"). It also returns an error for a
// change while a distribution uses the VPC origin (API_UpdateVpcOrigin). AWS does not
// document whether two VPC origins may have the same name; the stand-in refuses that.
func verifyVPCOrigin(c *Call) error {
	config := c.In.Object(originConfigProp)
	if c.Old != nil && canonicalText(map[string]any(config), sortLists) != canonicalText(map[string]any(c.Old.Object(originConfigProp)), sortLists) {
		if distributionID := c.distributionUsing(c.ID); distributionID != "" {
			return refuse(inUseUpdate, "The entity cannot be updated while it is in use: the distribution %s uses it", distributionID)
		}
	}
	balancer, ok := c.referencedObject(originConfigProp + ".arn")
	if !ok {
		return nil
	}
	state := Object(balancer.State)
	if !state.Bool("internal") {
		return refuse(cloudfrontInvalidArgument, "The load balancer %s is internet-facing; a VPC origin is internal, in private subnets", balancer.ID)
	}
	if !c.hasGatewayIn(balancer.Region, state.String("vpcId")) {
		return refuse(cloudfrontInvalidArgument, "VPC %s has no internet gateway, which a VPC origin needs although no traffic uses it", state.String("vpcId"))
	}
	for _, id := range state.Strings("subnets") {
		subnet, _ := c.Tx.Get(store.Key{Scope: balancer.Scope, Type: toSubnet.To[0], ID: id})
		if zone := Object(subnet.State).String("availabilityZoneId"); slices.Contains(zonesWithoutVPCOrigins, zone) {
			return refuse(cloudfrontInvalidArgument, "The load balancer %s has a subnet in %s, where CloudFront has no VPC origins", balancer.ID, zone)
		}
	}
	var conflict error
	c.Tx.Each(c.scope(c.Row), vpcOriginType, func(o store.Object) bool {
		if o.ID != c.ID && Object(o.State).Object(originConfigProp).String("name") == config.String("name") {
			conflict = refuse("EntityAlreadyExists", "The entity already exists: the VPC origin %s has the name %s", o.ID, config.String("name"))
		}
		return conflict == nil
	})
	return conflict
}

// fillVPCOrigin creates CloudFront's security group in the VPC, unless the group already
// exists because of an earlier VPC origin. The owner of the group is the VPC, because no
// program created the group.
func fillVPCOrigin(c *Call) error {
	balancer, ok := c.referencedObject(originConfigProp + ".arn")
	if !ok {
		return nil
	}
	vpcID, scope := Object(balancer.State).String("vpcId"), balancer.Scope
	if _, exists := c.cloudFrontGroup(scope, vpcID); exists {
		return nil
	}
	digits, err := randomHex(17)
	if err != nil {
		return err
	}
	id := "sg-" + digits
	c.Tx.Put(store.Object{
		Key: store.Key{Scope: scope, Type: securityGroupType, ID: id}, Owner: vpcID, Created: c.Now().UTC(),
		State: Object{
			"name": vpcOriginGroupName, "description": "Created by CloudFront", "vpcId": vpcID, "ownerId": c.Account, "tagsAll": map[string]any{},
			"arn": fmt.Sprintf("arn:%s:ec2:%s:%s:security-group/%s", c.Partition, scope.Region, c.Account, id),
		},
	})
	return nil
}

// beforeDeleteVPCOrigin deletes CloudFront's security group before the last VPC origin of a VPC
// is deleted. AWS does not document whether this deletion succeeds while a security group
// rule refers to the group. The stand-in refuses it, so the rule must be deleted first.
func beforeDeleteVPCOrigin(c *Call) error {
	if distributionID := c.distributionUsing(c.ID); distributionID != "" {
		return nil // verifyNotReferenced refuses the deletion
	}
	balancer, ok := c.resolve(toOriginBalancer, c.Old.Object(originConfigProp).String("arn"))
	if !ok {
		return nil
	}
	vpcID := Object(balancer.State).String("vpcId")
	groupStillUsed := false // by another VPC origin in the VPC
	c.Tx.Each(c.scope(c.Row), vpcOriginType, func(o store.Object) bool {
		otherBalancer, _ := c.resolve(toOriginBalancer, Object(o.State).Object(originConfigProp).String("arn"))
		groupStillUsed = o.ID != c.ID && Object(otherBalancer.State).String("vpcId") == vpcID
		return !groupStillUsed
	})
	group, exists := c.cloudFrontGroup(balancer.Scope, vpcID)
	if groupStillUsed || !exists {
		return nil
	}
	for _, token := range []string{ingressRuleType, egressRuleType} {
		var ruleID string
		c.Tx.Each(balancer.Scope, token, func(o store.Object) bool {
			if Object(o.State).String("referencedSecurityGroupId") == group.ID {
				ruleID = o.ID
			}
			return ruleID == ""
		})
		if ruleID != "" {
			return refuse(inUseDelete, "the rule %s names %s, the group that CloudFront deletes with its last VPC origin in %s", ruleID, group.ID, vpcID)
		}
	}
	c.Tx.Delete(group.Key)
	return nil
}

// cloudFrontGroup returns the security group that CloudFront created in a VPC; ok is false if
// there is no such group.
func (c *Call) cloudFrontGroup(scope store.Scope, vpcID string) (found store.Object, ok bool) {
	c.Tx.Each(scope, securityGroupType, func(o store.Object) bool {
		found, ok = o, o.State["name"] == vpcOriginGroupName && o.State["vpcId"] == vpcID
		return !ok
	})
	return found, ok
}

// distributionUsing returns the id of a distribution that uses a VPC origin, or "" if no
// distribution uses it.
func (c *Call) distributionUsing(vpcOriginID string) (distributionID string) {
	c.Tx.Each(c.scope(rows[distributionType]), distributionType, func(o store.Object) bool {
		for _, origin := range Object(o.State).Objects("origins") {
			if origin.Object("vpcOriginConfig").String("vpcOriginId") == vpcOriginID {
				distributionID = o.ID
			}
		}
		return distributionID == ""
	})
	return distributionID
}

// verifyVPCOriginReachable returns an error if the VPC origin of a distribution cannot serve
// any request. AWS accepts such a distribution, but its users get 502 or 504. The causes are:
//
//   - no listener at the port
//   - a certificate that does not cover the origin's domain name
//     (AmazonCloudFront/latest/DeveloperGuide/http-502-bad-gateway.html)
//   - no security group of the load balancer that allows CloudFront's group
func verifyVPCOriginReachable(c *Call, origin Object) error {
	vpcOrigin, ok := c.resolve(toVPCOrigin, origin.Object("vpcOriginConfig").String("vpcOriginId"))
	if !ok {
		return nil
	}
	config := Object(vpcOrigin.State).Object(originConfigProp)
	balancer, ok := c.resolve(toOriginBalancer, config.String("arn"))
	if !ok {
		return nil
	}
	port, protocol := config.Int("httpsPort"), "HTTPS"
	if config.String("originProtocolPolicy") == "http-only" {
		port, protocol = config.Int("httpPort"), "HTTP"
	}
	var listener Object
	c.Tx.Each(balancer.Scope, listenerType, func(o store.Object) bool {
		if l := Object(o.State); l.String("loadBalancerArn") == balancer.ID && l.Int("port") == port && l.String("protocol") == protocol {
			listener = l
		}
		return listener == nil
	})
	if listener == nil {
		return refuse("502 Bad Gateway", "the VPC origin %s has no listener for %s at port %d of %s", vpcOrigin.ID, protocol, port, balancer.ID)
	}
	if certificate, known := c.resolve(toCertificate, listener.String("certificateArn")); protocol == "HTTPS" && known {
		names := append(Object(certificate.State).Strings("subjectAlternativeNames"), Object(certificate.State).String("domainName"))
		if host := origin.String("domainName"); !slices.ContainsFunc(names, func(name string) bool { return coversName(name, host) }) {
			return refuse("502 Bad Gateway", "the certificate %s of the listener does not cover %s, the domain name of the origin", certificate.ID, host)
		}
	}
	if !c.allowsCloudFront(balancer, port) {
		return refuse("504 Gateway Timeout", "no security group of %s allows %s at port %d", balancer.ID, vpcOriginGroupName, port)
	}
	return nil
}

// allowsCloudFront reports whether a security group of a load balancer allows requests
// from CloudFront at a port. The source of the rule must be CloudFront's group or its
// prefix list.
func (c *Call) allowsCloudFront(balancer store.Object, port int) bool {
	state := Object(balancer.State)
	group, _ := c.cloudFrontGroup(balancer.Scope, state.String("vpcId"))
	allows := false
	c.Tx.Each(balancer.Scope, ingressRuleType, func(o store.Object) bool {
		rule := Object(o.State)
		fromGroup := group.ID != "" && rule.String("referencedSecurityGroupId") == group.ID
		fromList := rule.String("prefixListId") == c.prefixListID(cloudFrontListName)
		allPorts := protocolNumber(rule.String("ipProtocol")) == protocols["all"]
		atPort := allPorts || (rule.Int("fromPort") <= port && port <= rule.Int("toPort"))
		allows = (fromGroup || fromList) && atPort && slices.Contains(state.Strings("securityGroups"), rule.String("securityGroupId"))
		return !allows
	})
	return allows
}

// hasGatewayIn reports whether a VPC of a region has an internet gateway.
func (c *Call) hasGatewayIn(region, vpcID string) bool {
	attached := false
	c.Tx.Each(store.Scope{Account: c.Account, Region: region}, internetGatewayType, func(o store.Object) bool {
		attached = Object(o.State).String("vpcId") == vpcID
		return !attached
	})
	return attached
}

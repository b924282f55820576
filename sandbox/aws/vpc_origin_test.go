package aws

import (
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
)

const (
	vpcOriginT = "aws:cloudfront/vpcOrigin:VpcOrigin"
	webACLLogT = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"

	getSecurityGroup = "aws:ec2/getSecurityGroup:getSecurityGroup"
	originGroupName  = "CloudFront-VPCOrigins-Service-SG"
)

// privateOrigin is a test stack with an internal load balancer that is a VPC origin of
// CloudFront.
type privateOrigin struct{ *testStack }

// newPrivateOrigin creates a VPC with an internal load balancer, its listener
// and a VPC origin.
func newPrivateOrigin(t *testing.T) privateOrigin {
	s := newSandbox(t, nil)
	stack := s.newStack()
	add := stack.add
	vpc := add(vpcT, "vpc", props{"cidrBlock": "10.20.0.0/16"})
	add(internetGatewayT, "gateway", props{"vpcId": vpc.id})
	a := add(subnetT, "a", props{"vpcId": vpc.id, "cidrBlock": "10.20.0.0/20", "availabilityZone": "us-east-1a"})
	b := add(subnetT, "b", props{"vpcId": vpc.id, "cidrBlock": "10.20.16.0/20", "availabilityZone": "us-east-1b"})
	group := add(securityGroupT, "group", props{"vpcId": vpc.id})
	zone := add(zoneT, "zone", props{"name": "example.com"})
	certificate := s.createCertificate("origin.example.com", zone)
	balancer := add(balancerT, "balancer", props{"internal": true, "subnets": []any{a.id, b.id}, "securityGroups": []any{group.id}})
	add(listenerT, "listener", props{
		"loadBalancerArn": balancer.id, "port": 443, "protocol": "HTTPS", "certificateArn": certificate.id, "sslPolicy": tlsPolicy,
		"defaultActions": []any{props{"type": "fixed-response", "fixedResponse": props{"contentType": "text/plain", "statusCode": "404"}}},
	})
	add(vpcOriginT, "origin", vpcOriginInputs(balancer.id, nil))
	return privateOrigin{stack}
}

// vpcOriginInputs returns the inputs of a VPC origin in front of a load balancer. Its configuration
// has the properties of change.
func vpcOriginInputs(balancer string, change props) props {
	return props{"vpcOriginEndpointConfig": with(props{
		"name": "main", "arn": balancer, "httpPort": 80, "httpsPort": 443, "originProtocolPolicy": "https-only",
		"originSslProtocols": props{"items": []any{"TLSv1.2"}, "quantity": 1},
	}, change)}
}

// distributionInputs returns the inputs of a distribution that uses the VPC origin. The origin of
// the distribution has the properties of change.
func (o privateOrigin) distributionInputs(change props) props {
	return distributionInputs(props{"origins": []any{with(props{
		"originId": "api", "domainName": "origin.example.com",
		"vpcOriginConfig": props{"vpcOriginId": o.byName["origin"].id, "originReadTimeout": 70, "originKeepaliveTimeout": 60},
	}, change)}})
}

// allowCloudFront creates a rule in the security group of the load balancer. The rule allows
// requests from CloudFront's security group, and has the properties of change.
func (o privateOrigin) allowCloudFront(change props) *resource {
	o.s.t.Helper()
	group, err := o.s.invoke(getSecurityGroup, props{"name": originGroupName, "vpcId": o.byName["vpc"].id})
	require.NoError(o.s.t, err)
	return o.s.mustCreate(ingressT, "cloudfront", with(props{
		"securityGroupId": o.byName["group"].id, "referencedSecurityGroupId": group["id"], "ipProtocol": "tcp", "fromPort": 443, "toPort": 443,
	}, change))
}

// In this sandbox, the zone us-east-1e has the id use1-az3.
func TestVPCOriginIsRefusedInAnUnsupportedZone(t *testing.T) {
	o := newPrivateOrigin(t)
	e := o.s.mustCreate(subnetT, "e", props{"vpcId": o.byName["vpc"].id, "cidrBlock": "10.20.32.0/20", "availabilityZone": "us-east-1e"})
	balancer := o.s.mustCreate(balancerT, "other", props{"internal": true, "subnets": []any{o.byName["a"].id, e.id}, "securityGroups": []any{o.byName["group"].id}})
	_, err := o.s.create(vpcOriginT, "other", vpcOriginInputs(balancer.id, props{"name": "other"}))
	require.ErrorContains(t, err, "has a subnet in use1-az3, where CloudFront has no VPC origins")
}

func TestVPCOriginCreatesCloudFrontsSecurityGroup(t *testing.T) {
	o := newPrivateOrigin(t)
	require.Regexp(t, `^vo_[A-Z0-9]{22}$`, o.byName["origin"].id)
	require.Regexp(t, `^arn:aws:cloudfront::123456789012:vpcorigin/vo_`, o.byName["origin"].state["arn"])
	group, err := o.s.invoke(getSecurityGroup, props{"name": originGroupName, "vpcId": o.byName["vpc"].id})
	require.NoError(t, err)
	byID, err := o.s.invoke(getSecurityGroup, props{"id": group["id"]})
	require.NoError(t, err)
	require.Equal(t, group["arn"], byID["arn"])

	other := o.s.mustCreate(vpcT, "other", props{"cidrBlock": "10.30.0.0/16"})
	_, err = o.s.invoke(getSecurityGroup, props{"name": originGroupName, "vpcId": other.id})
	require.ErrorContains(t, err, "no matching EC2 Security Group found", "a VPC without a VPC origin has no such group")
	_, err = o.s.invoke(getSecurityGroup, props{"name": "default"})
	require.ErrorContains(t, err, "multiple EC2 Security Groups matched")
}

func TestVPCOriginHasNoDiffAndIsDeletedCompletely(t *testing.T) {
	o := newPrivateOrigin(t)
	rule := o.allowCloudFront(nil)
	distribution := o.s.mustCreate(distributionT, "distribution", o.distributionInputs(nil))
	for _, round := range []string{"after the creation", "after a refresh"} {
		for r, news := range map[*resource]props{distribution: o.distributionInputs(nil), o.byName["origin"]: o.news["origin"]} {
			d := o.s.diff(r, news)
			require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, d.GetChanges(), "%s: %s: %v", round, r.name, d.GetDetailedDiff())
			require.True(t, o.s.refresh(r))
		}
	}

	origin := o.byName["origin"]
	require.ErrorContains(t, o.s.delete(origin), "CannotDeleteEntityWhileInUse", "the distribution uses the VPC origin")
	require.ErrorContains(t, o.s.update(origin, vpcOriginInputs(o.byName["balancer"].id, props{"originProtocolPolicy": "http-only"})), "CannotUpdateEntityWhileInUse")
	require.NoError(t, o.s.delete(distribution))
	require.ErrorContains(t, o.s.delete(origin), "the group that CloudFront deletes", "a rule refers to CloudFront's group")
	require.ErrorContains(t, o.s.delete(o.byName["balancer"]), "ResourceInUse", "the VPC origin refers to the load balancer")
	require.NoError(t, o.s.delete(rule))
	require.NoError(t, o.s.delete(origin))
	_, err := o.s.invoke(getSecurityGroup, props{"name": originGroupName, "vpcId": o.byName["vpc"].id})
	require.ErrorContains(t, err, "no matching EC2 Security Group found")
}

func TestVPCOriginRefusals(t *testing.T) {
	o := newPrivateOrigin(t)
	publicBalancer := o.s.mustCreate(balancerT, "public", props{"subnets": []any{o.byName["a"].id, o.byName["b"].id}})
	vpcWithoutGateway := o.s.mustCreate(vpcT, "lonely", props{"cidrBlock": "10.40.0.0/16"})
	var subnets []any
	for zone, block := range map[string]string{"us-east-1a": "10.40.0.0/20", "us-east-1b": "10.40.16.0/20"} {
		subnets = append(subnets, o.s.mustCreate(subnetT, zone, props{"vpcId": vpcWithoutGateway.id, "cidrBlock": block, "availabilityZone": zone}).id)
	}
	balancerWithoutGateway := o.s.mustCreate(balancerT, "lonely", props{"internal": true, "subnets": subnets})
	balancerARN := o.byName["balancer"].id
	o.s.requireRefusals([]refusal{
		{"a public load balancer", vpcOriginT, vpcOriginInputs(publicBalancer.id, props{"name": "x"}), "is internet-facing"},
		{"a VPC without an internet gateway", vpcOriginT, vpcOriginInputs(balancerWithoutGateway.id, props{"name": "x"}), "has no internet gateway"},
		{"no such load balancer", vpcOriginT, vpcOriginInputs(balancerARN+"0", props{"name": "x"}), "InvalidArgument"},
		{"a name that is taken", vpcOriginT, vpcOriginInputs(balancerARN, nil), "EntityAlreadyExists"},
		{"a wrong quantity", vpcOriginT, vpcOriginInputs(balancerARN, props{"name": "x", "originSslProtocols": props{"items": []any{"TLSv1.2"}, "quantity": 2}}), "must be the number of items"},
		{"no configuration", vpcOriginT, nil, "a required property is missing"},
	})
}

// AWS accepts these distributions, but their users would get 502 or 504.
func TestDistributionMustReachItsVPCOrigin(t *testing.T) {
	o := newPrivateOrigin(t)
	requireRefusal := func(reason, want string, change props) {
		t.Helper()
		_, err := o.s.create(distributionT, "x", o.distributionInputs(change))
		require.ErrorContains(t, err, want, reason)
	}
	requireRefusal("no rule allows CloudFront", "504 Gateway Timeout", nil)
	otherPort := o.allowCloudFront(props{"fromPort": 80, "toPort": 80})
	requireRefusal("the rule allows another port", "504 Gateway Timeout", nil)
	require.NoError(t, o.s.delete(otherPort))
	o.allowCloudFront(nil)
	requireRefusal("the certificate is for another name", "does not cover lb.example.com", props{"domainName": "lb.example.com"})
	requireRefusal("no such VPC origin", "EntityNotFound", props{"vpcOriginConfig": props{"vpcOriginId": "vo_0"}})
	requireRefusal("two kinds of origin", "both vpcOriginConfig and customOriginConfig", props{"customOriginConfig": originInputs(nil)["customOriginConfig"]})
	requireRefusal("a read timeout above the limit", "must be 1 to 120", props{"vpcOriginConfig": props{"vpcOriginId": o.byName["origin"].id, "originReadTimeout": 121}})
	require.NoError(t, o.s.delete(o.byName["listener"]))
	requireRefusal("no listener", "has no listener for HTTPS at port 443", nil)
}

// webACLLogInputs returns the inputs of a web ACL's logging configuration, with the properties of
// change.
func webACLLogInputs(acl, group *resource, change props) props {
	return with(props{
		"resourceArn": acl.state["arn"], "logDestinationConfigs": []any{group.state["arn"]},
		"redactedFields": []any{props{"queryString": props{}}, props{"singleHeader": props{"name": "authorization"}}},
		"loggingFilter": props{"defaultBehavior": "DROP", "filters": []any{props{
			"behavior": "KEEP", "requirement": "MEETS_ANY", "conditions": []any{
				props{"actionCondition": props{"action": "COUNT"}}, props{"actionCondition": props{"action": "BLOCK"}},
			},
		}}},
	}, change)
}

func TestWebACLLogIsUpdatedInPlace(t *testing.T) {
	s := newSandbox(t, nil)
	acl, group := s.mustCreate(webACLT, "acl", webACLInputs()), s.mustCreate(logGroupT, "log", props{"name": "aws-waf-logs-main"})
	log := s.mustCreate(webACLLogT, "log", webACLLogInputs(acl, group, nil))
	require.Equal(t, acl.state["arn"], log.id)
	for range 2 {
		require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(log, webACLLogInputs(acl, group, nil)).GetChanges())
		require.True(t, s.refresh(log))
	}
	withoutFilter := webACLLogInputs(acl, group, props{"loggingFilter": nil})
	require.Empty(t, s.diff(log, withoutFilter).GetReplaces())
	require.NoError(t, s.update(log, withoutFilter))

	other := s.mustCreate(logGroupT, "other", props{"name": "waf"})
	s.requireRefusals([]refusal{
		{"a group without WAF's prefix", webACLLogT, webACLLogInputs(acl, other, nil), "must begin with aws-waf-logs-"},
		{"two destinations", webACLLogT, webACLLogInputs(acl, group, props{"logDestinationConfigs": []any{group.state["arn"], other.state["arn"]}}), "has 2 elements, must have exactly 1"},
		{"no such web ACL", webACLLogT, webACLLogInputs(acl, group, props{"resourceArn": acl.state["arn"].(string) + "0"}), "WAFNonexistentItemException"},
		{"a header in capitals, which AWS returns in lower case", webACLLogT, webACLLogInputs(acl, group, props{"redactedFields": []any{props{"singleHeader": props{"name": "Cookie"}}}}), "lower case"},
		{"a field of two kinds", webACLLogT, webACLLogInputs(acl, group, props{"redactedFields": []any{props{"queryString": props{}, "method": props{}}}}), "must have one of"},
	})
	require.NoError(t, s.delete(acl))
	require.False(t, s.refresh(log), "the configuration is deleted with the web ACL")
}

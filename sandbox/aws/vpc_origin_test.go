package aws

import (
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
)

const (
	vpcOriginT = "aws:cloudfront/vpcOrigin:VpcOrigin"
	webACLLogT = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"

	lookupGroup = "aws:ec2/getSecurityGroup:getSecurityGroup"
	originGroup = "CloudFront-VPCOrigins-Service-SG"
)

// privateOrigin is an internal load balancer that CloudFront can reach.
type privateOrigin struct {
	*resourceSet
	s *sandbox
}

func newPrivateOrigin(t *testing.T) privateOrigin {
	s := newSandbox(t, nil)
	return privateOrigin{s: s, resourceSet: s.newSet(func(add func(token, name string, in props) *resource) {
		vpc := add(vpcT, "vpc", props{"cidrBlock": "10.20.0.0/16"})
		add(gatewayT, "gateway", props{"vpcId": vpc.id})
		a := add(subnetT, "a", props{"vpcId": vpc.id, "cidrBlock": "10.20.0.0/20", "availabilityZone": "us-east-1a"})
		b := add(subnetT, "b", props{"vpcId": vpc.id, "cidrBlock": "10.20.16.0/20", "availabilityZone": "us-east-1b"})
		group := add(groupT, "group", props{"vpcId": vpc.id})
		zone := add(zoneT, "zone", props{"name": "example.com"})
		certificate := s.issue("origin.example.com", zone)
		balancer := add(balancerT, "balancer", props{"internal": true, "subnets": []any{a.id, b.id}, "securityGroups": []any{group.id}})
		add(listenerT, "listener", props{
			"loadBalancerArn": balancer.id, "port": 443, "protocol": "HTTPS", "certificateArn": certificate.id, "sslPolicy": tlsPolicy,
			"defaultActions": []any{props{"type": "fixed-response", "fixedResponse": props{"contentType": "text/plain", "statusCode": "404"}}},
		})
		add(vpcOriginT, "origin", originOf(balancer.id, nil))
	})}
}

// originOf is a VPC origin of a load balancer, with changes of its configuration.
func originOf(balancer string, change props) props {
	return props{"vpcOriginEndpointConfig": with(props{
		"name": "main", "arn": balancer, "httpPort": 80, "httpsPort": 443, "originProtocolPolicy": "https-only",
		"originSslProtocols": props{"items": []any{"TLSv1.2"}, "quantity": 1},
	}, change)}
}

// distribution is one in front of the VPC origin, with changes of its origin.
func (o privateOrigin) distribution(change props) props {
	return distribution(props{"origins": []any{with(props{
		"originId": "api", "domainName": "origin.example.com",
		"vpcOriginConfig": props{"vpcOriginId": o.by["origin"].id, "originReadTimeout": 70, "originKeepaliveTimeout": 60},
	}, change)}})
}

// admit lets CloudFront's group in at the load balancer.
func (o privateOrigin) admit(change props) *resource {
	o.s.t.Helper()
	group, err := o.s.invoke(lookupGroup, props{"name": originGroup, "vpcId": o.by["vpc"].id})
	require.NoError(o.s.t, err)
	return o.s.must(ingressT, "cloudfront", with(props{
		"securityGroupId": o.by["group"].id, "referencedSecurityGroupId": group["id"], "ipProtocol": "tcp", "fromPort": 443, "toPort": 443,
	}, change))
}

func TestVPCOriginBringsItsSecurityGroup(t *testing.T) {
	o := newPrivateOrigin(t)
	require.Regexp(t, `^vo_[A-Z0-9]{22}$`, o.by["origin"].id)
	require.Regexp(t, `^arn:aws:cloudfront::123456789012:vpcorigin/vo_`, o.by["origin"].state["arn"])
	group, err := o.s.invoke(lookupGroup, props{"name": originGroup, "vpcId": o.by["vpc"].id})
	require.NoError(t, err)
	byID, err := o.s.invoke(lookupGroup, props{"id": group["id"]})
	require.NoError(t, err)
	require.Equal(t, group["arn"], byID["arn"])

	other := o.s.must(vpcT, "other", props{"cidrBlock": "10.30.0.0/16"})
	_, err = o.s.invoke(lookupGroup, props{"name": originGroup, "vpcId": other.id})
	require.ErrorContains(t, err, "no matching EC2 Security Group found", "a VPC without a VPC origin has no such group")
	_, err = o.s.invoke(lookupGroup, props{"name": "default"})
	require.ErrorContains(t, err, "multiple EC2 Security Groups matched")
}

func TestVPCOriginIsStableAndLeavesNothing(t *testing.T) {
	o := newPrivateOrigin(t)
	rule := o.admit(nil)
	front := o.s.must(distributionT, "distribution", o.distribution(nil))
	for _, round := range []string{"after the creation", "after a refresh"} {
		for r, news := range map[*resource]props{front: o.distribution(nil), o.by["origin"]: o.news["origin"]} {
			d := o.s.diff(r, news)
			require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, d.GetChanges(), "%s: %s: %v", round, r.name, d.GetDetailedDiff())
			require.True(t, o.s.refresh(r))
		}
	}

	origin := o.by["origin"]
	require.ErrorContains(t, o.s.delete(origin), "CannotDeleteEntityWhileInUse", "the distribution has it")
	require.ErrorContains(t, o.s.update(origin, originOf(o.by["balancer"].id, props{"originProtocolPolicy": "http-only"})), "CannotUpdateEntityWhileInUse")
	require.NoError(t, o.s.delete(front))
	require.ErrorContains(t, o.s.delete(origin), "the group that CloudFront deletes", "a rule names its group")
	require.ErrorContains(t, o.s.delete(o.by["balancer"]), "ResourceInUse", "the VPC origin leads to it")
	require.NoError(t, o.s.delete(rule))
	require.NoError(t, o.s.delete(origin))
	_, err := o.s.invoke(lookupGroup, props{"name": originGroup, "vpcId": o.by["vpc"].id})
	require.ErrorContains(t, err, "no matching EC2 Security Group found")
}

// The reasons why AWS refuses a VPC origin.
func TestRefusalsOfVPCOrigins(t *testing.T) {
	o := newPrivateOrigin(t)
	public := o.s.must(balancerT, "public", props{"subnets": []any{o.by["a"].id, o.by["b"].id}})
	lonely := o.s.must(vpcT, "lonely", props{"cidrBlock": "10.40.0.0/16"})
	var subnets []any
	for zone, block := range map[string]string{"us-east-1a": "10.40.0.0/20", "us-east-1b": "10.40.16.0/20"} {
		subnets = append(subnets, o.s.must(subnetT, zone, props{"vpcId": lonely.id, "cidrBlock": block, "availabilityZone": zone}).id)
	}
	inLonely := o.s.must(balancerT, "lonely", props{"internal": true, "subnets": subnets})
	balancer := o.by["balancer"].id
	o.s.refuses([]refusal{
		{"a public load balancer", vpcOriginT, originOf(public.id, props{"name": "x"}), "is internet-facing"},
		{"a VPC without an internet gateway", vpcOriginT, originOf(inLonely.id, props{"name": "x"}), "has no internet gateway"},
		{"no such load balancer", vpcOriginT, originOf(balancer+"0", props{"name": "x"}), "InvalidArgument"},
		{"a name that is taken", vpcOriginT, originOf(balancer, nil), "EntityAlreadyExists"},
		{"a wrong quantity", vpcOriginT, originOf(balancer, props{"name": "x", "originSslProtocols": props{"items": []any{"TLSv1.2"}, "quantity": 2}}), "must be the number of items"},
		{"no configuration", vpcOriginT, nil, "a required property is missing"},
	})
}

// AWS accepts these distributions, and their users get 502 or 504.
func TestDistributionNeedsAWayToItsOrigin(t *testing.T) {
	o := newPrivateOrigin(t)
	refused := func(reason, want string, change props) {
		t.Helper()
		_, err := o.s.create(distributionT, "x", o.distribution(change))
		require.ErrorContains(t, err, want, reason)
	}
	refused("CloudFront is not admitted", "504 Gateway Timeout", nil)
	elsewhere := o.admit(props{"fromPort": 80, "toPort": 80})
	refused("it is admitted at another port", "504 Gateway Timeout", nil)
	require.NoError(t, o.s.delete(elsewhere))
	o.admit(nil)
	refused("the certificate is for another name", "does not cover lb.example.com", props{"domainName": "lb.example.com"})
	refused("no such VPC origin", "EntityNotFound", props{"vpcOriginConfig": props{"vpcOriginId": "vo_0"}})
	refused("two kinds at once", "both vpcOriginConfig and customOriginConfig", props{"customOriginConfig": origin(nil)["customOriginConfig"]})
	refused("CloudFront's longest wait", "must be 1 to 120", props{"vpcOriginConfig": props{"vpcOriginId": o.by["origin"].id, "originReadTimeout": 121}})
	require.NoError(t, o.s.delete(o.by["listener"]))
	refused("nobody listens", "has no listener for HTTPS at port 443", nil)
}

func webACLLog(acl, group *resource, change props) props {
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

func TestWebACLLog(t *testing.T) {
	s := newSandbox(t, nil)
	acl, group := s.must(webACLT, "acl", webACL()), s.must(logGroupT, "log", props{"name": "aws-waf-logs-main"})
	log := s.must(webACLLogT, "log", webACLLog(acl, group, nil))
	require.Equal(t, acl.state["arn"], log.id)
	for range 2 {
		require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(log, webACLLog(acl, group, nil)).GetChanges())
		require.True(t, s.refresh(log))
	}
	all := webACLLog(acl, group, props{"loggingFilter": nil})
	require.Empty(t, s.diff(log, all).GetReplaces())
	require.NoError(t, s.update(log, all))

	other := s.must(logGroupT, "other", props{"name": "waf"})
	s.refuses([]refusal{
		{"a group without WAF's prefix", webACLLogT, webACLLog(acl, other, nil), "must begin with aws-waf-logs-"},
		{"two destinations", webACLLogT, webACLLog(acl, group, props{"logDestinationConfigs": []any{group.state["arn"], other.state["arn"]}}), "has 2 elements, must have exactly 1"},
		{"no such web ACL", webACLLogT, webACLLog(acl, group, props{"resourceArn": acl.state["arn"].(string) + "0"}), "WAFNonexistentItemException"},
		{"a header that AWS gives back in lower case", webACLLogT, webACLLog(acl, group, props{"redactedFields": []any{props{"singleHeader": props{"name": "Cookie"}}}}), "lower case"},
		{"a field of two kinds", webACLLogT, webACLLog(acl, group, props{"redactedFields": []any{props{"queryString": props{}, "method": props{}}}}), "must have one of"},
	})
	require.NoError(t, s.delete(acl))
	require.False(t, s.refresh(log), "it goes with the web ACL")
}

// Package webacl owns the web ACL in front of the CDN and its log: AWS's managed
// rules against known attacks, and a limit for each address.
//
// The package registers the two resources of aws:wafv2 by their type tokens, because the
// SDK's package wafv2 takes a minute and a half to compile.
package webacl

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/webacl/webaclspec"
)

const (
	// requestsPerAddress is the default limit of requests in five minutes: the platform's choice.
	// The limit allows 20 requests a second, which is more than the users of a household or an
	// office behind one address send.
	requestsPerAddress = 6000
	// minRequests is the smallest limit that AWS allows (WAF API, RateBasedStatement).
	minRequests = 10
)

// ruleGroup is one of AWS's managed rule groups. counted are rules of the group that only count
// requests and never block them.
type ruleGroup struct {
	name    string
	counted []string
}

// managedGroups are the managed rule groups in the order of their evaluation. Groups that cost less
// are first (WAF Developer Guide, "AWS Managed Rules rule groups list").
var managedGroups = []ruleGroup{
	{name: "AWSManagedRulesAmazonIpReputationList"},
	{name: "AWSManagedRulesKnownBadInputsRuleSet"},
	// The group's limit of 8 KB for a body is too low. The services have their own limits.
	{name: "AWSManagedRulesCommonRuleSet", counted: []string{"SizeRestrictions_BODY"}},
}

// Args configure a WebACL.
type Args struct {
	// RequestsPerAddress is the largest number of requests of an IP address in five
	// minutes, 10 or more. Further requests are blocked. 0 means 6,000. A load test
	// needs a higher number.
	RequestsPerAddress int
	// Mode is the action of the managed rules. Empty means count. The limit of
	// RequestsPerAddress always blocks, because it has no false matches.
	Mode webaclspec.Mode
	// LogKeyARN is a KMS key in us-east-1. Its policy must allow CloudWatch Logs to use
	// the key. nil means AWS's own key.
	LogKeyARN pulumi.StringInput
}

func (a *Args) validate() error {
	switch {
	case a == nil:
		return errors.New("args must not be nil")
	case a.Mode != "" && !slices.Contains(a.Mode.Values(), string(a.Mode)):
		return fmt.Errorf("Mode %q: must be one of %q", a.Mode, a.Mode.Values())
	case a.RequestsPerAddress != 0 && a.RequestsPerAddress < minRequests:
		return fmt.Errorf("RequestsPerAddress is %d; must be at least %d, or 0 for %d", a.RequestsPerAddress, minRequests, requestsPerAddress)
	}
	return nil
}

// WebACL is a web ACL for CloudFront distributions.
type WebACL struct {
	pulumi.ResourceState

	ARN pulumi.StringOutput
}

// webACLResource is the resource of the web ACL.
type webACLResource struct {
	pulumi.CustomResourceState

	ARN pulumi.StringOutput `pulumi:"arn"`
}

// NewWebACL creates a web ACL for CloudFront and its log. The provider in opts must be the
// provider of us-east-1 (WAF Developer Guide, "Web ACLs and CloudFront").
func NewWebACL(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*WebACL, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("web ACL %s: %w", name, err)
	}
	acl := &WebACL{}
	if err := ctx.RegisterComponentResource("progressive:webacl:WebACL", name, acl, opts...); err != nil {
		return nil, fmt.Errorf("web ACL %s: %w", name, err)
	}
	resource := &webACLResource{}
	if err := ctx.RegisterResource("aws:wafv2/webAcl:WebAcl", name+"-acl", pulumi.Map{
		"name":             pulumi.String(name),
		"scope":            pulumi.String("CLOUDFRONT"),
		"defaultAction":    pulumi.Map{"allow": pulumi.Map{}},
		"rules":            rules(cmp.Or(args.RequestsPerAddress, requestsPerAddress), cmp.Or(args.Mode, webaclspec.Count)),
		"visibilityConfig": visibilityConfig(name),
	}, resource, pulumi.Parent(acl)); err != nil {
		return nil, fmt.Errorf("web ACL %s: %w", name, err)
	}
	acl.ARN = resource.ARN
	if err := acl.createLog(ctx, name, args); err != nil {
		return nil, fmt.Errorf("web ACL %s: %w", name, err)
	}
	return acl, ctx.RegisterResourceOutputs(acl, pulumi.Map{"arn": acl.ARN})
}

// overrideActions are the override actions of a managed rule group, by mode. "none" keeps the
// actions of the group's rules.
var overrideActions = map[webaclspec.Mode]string{webaclspec.Count: "count", webaclspec.Block: "none"}

// rules returns the rules of the web ACL: the limit for each address, and the managed groups.
func rules(limit int, mode webaclspec.Mode) pulumi.Array {
	aclRules := pulumi.Array{pulumi.Map{
		"name":     pulumi.String("rate"),
		"priority": pulumi.Int(0),
		"action":   pulumi.Map{"block": pulumi.Map{}},
		"statement": pulumi.Map{"rateBasedStatement": pulumi.Map{
			"limit":               pulumi.Int(limit),
			"aggregateKeyType":    pulumi.String("IP"),
			"evaluationWindowSec": pulumi.Int(300), // the five minutes of RequestsPerAddress
		}},
		"visibilityConfig": visibilityConfig("rate"),
	}}
	for i, g := range managedGroups {
		aclRules = append(aclRules, pulumi.Map{
			"name":             pulumi.String(g.name),
			"priority":         pulumi.Int(i + 1),
			"overrideAction":   pulumi.Map{overrideActions[mode]: pulumi.Map{}},
			"statement":        pulumi.Map{"managedRuleGroupStatement": g.statement()},
			"visibilityConfig": visibilityConfig(g.name),
		})
	}
	return aclRules
}

// statement returns the statement of the rule for a managed group.
func (g ruleGroup) statement() pulumi.Map {
	statement := pulumi.Map{"vendorName": pulumi.String("AWS"), "name": pulumi.String(g.name)}
	var counted pulumi.Array
	for _, rule := range g.counted {
		counted = append(counted, pulumi.Map{
			"name": pulumi.String(rule), "actionToUse": pulumi.Map{"count": pulumi.Map{}},
		})
	}
	if len(counted) > 0 {
		statement["ruleActionOverrides"] = counted
	}
	return statement
}

// visibilityConfig returns the settings of a rule's CloudWatch metric.
func visibilityConfig(metric string) pulumi.Map {
	return pulumi.Map{
		"cloudwatchMetricsEnabled": pulumi.Bool(true),
		"sampledRequestsEnabled":   pulumi.Bool(true),
		"metricName":               pulumi.String(metric),
	}
}

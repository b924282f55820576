// Package webacl owns the web ACL that stands before the CDN: AWS's managed
// rules against what is known to be bad, and a limit for each address.
//
// It registers aws:wafv2/webAcl:WebAcl by its token: the SDK's package wafv2
// takes a minute and a half to compile, for one resource.
package webacl

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// requestsPerAddress in five minutes, unless given: 20 a second, more than
	// a household or an office behind one address asks for.
	requestsPerAddress = 6000
	// minRequests is AWS's lowest rate (WAF API, RateBasedStatement).
	minRequests = 10
)

// managed are AWS's rule groups, in the order in which they are asked: the
// cheap ones first (WAF Developer Guide, "AWS Managed Rules rule groups list").
// With the rate limit they cost 928 of the 1,500 units that are in the price.
var managed = []string{
	"AWSManagedRulesAmazonIpReputationList",
	"AWSManagedRulesKnownBadInputsRuleSet",
	"AWSManagedRulesCommonRuleSet", // also refuses bodies above 8 KB
}

// Args are what a WebACL is made from.
type Args struct {
	// RequestsPerAddress is how many requests an IP address has in five
	// minutes before it is refused, from 10; 0 is 6,000. A load test wants more.
	RequestsPerAddress int
}

func (a *Args) validate() error {
	switch {
	case a == nil:
		return errors.New("args must not be nil")
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

type resource struct {
	pulumi.CustomResourceState

	ARN pulumi.StringOutput `pulumi:"arn"`
}

// NewWebACL makes a web ACL for CloudFront. The provider in opts must be that
// of us-east-1 (WAF Developer Guide, "Web ACLs and CloudFront").
func NewWebACL(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*WebACL, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("web ACL %s: %w", name, err)
	}
	acl := &WebACL{}
	if err := ctx.RegisterComponentResource("progressive:webacl:WebACL", name, acl, opts...); err != nil {
		return nil, fmt.Errorf("web ACL %s: %w", name, err)
	}
	made := &resource{}
	if err := ctx.RegisterResource("aws:wafv2/webAcl:WebAcl", name+"-acl", pulumi.Map{
		"name":             pulumi.String(name),
		"scope":            pulumi.String("CLOUDFRONT"),
		"defaultAction":    pulumi.Map{"allow": pulumi.Map{}},
		"rules":            rules(cmp.Or(args.RequestsPerAddress, requestsPerAddress)),
		"visibilityConfig": visibility(name),
	}, made, pulumi.Parent(acl)); err != nil {
		return nil, fmt.Errorf("web ACL %s: %w", name, err)
	}
	acl.ARN = made.ARN
	return acl, ctx.RegisterResourceOutputs(acl, pulumi.Map{"arn": acl.ARN})
}

func rules(limit int) pulumi.Array {
	all := pulumi.Array{pulumi.Map{
		"name":     pulumi.String("rate"),
		"priority": pulumi.Int(0),
		"action":   pulumi.Map{"block": pulumi.Map{}},
		"statement": pulumi.Map{"rateBasedStatement": pulumi.Map{
			"limit":               pulumi.Int(limit),
			"aggregateKeyType":    pulumi.String("IP"),
			"evaluationWindowSec": pulumi.Int(300),
		}},
		"visibilityConfig": visibility("rate"),
	}}
	for i, group := range managed {
		all = append(all, pulumi.Map{
			"name":           pulumi.String(group),
			"priority":       pulumi.Int(i + 1),
			"overrideAction": pulumi.Map{"none": pulumi.Map{}}, // the group's own actions
			"statement": pulumi.Map{"managedRuleGroupStatement": pulumi.Map{
				"vendorName": pulumi.String("AWS"),
				"name":       pulumi.String(group),
			}},
			"visibilityConfig": visibility(group),
		})
	}
	return all
}

func visibility(metric string) pulumi.Map {
	return pulumi.Map{
		"cloudwatchMetricsEnabled": pulumi.Bool(true),
		"sampledRequestsEnabled":   pulumi.Bool(true),
		"metricName":               pulumi.String(metric),
	}
}

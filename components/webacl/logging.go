package webacl

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/logs"
)

// logPrefix is the prefix that WAF requires for the name of its log groups (WAF API
// Reference, LoggingConfiguration).
const logPrefix = "aws-waf-logs-"

// redactedHeaders are the headers that can contain credentials. The log shows them
// as REDACTED. A WebSocket sends its token as a subprotocol or in the query.
var redactedHeaders = []string{"authorization", "cookie", "sec-websocket-protocol"}

// loggedActions are the outcomes of a rule that are logged. A request that no
// rule matches is in CloudFront's own log.
var loggedActions = []string{"BLOCK", "COUNT", "EXCLUDED_AS_COUNT"}

// createLog creates the log of the requests that a rule matches. In the log, people can find false
// matches before the rules block requests. The log must be in us-east-1, the region of
// CloudFront's web ACLs.
func (acl *WebACL) createLog(ctx *pulumi.Context, name string, args *Args) error {
	group, err := cloudwatch.NewLogGroup(ctx, name+"-waf", &cloudwatch.LogGroupArgs{
		Name:            pulumi.String(logPrefix + name),
		KmsKeyId:        toPtrInput(args.LogKeyARN),
		RetentionInDays: pulumi.Int(logs.Days),
	}, pulumi.Parent(acl))
	if err != nil {
		return fmt.Errorf("log group: %w", err)
	}
	redacted := pulumi.Array{pulumi.Map{"queryString": pulumi.Map{}}}
	for _, header := range redactedHeaders {
		redacted = append(redacted, pulumi.Map{"singleHeader": pulumi.Map{"name": pulumi.String(header)}})
	}
	var conditions pulumi.Array
	for _, action := range loggedActions {
		conditions = append(conditions, pulumi.Map{"actionCondition": pulumi.Map{"action": pulumi.String(action)}})
	}
	err = ctx.RegisterResource("aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration", name+"-acl-log", pulumi.Map{
		"resourceArn":           acl.ARN,
		"logDestinationConfigs": pulumi.Array{group.Arn},
		"redactedFields":        redacted,
		"loggingFilter": pulumi.Map{
			"defaultBehavior": pulumi.String("DROP"),
			"filters": pulumi.Array{pulumi.Map{
				"behavior": pulumi.String("KEEP"), "requirement": pulumi.String("MEETS_ANY"), "conditions": conditions,
			}},
		},
	}, &pulumi.CustomResourceState{}, pulumi.Parent(acl))
	if err != nil {
		return fmt.Errorf("logging: %w", err)
	}
	return nil
}

// toPtrInput converts an input that may be nil to the type of an optional input.
func toPtrInput(in pulumi.StringInput) pulumi.StringPtrInput {
	if in == nil {
		return nil
	}
	return in.ToStringOutput().ToStringPtrOutput()
}

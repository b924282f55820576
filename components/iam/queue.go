package iam

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// EventQueuePolicy renders the policy of an SQS queue that is the target of EventBridge rules. It lets
// EventBridge send messages for these rules only, and denies every request without TLS.
func EventQueuePolicy(queueARN pulumi.StringInput, ruleARNs ...pulumi.StringInput) (pulumi.StringOutput, error) {
	return ResourcePolicy(Statement{
		Sid:        "TLSOnly",
		Deny:       true,
		Principals: []Principal{Everyone()},
		Actions:    []string{"sqs:*"},
		Resources:  ARNs(queueARN),
		Conditions: []Condition{{Operator: "Bool", Key: "aws:SecureTransport", Values: []pulumi.StringInput{pulumi.String("false")}}},
	}, Statement{
		Sid:        "Events",
		Principals: []Principal{ServicePrincipal("events.amazonaws.com")},
		Actions:    []string{"sqs:SendMessage"},
		Resources:  ARNs(queueARN),
		Conditions: []Condition{{Operator: "ArnEquals", Key: "aws:SourceArn", Values: ruleARNs}},
	})
}

package network

import (
	"cmp"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/iam"
)

// flowLogDays is the default retention in days: the platform's choice. It is enough for
// most investigations, and flow logs are large.
const flowLogDays = 30

// createFlowLogs creates the flow logs, which log every accepted and rejected connection of the
// VPC to an encrypted log group.
func (b *builder) createFlowLogs() error {
	group, err := cloudwatch.NewLogGroup(b.ctx, b.name+"-flow-logs", &cloudwatch.LogGroupArgs{
		Name:            pulumi.String("/aws/vpc/" + b.name + "/flow-logs"),
		KmsKeyId:        b.args.LogKeyARN,
		RetentionInDays: pulumi.Int(cmp.Or(b.args.FlowLogDays, flowLogDays)),
		Tags:            b.tags("flow-logs"),
	}, b.parent)
	if err != nil {
		return fmt.Errorf("log group of the flow logs: %w", err)
	}
	// The VPC User Guide lists these permissions ("IAM role for publishing flow logs to CloudWatch
	// Logs"). The role may write only to this log group. AWS can't limit DescribeLogGroups to one
	// log group.
	role, err := iam.NewRole(b.ctx, b.name+"-flow-logs", &iam.RoleArgs{
		Account:     b.args.Account,
		Description: "VPC flow logs write to their log group",
		Trust:       iam.Service("vpc-flow-logs.amazonaws.com"),
		Statements: []iam.Statement{{
			Sid:       "Write",
			Actions:   []string{"logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"},
			Resources: iam.ARNs(group.Arn, pulumi.Sprintf("%s:*", group.Arn)),
		}, {
			Sid:       "Find",
			Actions:   []string{"logs:DescribeLogGroups"},
			Resources: iam.AnyResource(),
		}},
	}, b.parent)
	if err != nil {
		return err
	}
	if _, err := ec2.NewFlowLog(b.ctx, b.name+"-flow-logs", &ec2.FlowLogArgs{
		VpcId:          b.vpc.ID(),
		TrafficType:    pulumi.String("ALL"),
		LogDestination: group.Arn,
		IamRoleArn:     role.ARN,
		Tags:           b.tags("flow-logs"),
	}, b.parent, pulumi.DependsOn(role.Policies)); err != nil {
		return fmt.Errorf("flow logs: %w", err)
	}
	return nil
}

package postgres

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/absencealarm"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/postgres/rdsspec"
	"github.com/progressive-framework/platform/components/scaling"
)

// minRetention is the shortest time for which SQS keeps a message (SQS API, SetQueueAttributes).
const minRetention = time.Minute

// backupEvents count the finished backups of a database. RDS has no metric for backups. But
// EventBridge has the metric TriggeredRules for the rule that matches RDS's event.
type backupEvents struct {
	rule   *cloudwatch.EventRule
	target *cloudwatch.EventTarget
}

// newBackupEvents creates the rule for the finished backups of the instance, and a queue as its
// target. AWS does not document that a rule without a target has metrics. Nobody reads the queue:
// RDS itself lists the backups. A log group as the target would need one of the ten resource
// policies that CloudWatch Logs allows in a region.
func newBackupEvents(ctx *pulumi.Context, name string, instanceARN pulumi.StringOutput, parent pulumi.ResourceOption) (*backupEvents, error) {
	rule, err := cloudwatch.NewEventRule(ctx, name+"-backup", &cloudwatch.EventRuleArgs{
		Description:  pulumi.String("RDS has finished a backup of " + name),
		EventPattern: instanceARN.ApplyT(rdsspec.FinishedBackupPattern).(pulumi.StringOutput),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("event rule of the backups of %s: %w", name, err)
	}
	queue, err := sqs.NewQueue(ctx, name+"-backup", &sqs.QueueArgs{
		MessageRetentionSeconds: pulumi.Int(int(minRetention.Seconds())),
		SqsManagedSseEnabled:    pulumi.Bool(true),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("queue of the backups of %s: %w", name, err)
	}
	document, err := iam.EventQueuePolicy(queue.Arn, rule.Arn)
	if err != nil {
		return nil, fmt.Errorf("policy of the queue of the backups of %s: %w", name, err)
	}
	policy, err := sqs.NewQueuePolicy(ctx, name+"-backup", &sqs.QueuePolicyArgs{QueueUrl: queue.Url, Policy: document}, parent)
	if err != nil {
		return nil, fmt.Errorf("policy of the queue of the backups of %s: %w", name, err)
	}
	// EventBridge drops an event that the queue refuses, so the policy comes before the target.
	target, err := cloudwatch.NewEventTarget(ctx, name+"-backup", &cloudwatch.EventTargetArgs{
		Rule: rule.Name, TargetId: pulumi.String("queue"), Arn: queue.Arn,
	}, parent, pulumi.DependsOn([]pulumi.Resource{policy}))
	if err != nil {
		return nil, fmt.Errorf("target of the backups of %s: %w", name, err)
	}
	return &backupEvents{rule, target}, nil
}

// createAlarm creates the alarm that fires when no backup has finished for scaling.MaxBackupAge.
// CloudWatch also evaluates some data points before the alarm's period ("How alarm state is evaluated
// when data is missing"), so the alarm can fire some hours later. The alarm is created after
// instance, the database.
func (e *backupEvents) createAlarm(ctx *pulumi.Context, name, topic string, instance pulumi.Resource, parent pulumi.ResourceOption) error {
	return absencealarm.New(ctx, name+"-backup-age", &absencealarm.Args{
		Runbook:   "backup-age",
		Text:      fmt.Sprintf("%s: no backup has finished for %.0f hours", name, scaling.MaxBackupAge.Hours()),
		Namespace: "AWS/Events", MetricName: "TriggeredRules", Dimensions: pulumi.StringMap{"RuleName": e.rule.Name},
		Limit: scaling.MaxBackupAge, TopicARN: topic,
	}, parent, pulumi.DependsOn([]pulumi.Resource{instance}))
}

// Package terminationhandler owns AWS Node Termination Handler in its queue mode. It owns the
// queue of events about instances, the EventBridge rules that send events to the queue, and the
// pods that read the queue. The handler drains a node before its instance terminates. It puts a
// new instance into service when its node is ready. Package terminationspec has the events and
// the permissions. Package tier has the groups and their hooks at termination.
package terminationhandler

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/terminationhandler/terminationspec"
)

// QueueArgs configure a Queue.
type QueueArgs struct {
	// Groups are the names of the Auto Scaling Groups of the cluster.
	Groups []string
	// AlarmTopicARN is the SNS topic of the alarm. Empty means no notification.
	AlarmTopicARN string
}

// Queue is the queue of the events. It is created before the groups, because a refresh of a
// group watches the queue's alarm.
type Queue struct {
	pulumi.ResourceState

	URL, ARN pulumi.StringOutput
	// AlarmName is the name of the alarm for a queue that nothing reads.
	AlarmName pulumi.StringOutput
	// Ready are the queue's policy and the targets of the rules. A resource that needs the events
	// must depend on Ready, and not on the Queue (see network.Network.Ready).
	Ready []pulumi.Resource
}

// NewQueue creates the queue, its policy, the rules with their targets, and the alarm.
func NewQueue(ctx *pulumi.Context, name string, args *QueueArgs, opts ...pulumi.ResourceOption) (*Queue, error) {
	if args == nil {
		return nil, errors.New("queue of the termination handler: args must not be nil")
	}
	events, err := terminationspec.Events(args.Groups)
	if err != nil {
		return nil, err
	}
	q := &Queue{}
	if err := ctx.RegisterComponentResource("progressive:terminationhandler:Queue", name, q, opts...); err != nil {
		return nil, fmt.Errorf("queue %s: %w", name, err)
	}
	parent := pulumi.Parent(q)
	queue, err := sqs.NewQueue(ctx, name+"-events", &sqs.QueueArgs{
		MessageRetentionSeconds: pulumi.Int(int(scaling.DefaultDrain().Retention.Seconds())),
		// EventBridge can't write to a queue with AWS's own KMS key. SQS's key needs no
		// permissions (README of the handler, "Create an SQS Queue").
		SqsManagedSseEnabled: pulumi.Bool(true),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("queue %s: %w", name, err)
	}
	q.URL, q.ARN = queue.Url, queue.Arn
	if err := q.createRules(ctx, name, queue, events, parent); err != nil {
		return nil, err
	}
	if err := q.createAlarm(ctx, name, queue, args.AlarmTopicARN, parent); err != nil {
		return nil, err
	}
	return q, ctx.RegisterResourceOutputs(q, pulumi.Map{"url": q.URL, "alarmName": q.AlarmName})
}

// createRules creates the EventBridge rules, the queue's policy, and then the rules' targets. The
// policy comes before the targets, because EventBridge drops an event that the queue
// refuses.
func (q *Queue) createRules(ctx *pulumi.Context, name string, queue *sqs.Queue, events []terminationspec.Event, parent pulumi.ResourceOption) error {
	rules := make([]*cloudwatch.EventRule, len(events))
	sources := make([]pulumi.StringInput, len(events))
	for i, e := range events {
		rule, err := cloudwatch.NewEventRule(ctx, name+"-"+e.Name, &cloudwatch.EventRuleArgs{
			Description:  pulumi.String(e.Description),
			EventPattern: pulumi.String(e.Pattern),
		}, parent)
		if err != nil {
			return fmt.Errorf("event rule %s: %w", e.Name, err)
		}
		rules[i], sources[i] = rule, rule.Arn
	}
	// This policy admits only the rules above. The README's policy also admits
	// sqs.amazonaws.com, and every rule of every account.
	document, err := iam.EventQueuePolicy(queue.Arn, sources...)
	if err != nil {
		return fmt.Errorf("policy of queue %s: %w", name, err)
	}
	policy, err := sqs.NewQueuePolicy(ctx, name+"-events", &sqs.QueuePolicyArgs{QueueUrl: queue.Url, Policy: document}, parent)
	if err != nil {
		return fmt.Errorf("policy of queue %s: %w", name, err)
	}
	q.Ready = append(q.Ready, policy)
	for i, e := range events {
		target, err := cloudwatch.NewEventTarget(ctx, name+"-"+e.Name, &cloudwatch.EventTargetArgs{
			Rule: rules[i].Name, TargetId: pulumi.String("queue"), Arn: queue.Arn,
		}, parent, pulumi.DependsOn([]pulumi.Resource{policy}))
		if err != nil {
			return fmt.Errorf("target of event rule %s: %w", e.Name, err)
		}
		q.Ready = append(q.Ready, target)
	}
	return nil
}

// createAlarm creates the alarm for a queue that nothing reads. While nothing reads the queue, no
// node is drained, and no new instance gets into service. A running handler polls without a pause,
// so SQS counts receives in each minute. Missing data does not change the alarm's state. SQS
// publishes no data for a queue that was never read, and the handler is created after the queue.
func (q *Queue) createAlarm(ctx *pulumi.Context, name string, queue *sqs.Queue, topic string, parent pulumi.ResourceOption) error {
	const period = 60 // seconds; SQS publishes each minute
	queries := cloudwatch.MetricAlarmMetricQueryArray{&cloudwatch.MetricAlarmMetricQueryArgs{
		Id: pulumi.String("receives"), Label: pulumi.String("Receives"), Expression: pulumi.String("full + empty"), ReturnData: pulumi.Bool(true),
	}}
	for _, m := range []struct{ id, metric string }{{"full", "NumberOfMessagesReceived"}, {"empty", "NumberOfEmptyReceives"}} {
		queries = append(queries, &cloudwatch.MetricAlarmMetricQueryArgs{
			Id: pulumi.String(m.id),
			Metric: &cloudwatch.MetricAlarmMetricQueryMetricArgs{
				Namespace: pulumi.String("AWS/SQS"), MetricName: pulumi.String(m.metric), Dimensions: pulumi.StringMap{"QueueName": queue.Name},
				Period: pulumi.Int(period), Stat: pulumi.String("Sum"),
			},
		})
	}
	alarmAfter := scaling.DefaultDrain().AlarmAfter
	args := &cloudwatch.MetricAlarmArgs{
		Name:               pulumi.String(name + "-termination-handler-silent"),
		AlarmDescription:   pulumi.String(scaling.AlarmDescription("termination-handler-silent", fmt.Sprintf("Nobody has read events about nodes for %s: nodes end without a drain", alarmAfter))),
		MetricQueries:      queries,
		ComparisonOperator: pulumi.String(scaling.Below),
		Threshold:          pulumi.Float64(1),
		EvaluationPeriods:  pulumi.Int(int(alarmAfter.Seconds()) / period),
		TreatMissingData:   pulumi.String("ignore"),
	}
	if topic != "" {
		topics := pulumi.Array{pulumi.String(topic)}
		args.AlarmActions, args.OkActions = topics, topics
	}
	alarm, err := cloudwatch.NewMetricAlarm(ctx, name+"-termination-handler-silent", args, parent)
	if err != nil {
		return fmt.Errorf("alarm of queue %s: %w", name, err)
	}
	q.AlarmName = alarm.Name
	return nil
}

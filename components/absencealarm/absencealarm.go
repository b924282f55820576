// Package absencealarm creates CloudWatch alarms for events that must happen regularly. An alarm
// fires when its event has not happened for some hours.
package absencealarm

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/scaling"
)

// Args are the arguments of New.
type Args struct {
	// Runbook is the heading of the alarm in docs/runbooks/alarms.md. Text says what has not happened.
	Runbook, Text string
	// Namespace, MetricName and Dimensions name the metric that counts what happens.
	Namespace, MetricName string
	Dimensions            pulumi.StringMap
	// Limit is the time without data after which the alarm fires, in whole hours. CloudWatch
	// evaluates at most seven days.
	Limit time.Duration
	// TopicARN is the SNS topic of the notifications. Empty means no notification.
	TopicARN string
}

// New creates the alarm. An hour in which nothing happens has no data, so missing data is treated as
// breaching. A new alarm also fires if its metric has no data yet. So create it after the resource
// that sends the metric.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) error {
	const period = time.Hour
	alarm := &cloudwatch.MetricAlarmArgs{
		Name:               pulumi.String(name),
		AlarmDescription:   pulumi.String(scaling.AlarmDescription(args.Runbook, args.Text)),
		Namespace:          pulumi.String(args.Namespace),
		MetricName:         pulumi.String(args.MetricName),
		Dimensions:         args.Dimensions,
		Statistic:          pulumi.String("Sum"),
		Period:             pulumi.Int(int(period.Seconds())),
		EvaluationPeriods:  pulumi.Int(int(args.Limit / period)),
		ComparisonOperator: pulumi.String(scaling.Below),
		Threshold:          pulumi.Float64(1),
		TreatMissingData:   pulumi.String("breaching"),
	}
	if args.TopicARN != "" {
		topics := pulumi.Array{pulumi.String(args.TopicARN)}
		alarm.AlarmActions, alarm.OkActions = topics, topics
	}
	if _, err := cloudwatch.NewMetricAlarm(ctx, name, alarm, opts...); err != nil {
		return fmt.Errorf("alarm %s: %w", name, err)
	}
	return nil
}

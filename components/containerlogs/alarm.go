package containerlogs

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/scaling"
)

// createAlarm creates an alarm that fires when a log group gets no logs. Some pods of the group
// must always write logs: the Cluster Autoscaler at each scan, and Prometheus every two hours, when
// it writes a block. CloudWatch has no data for a group that gets nothing, so missing data is
// treated as breaching. The alarm is created after the pods. The alarm leaves the state ALARM when
// the first log lines arrive.
func (b *builder) createAlarm(group *cloudwatch.LogGroup, pods pulumi.Resource) error {
	const period = time.Hour
	args := &cloudwatch.MetricAlarmArgs{
		Name:               pulumi.String(b.name + "-silent"),
		AlarmDescription:   pulumi.String(scaling.AlarmDescription("logs-silent", fmt.Sprintf("No container log has arrived for %s: logs of ended pods are lost", scaling.MaxLogSilence))),
		Namespace:          pulumi.String("AWS/Logs"),
		MetricName:         pulumi.String("IncomingLogEvents"),
		Dimensions:         pulumi.StringMap{"LogGroupName": group.Name},
		Statistic:          pulumi.String("Sum"),
		Period:             pulumi.Int(int(period.Seconds())),
		EvaluationPeriods:  pulumi.Int(int(scaling.MaxLogSilence / period)),
		ComparisonOperator: pulumi.String(scaling.Below),
		Threshold:          pulumi.Float64(1),
		TreatMissingData:   pulumi.String("breaching"),
	}
	if topic := b.args.AlarmTopicARN; topic != "" {
		topics := pulumi.Array{pulumi.String(topic)}
		args.AlarmActions, args.OkActions = topics, topics
	}
	if _, err := cloudwatch.NewMetricAlarm(b.ctx, b.name+"-silent", args, b.parent, pulumi.DependsOn([]pulumi.Resource{pods})); err != nil {
		return fmt.Errorf("alarm of %s: %w", b.name, err)
	}
	return nil
}

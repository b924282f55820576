package containerlogs

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/absencealarm"
	"github.com/progressive-framework/platform/components/scaling"
)

// createAlarm creates an alarm that fires when a log group gets no logs. Some pods of the group
// must always write logs: the Cluster Autoscaler at each scan, and Prometheus every two hours, when
// it writes a block. The alarm is created after the pods. It leaves the state ALARM when the first
// log lines arrive.
func (b *builder) createAlarm(group *cloudwatch.LogGroup, pods pulumi.Resource) error {
	return absencealarm.New(b.ctx, b.name+"-silent", &absencealarm.Args{
		Runbook:   "logs-silent",
		Text:      fmt.Sprintf("No container log has arrived for %s: logs of ended pods are lost", scaling.MaxLogSilence),
		Namespace: "AWS/Logs", MetricName: "IncomingLogEvents", Dimensions: pulumi.StringMap{"LogGroupName": group.Name},
		Limit: scaling.MaxLogSilence, TopicARN: b.args.AlarmTopicARN,
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{pods}))
}

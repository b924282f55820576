package tier

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/tier/instancespec"
)

// createImageAgeAlarm creates the alarm for a node image that is too old. CloudWatch has no metric
// for the age, so the alarm computes the age from the time. The function EPOCH returns the time of
// each point of a metric, in seconds since 1970. It returns the time even if the metric has no
// value (CloudWatch User Guide, "Using math expressions with CloudWatch metrics"). The value of the
// metric is not used. Without a release the age is not known, and there is no alarm.
func (b *builder) createImageAgeAlarm() error {
	release := b.args.Image.Release
	if release.Date.IsZero() {
		return nil
	}
	const suffix, period = "image-age", int(time.Hour / time.Second)
	days := int(instancespec.MaxImageAge / (24 * time.Hour))
	args := &cloudwatch.MetricAlarmArgs{
		Name:             pulumi.String(b.args.groupName() + "-" + suffix),
		AlarmDescription: pulumi.String(scaling.AlarmDescription(suffix, fmt.Sprintf("The node image %s is more than %d days old. Change tiers.%s.release", release, days, string(b.args.Profile.Name)))),
		MetricQueries: cloudwatch.MetricAlarmMetricQueryArray{
			&cloudwatch.MetricAlarmMetricQueryArgs{
				Id: pulumi.String("days"), Label: pulumi.String("Days since the release"), ReturnData: pulumi.Bool(true),
				Expression: pulumi.Sprintf("(EPOCH(cpu) - %d) / 86400", release.Date.Unix()),
			},
			&cloudwatch.MetricAlarmMetricQueryArgs{
				Id: pulumi.String("cpu"),
				Metric: &cloudwatch.MetricAlarmMetricQueryMetricArgs{
					Namespace: pulumi.String(scaling.GroupNamespace), MetricName: pulumi.String("CPUUtilization"), Stat: pulumi.String("Average"),
					Dimensions: pulumi.StringMap{"AutoScalingGroupName": b.group.Name}, Period: pulumi.Int(period),
				},
			},
		},
		ComparisonOperator: pulumi.String(scaling.Above),
		Threshold:          pulumi.Float64(days),
		EvaluationPeriods:  pulumi.Int(1),
		TreatMissingData:   pulumi.String("ignore"),
	}
	if b.args.AlarmTopicARN != "" {
		args.AlarmActions = pulumi.Array{pulumi.String(b.args.AlarmTopicARN)}
	}
	if _, err := cloudwatch.NewMetricAlarm(b.ctx, b.name+"-"+suffix, args, b.parent); err != nil {
		return fmt.Errorf("alarm %s: %w", suffix, err)
	}
	return nil
}

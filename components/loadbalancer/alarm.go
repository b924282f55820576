package loadbalancer

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/loadbalancer/routing"
	"github.com/progressive-framework/platform/components/scaling"
)

// errorRateExpression is the percentage of requests with a 5xx response of a target or of the
// load balancer itself. AWS publishes no metric when a count is 0 (ELB User Guide, "CloudWatch
// metrics for your Application Load Balancer"), so FILL replaces missing counts. A missing number
// of requests becomes 1. So errors without counted requests raise the alarm, and missing data
// alone does not.
const errorRateExpression = "100 * (FILL(targets, 0) + FILL(balancer, 0)) / FILL(requests, 1)"

// errorMetrics are the metrics of errorRateExpression. id is the name of the metric in the
// expression, and name is the name in CloudWatch.
var errorMetrics = []struct{ id, name string }{
	{"targets", "HTTPCode_Target_5XX_Count"},
	{"balancer", "HTTPCode_ELB_5XX_Count"},
	{"requests", "RequestCount"},
}

// newErrorAlarm creates the alarm for too many failed requests, and returns its name.
func (b *builder) newErrorAlarm(balancer *lb.LoadBalancer) (pulumi.StringOutput, error) {
	spec := scaling.ErrorRateAlarm()
	period := pulumi.Int(int(spec.Period.Seconds()))
	queries := cloudwatch.MetricAlarmMetricQueryArray{&cloudwatch.MetricAlarmMetricQueryArgs{
		Id: pulumi.String("rate"), Label: pulumi.String("Failed requests in percent"), Expression: pulumi.String(errorRateExpression), ReturnData: pulumi.Bool(true),
	}}
	for _, metric := range errorMetrics {
		queries = append(queries, &cloudwatch.MetricAlarmMetricQueryArgs{
			Id: pulumi.String(metric.id),
			Metric: &cloudwatch.MetricAlarmMetricQueryMetricArgs{
				Namespace:  pulumi.String(scaling.TargetGroupNamespace),
				MetricName: pulumi.String(metric.name),
				Dimensions: pulumi.StringMap{"LoadBalancer": balancer.ArnSuffix},
				Period:     period,
				Stat:       pulumi.String("Sum"),
			},
		})
	}
	args := &cloudwatch.MetricAlarmArgs{
		Name:               pulumi.String(routing.BalancerName(b.args.Environment) + "-" + spec.Name),
		AlarmDescription:   pulumi.String(scaling.AlarmDescription(spec.Name, fmt.Sprintf("More than %s of all requests fail", spec.Threshold))),
		MetricQueries:      queries,
		ComparisonOperator: pulumi.String(scaling.Above),
		Threshold:          pulumi.Float64(spec.Threshold),
		EvaluationPeriods:  pulumi.Int(spec.Evaluations),
		TreatMissingData:   pulumi.String("notBreaching"),
		Tags:               b.tags(spec.Name),
	}
	if b.args.AlarmTopicARN != "" {
		topics := pulumi.Array{pulumi.String(b.args.AlarmTopicARN)}
		args.AlarmActions, args.OkActions = topics, topics
	}
	alarm, err := cloudwatch.NewMetricAlarm(b.ctx, b.name+"-"+spec.Name, args, b.parent)
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("alarm %s: %w", spec.Name, err)
	}
	return alarm.Name, nil
}

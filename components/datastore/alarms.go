package datastore

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/scaling"
)

// maxServersPerAlarm is the largest number of servers for one alarm: CloudWatch allows 10
// metrics in an alarm, and the expression is one of them (CloudWatch User Guide, "Use
// metric math").
const maxServersPerAlarm = 9

// AlarmArgs are the arguments of NewAlarms.
type AlarmArgs struct {
	Alarms scaling.NodeAlarms
	// Dimension is the CloudWatch dimension that has the name of a server. Nodes are the names
	// of the servers.
	Dimension string
	Nodes     []string
	// TopicARN is the SNS topic of the notifications. Empty means no notification.
	TopicARN string
}

// NewAlarms creates the alarms of a store. An alarm compares the worst value of its
// servers with the threshold. A store with more than nine servers has several alarms.
func NewAlarms(ctx *pulumi.Context, name string, args *AlarmArgs, parent pulumi.ResourceOption) error {
	for _, a := range args.Alarms {
		alarmNumber := 0
		for nodes := range slices.Chunk(args.Nodes, maxServersPerAlarm) {
			alarmNumber++
			suffix := a.Name
			if alarmNumber > 1 {
				suffix = fmt.Sprintf("%s-%d", a.Name, alarmNumber)
			}
			alarm := &cloudwatch.MetricAlarmArgs{
				Name:               pulumi.String(name + "-" + suffix),
				AlarmDescription:   pulumi.String(scaling.AlarmDescription(a.Name, fmt.Sprintf("%s: %s is beyond %v for %d minutes", name, a.Metric, a.Threshold, a.Evaluations))),
				MetricQueries:      metricQueries(a, args.Dimension, nodes),
				ComparisonOperator: pulumi.String(a.Comparison),
				Threshold:          pulumi.Float64(a.Threshold),
				EvaluationPeriods:  pulumi.Int(a.Evaluations),
				TreatMissingData:   pulumi.String("ignore"), // during a restart or a failover there is no data
			}
			if args.TopicARN != "" {
				topics := pulumi.Array{pulumi.String(args.TopicARN)}
				alarm.AlarmActions, alarm.OkActions = topics, topics
			}
			if _, err := cloudwatch.NewMetricAlarm(ctx, name+"-"+suffix, alarm, parent); err != nil {
				return fmt.Errorf("alarm %s-%s: %w", name, suffix, err)
			}
		}
	}
	return nil
}

// metricQueries returns the expression for the worst value, and the metric of each server.
func metricQueries(a scaling.Alarm, dimension string, nodes []string) cloudwatch.MetricAlarmMetricQueryArray {
	expression := "MAX(METRICS())"
	if a.Comparison == scaling.Below {
		expression = "MIN(METRICS())"
	}
	queries := cloudwatch.MetricAlarmMetricQueryArray{&cloudwatch.MetricAlarmMetricQueryArgs{
		Id: pulumi.String("worst"), Label: pulumi.String(a.Metric), Expression: pulumi.String(expression), ReturnData: pulumi.Bool(true),
	}}
	for i, node := range nodes {
		queries = append(queries, &cloudwatch.MetricAlarmMetricQueryArgs{
			Id: pulumi.Sprintf("node%d", i),
			Metric: &cloudwatch.MetricAlarmMetricQueryMetricArgs{
				Namespace:  pulumi.String(a.Namespace),
				MetricName: pulumi.String(a.Metric),
				Dimensions: pulumi.StringMap{dimension: pulumi.String(node)},
				Period:     pulumi.Int(int(a.Period.Seconds())),
				Stat:       pulumi.String(a.Statistic),
			},
		})
	}
	return queries
}

package tier

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/scaling"
)

// createScaling creates the scaling policies and the alarms of the plan.
func (b *builder) createScaling() error {
	policies := map[scaling.Direction]pulumi.StringOutput{}
	for _, direction := range []scaling.Direction{scaling.Out, scaling.In} {
		policy, ok := b.plan.Policies[direction]
		if !ok {
			continue
		}
		created, err := autoscaling.NewPolicy(b.ctx, b.name+"-"+policy.Name, &autoscaling.PolicyArgs{
			Name:                 pulumi.String(policy.Name),
			AutoscalingGroupName: b.group.Name,
			PolicyType:           pulumi.String("SimpleScaling"),
			AdjustmentType:       pulumi.String("ChangeInCapacity"),
			ScalingAdjustment:    pulumi.Int(policy.Adjustment),
			Cooldown:             pulumi.Int(int(policy.Cooldown.Seconds())),
		}, b.parent)
		if err != nil {
			return fmt.Errorf("scaling policy %s: %w", policy.Name, err)
		}
		policies[direction] = created.Arn
	}
	for _, a := range b.plan.Alarms {
		for _, s := range b.metricSources(a.Namespace) {
			if err := b.createAlarm(a, s, policies); err != nil {
				return err
			}
		}
	}
	return nil
}

// metricSource is the Auto Scaling Group or the target group that an alarm's metric is about.
type metricSource struct {
	// suffix is the end of the alarm's name.
	suffix     string
	dimensions pulumi.StringMap
}

// metricSources returns the metric sources of a namespace: the group, or each target group.
func (b *builder) metricSources(namespace scaling.MetricNamespace) []metricSource {
	if namespace == scaling.GroupNamespace {
		return []metricSource{{dimensions: pulumi.StringMap{"AutoScalingGroupName": b.group.Name}}}
	}
	var sources []metricSource
	for _, t := range b.args.Targets {
		sources = append(sources, metricSource{"-" + t.Name, pulumi.StringMap{
			"LoadBalancer": b.args.LoadBalancer, "TargetGroup": t.ARNSuffix,
		}})
	}
	return sources
}

// createAlarm creates an alarm that starts the policy of its direction. Without such a policy the
// alarm notifies people.
func (b *builder) createAlarm(a scaling.Alarm, s metricSource, policies map[scaling.Direction]pulumi.StringOutput) error {
	nameSuffix := a.Name + s.suffix
	description := fmt.Sprintf("%s nodes are near their limit. Cluster Autoscaler adds nodes for pods that wait, not for load", string(b.args.Profile.Name))
	args := &cloudwatch.MetricAlarmArgs{
		Name:               pulumi.String(b.args.groupName() + "-" + nameSuffix),
		Namespace:          pulumi.String(a.Namespace),
		MetricName:         pulumi.String(a.Metric),
		Statistic:          pulumi.String(a.Statistic),
		Dimensions:         s.dimensions,
		ComparisonOperator: pulumi.String(a.Comparison),
		Threshold:          pulumi.Float64(a.Threshold),
		Period:             pulumi.Int(int(a.Period.Seconds())),
		EvaluationPeriods:  pulumi.Int(a.Evaluations),
		TreatMissingData:   pulumi.String("notBreaching"), // a tier without requests has no response times
	}
	if policy, ok := policies[a.Direction]; ok {
		description = "Starts " + b.plan.Policies[a.Direction].Name
		args.AlarmActions = pulumi.Array{policy}
	} else if b.args.AlarmTopicARN != "" {
		topic := pulumi.Array{pulumi.String(b.args.AlarmTopicARN)}
		args.AlarmActions, args.OkActions = topic, topic
	}
	args.AlarmDescription = pulumi.String(scaling.AlarmDescription(a.Name, description))
	if _, err := cloudwatch.NewMetricAlarm(b.ctx, b.name+"-"+nameSuffix, args, b.parent); err != nil {
		return fmt.Errorf("alarm %s: %w", nameSuffix, err)
	}
	return nil
}

package tier

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/scaling"
)

// scale creates the scaling policies and the alarms of the plan.
func (b *builder) scale() error {
	policies := map[scaling.Direction]pulumi.StringOutput{}
	for _, direction := range []scaling.Direction{scaling.Out, scaling.In} {
		step, owned := b.plan.Steps[direction]
		if !owned {
			continue
		}
		policy, err := autoscaling.NewPolicy(b.ctx, b.name+"-"+step.Name, &autoscaling.PolicyArgs{
			Name:                 pulumi.String(step.Name),
			AutoscalingGroupName: b.group.Name,
			PolicyType:           pulumi.String("SimpleScaling"),
			AdjustmentType:       pulumi.String("ChangeInCapacity"),
			ScalingAdjustment:    pulumi.Int(step.Adjustment),
			Cooldown:             pulumi.Int(int(step.Cooldown.Seconds())),
		}, b.parent)
		if err != nil {
			return fmt.Errorf("scaling policy %s: %w", step.Name, err)
		}
		policies[direction] = policy.Arn
	}
	for _, a := range b.plan.Alarms {
		for _, w := range b.watched(a.Scope) {
			if err := b.alarm(a, w, policies); err != nil {
				return err
			}
		}
	}
	return nil
}

// watched is the group or the target group of an alarm's metric.
type watched struct {
	name       string
	dimensions pulumi.StringMap
}

func (b *builder) watched(scope scaling.Scope) []watched {
	if scope == scaling.GroupScope {
		return []watched{{dimensions: pulumi.StringMap{"AutoScalingGroupName": b.group.Name}}}
	}
	var all []watched
	for _, t := range b.args.Targets {
		all = append(all, watched{"-" + t.Name, pulumi.StringMap{
			"LoadBalancer": b.args.LoadBalancer, "TargetGroup": t.ARNSuffix,
		}})
	}
	return all
}

// alarm creates an alarm that starts a policy in its direction, or tells people.
func (b *builder) alarm(a scaling.Alarm, w watched, policies map[scaling.Direction]pulumi.StringOutput) error {
	part := a.Name + w.name
	args := &cloudwatch.MetricAlarmArgs{
		Name:               pulumi.String(b.args.groupName() + "-" + part),
		Namespace:          pulumi.String(a.Scope),
		MetricName:         pulumi.String(a.Metric),
		Statistic:          pulumi.String(a.Statistic),
		Dimensions:         w.dimensions,
		ComparisonOperator: pulumi.String(a.Comparison),
		Threshold:          pulumi.Float64(a.Threshold),
		Period:             pulumi.Int(int(a.Period.Seconds())),
		EvaluationPeriods:  pulumi.Int(a.Evaluations),
		TreatMissingData:   pulumi.String("notBreaching"), // a tier without requests has no response times
	}
	if policy, driven := policies[a.Direction]; driven {
		args.AlarmDescription = pulumi.String("Starts " + b.plan.Steps[a.Direction].Name)
		args.AlarmActions = pulumi.Array{policy}
	} else {
		args.AlarmDescription = pulumi.Sprintf("%s nodes are near their limit. Cluster Autoscaler adds nodes for pods that wait, not for load", string(b.args.Profile.Name))
		if b.args.AlarmTopicARN != "" {
			topic := pulumi.Array{pulumi.String(b.args.AlarmTopicARN)}
			args.AlarmActions, args.OkActions = topic, topic
		}
	}
	if _, err := cloudwatch.NewMetricAlarm(b.ctx, b.name+"-"+part, args, b.parent); err != nil {
		return fmt.Errorf("alarm %s: %w", part, err)
	}
	return nil
}

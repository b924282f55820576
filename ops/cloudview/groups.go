package cloudview

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/progressive-framework/platform/ops/diagnose"
)

const (
	// activities and refreshes are how many of the newest scaling activities and instance refreshes
	// are read.
	activities, refreshes = 10, 3
)

// readTargets reads the health of the targets in the target groups of Auto Scaling groups.
func (v *view) readTargets(ctx context.Context, groups []string) {
	const what = "target health"
	out, err := v.groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: groups})
	if err != nil {
		v.store(diagnose.App, what, err, nil)
		return
	}
	seen := map[string]bool{}
	for _, group := range out.AutoScalingGroups {
		for _, arn := range group.TargetGroupARNs {
			if seen[arn] {
				continue
			}
			seen[arn] = true
			health, err := v.targets.DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: aws.String(arn)})
			v.store(diagnose.App, what+" of "+targetGroup(arn), err, func() {
				for _, d := range health.TargetHealthDescriptions {
					target := diagnose.Target{Group: targetGroup(arn), GroupARN: arn}
					if d.Target != nil {
						target.ID = aws.ToString(d.Target.Id)
					}
					if d.TargetHealth != nil {
						target.State, target.Reason, target.Description = string(d.TargetHealth.State), string(d.TargetHealth.Reason), aws.ToString(d.TargetHealth.Description)
					}
					v.cloud.Targets = append(v.cloud.Targets, target)
				}
			})
		}
	}
}

// targetGroup returns the name in the ARN of a target group,
// arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID.
func targetGroup(arn string) string {
	if parts := strings.Split(arn, "/"); len(parts) == 3 {
		return parts[1]
	}
	return arn
}

func (v *view) readActivities(ctx context.Context, group string) {
	out, err := v.groups.DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: aws.String(group), MaxRecords: aws.Int32(activities)})
	v.store(diagnose.Scaling, "scaling activities of "+group, err, func() {
		for _, a := range out.Activities {
			v.cloud.Activities = append(v.cloud.Activities, diagnose.Activity{
				Group: group, Status: string(a.StatusCode), Description: aws.ToString(a.Description), Message: aws.ToString(a.StatusMessage), Started: aws.ToTime(a.StartTime),
			})
		}
	})
}

func (v *view) readRefreshes(ctx context.Context, group string) {
	out, err := v.groups.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: aws.String(group), MaxRecords: aws.Int32(refreshes)})
	v.store(diagnose.Scaling, "instance refreshes of "+group, err, func() {
		for _, r := range out.InstanceRefreshes {
			v.cloud.Refreshes = append(v.cloud.Refreshes, diagnose.Refresh{
				Group: group, ID: aws.ToString(r.InstanceRefreshId), Status: string(r.Status), Reason: aws.ToString(r.StatusReason),
				Percent: int(aws.ToInt32(r.PercentageComplete)), Started: aws.ToTime(r.StartTime),
			})
		}
	})
}

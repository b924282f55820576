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
	// maxActivities and maxRefreshes limit the numbers of scaling activities and instance refreshes.
	// AWS returns the newest ones first.
	maxActivities, maxRefreshes = 10, 3
)

// readTargets reads the health of the targets in the target groups of Auto Scaling groups.
func (c *collector) readTargets(ctx context.Context, groups []string) {
	const what = "target health"
	out, err := c.groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: groups})
	if err != nil {
		c.record(diagnose.App, what, err, nil)
		return
	}
	seen := map[string]bool{}
	for _, group := range out.AutoScalingGroups {
		for _, arn := range group.TargetGroupARNs {
			if seen[arn] {
				continue
			}
			seen[arn] = true
			health, err := c.targets.DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: aws.String(arn)})
			c.record(diagnose.App, what+" of "+targetGroupName(arn), err, func() {
				for _, d := range health.TargetHealthDescriptions {
					target := diagnose.Target{Group: targetGroupName(arn), GroupARN: arn}
					if d.Target != nil {
						target.ID = aws.ToString(d.Target.Id)
					}
					if d.TargetHealth != nil {
						target.State, target.Reason, target.Description = string(d.TargetHealth.State), string(d.TargetHealth.Reason), aws.ToString(d.TargetHealth.Description)
					}
					c.cloud.Targets = append(c.cloud.Targets, target)
				}
			})
		}
	}
}

// targetGroupName returns the name in the ARN of a target group,
// arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID. It returns the ARN itself if
// the ARN has another form.
func targetGroupName(arn string) string {
	if parts := strings.Split(arn, "/"); len(parts) == 3 {
		return parts[1]
	}
	return arn
}

func (c *collector) readActivities(ctx context.Context, group string) {
	out, err := c.groups.DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: aws.String(group), MaxRecords: aws.Int32(maxActivities)})
	c.record(diagnose.Scaling, "scaling activities of "+group, err, func() {
		for _, a := range out.Activities {
			c.cloud.Activities = append(c.cloud.Activities, diagnose.Activity{
				Group: group, Status: string(a.StatusCode), Description: aws.ToString(a.Description), Message: aws.ToString(a.StatusMessage), Started: aws.ToTime(a.StartTime),
			})
		}
	})
}

func (c *collector) readRefreshes(ctx context.Context, group string) {
	out, err := c.groups.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: aws.String(group), MaxRecords: aws.Int32(maxRefreshes)})
	c.record(diagnose.Scaling, "instance refreshes of "+group, err, func() {
		for _, r := range out.InstanceRefreshes {
			c.cloud.Refreshes = append(c.cloud.Refreshes, diagnose.Refresh{
				Group: group, ID: aws.ToString(r.InstanceRefreshId), Status: string(r.Status), Reason: aws.ToString(r.StatusReason),
				Percent: int(aws.ToInt32(r.PercentageComplete)), Started: aws.ToTime(r.StartTime),
			})
		}
	})
}

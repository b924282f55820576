package tier

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/scaling"
)

// autoScalingGroup creates the group after everything that its nodes need to join. The
// desired capacity is set only once. After that the autoscaler changes it, and no update
// resets it. The group uses the template's version number, because with "$Latest" a new
// version would be no change and replace no instance.
func (b *builder) autoScalingGroup(template *ec2.LaunchTemplate) (*autoscaling.Group, error) {
	args, p := b.args, b.args.Profile
	targets := pulumi.StringArray{}
	for _, t := range args.Targets {
		targets = append(targets, t.ARN)
	}
	health := "EC2"
	if args.TargetsAskNode {
		health = "ELB"
	}
	overrides := autoscaling.GroupMixedInstancesPolicyLaunchTemplateOverrideArray{}
	for _, t := range args.Fleet.InstanceTypes {
		overrides = append(overrides, &autoscaling.GroupMixedInstancesPolicyLaunchTemplateOverrideArgs{InstanceType: pulumi.String(t)})
	}
	group, err := autoscaling.NewGroup(b.ctx, b.name+"-group", &autoscaling.GroupArgs{
		Name:                   pulumi.String(args.groupName()),
		MinSize:                pulumi.Int(p.Size.Min),
		MaxSize:                pulumi.Int(p.Size.Max),
		DesiredCapacity:        pulumi.Int(p.Size.Desired),
		VpcZoneIdentifiers:     args.SubnetIDs,
		TargetGroupArns:        targets,
		HealthCheckType:        pulumi.String(health),
		HealthCheckGracePeriod: pulumi.Int(int(p.HealthCheckGrace.Seconds())),
		SuspendedProcesses:     pulumi.ToStringArray(b.plan.Suspended),
		CapacityRebalance:      pulumi.Bool(args.Fleet.SpotShare > 0),
		MixedInstancesPolicy: &autoscaling.GroupMixedInstancesPolicyArgs{
			InstancesDistribution: &autoscaling.GroupMixedInstancesPolicyInstancesDistributionArgs{
				OnDemandAllocationStrategy:          pulumi.String("prioritized"),
				OnDemandBaseCapacity:                pulumi.Int(args.Fleet.OnDemandBase),
				OnDemandPercentageAboveBaseCapacity: pulumi.Int(100 - int(args.Fleet.SpotShare)),
				SpotAllocationStrategy:              pulumi.String("price-capacity-optimized"),
			},
			LaunchTemplate: &autoscaling.GroupMixedInstancesPolicyLaunchTemplateArgs{
				LaunchTemplateSpecification: &autoscaling.GroupMixedInstancesPolicyLaunchTemplateLaunchTemplateSpecificationArgs{
					LaunchTemplateId: template.ID(),
					Version:          pulumi.Sprintf("%d", template.LatestVersion),
				},
				Overrides: overrides,
			},
		},
		InstanceRefresh: &autoscaling.GroupInstanceRefreshArgs{
			Strategy: pulumi.String("Rolling"),
			Preferences: &autoscaling.GroupInstanceRefreshPreferencesArgs{
				MinHealthyPercentage: pulumi.Int(int(p.Refresh.MinHealthy)),
				InstanceWarmup:       pulumi.String(strconv.Itoa(int(p.Refresh.Warmup.Seconds()))),
			},
			Triggers: pulumi.ToStringArray([]string{"tag"}), // a change of the template always triggers a refresh
		},
		Tags: b.groupTags(),
	}, b.parent,
		pulumi.IgnoreChanges([]string{"desiredCapacity"}),
		pulumi.DependsOn(args.Cluster.NodesNeed),
		pulumi.DeleteBeforeReplace(true)) // the name is fixed, so two groups can't exist together
	if err != nil {
		return nil, fmt.Errorf("Auto Scaling Group of tier %s: %w", p.Name, err)
	}
	return group, nil
}

// groupTags returns the tags of the instances, and the tags of the group only.
func (b *builder) groupTags() autoscaling.GroupTagArray {
	var tags autoscaling.GroupTagArray
	for _, set := range []struct {
		tags   map[string]string
		launch bool
	}{{b.instanceTags(), true}, {b.plan.DiscoveryTags, false}} {
		for _, key := range slices.Sorted(maps.Keys(set.tags)) {
			tags = append(tags, &autoscaling.GroupTagArgs{
				Key: pulumi.String(key), Value: pulumi.String(set.tags[key]), PropagateAtLaunch: pulumi.Bool(set.launch),
			})
		}
	}
	return tags
}

// drainHold is how long an instance waits for its drain before it terminates. It is
// twice the termination grace period of a pod.
const drainHold = 2 * scaling.TerminationGrace

// lifecycleHook delays the termination of an instance. At that time the load balancer
// has already deregistered it. The Cluster Autoscaler drains an instance before it
// terminates it. For other terminations, a handler such as aws-node-termination-handler
// could drain the instance and complete the hook. The platform has no such handler, so
// the hook times out. Then the kubelet terminates the pods in order while the node
// shuts down.
func (b *builder) lifecycleHook() error {
	_, err := autoscaling.NewLifecycleHook(b.ctx, b.name+"-drain", &autoscaling.LifecycleHookArgs{
		Name:                 pulumi.String(b.args.Profile.GroupName + "-drain"),
		AutoscalingGroupName: b.group.Name,
		LifecycleTransition:  pulumi.String("autoscaling:EC2_INSTANCE_TERMINATING"),
		HeartbeatTimeout:     pulumi.Int(int(drainHold.Seconds())),
		DefaultResult:        pulumi.String("CONTINUE"),
	}, b.parent)
	if err != nil {
		return fmt.Errorf("lifecycle hook of tier %s: %w", b.args.Profile.Name, err)
	}
	return nil
}

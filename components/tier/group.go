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

// newAutoScalingGroup creates the group after everything that its nodes need to join. The Pulumi
// program sets the desired capacity only at the creation. Later the autoscaler changes the
// capacity, and no update resets it. The group refers to the template's version by its number. With
// "$Latest" a new version would not change the group, so no instance would be replaced.
func (b *builder) newAutoScalingGroup(template *ec2.LaunchTemplate) (*autoscaling.Group, error) {
	args, p := b.args, b.args.Profile
	targets := pulumi.StringArray{}
	for _, t := range args.Targets {
		targets = append(targets, t.ARN)
	}
	healthCheckType := "EC2"
	if args.TargetsCheckNode {
		healthCheckType = "ELB"
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
		HealthCheckType:        pulumi.String(healthCheckType),
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
			Strategy:    pulumi.String("Rolling"),
			Preferences: b.refreshPreferences(),
		},
		Tags: b.groupTags(),
	}, b.parent,
		pulumi.IgnoreChanges([]string{"desiredCapacity"}),
		pulumi.DependsOn(args.Cluster.NodeDependencies),
		pulumi.DeleteBeforeReplace(true)) // the name is fixed, so two groups can't exist together
	if err != nil {
		return nil, fmt.Errorf("Auto Scaling Group of tier %s: %w", p.Name, err)
	}
	return group, nil
}

// refreshPreferences returns the settings of an instance refresh. Only a new template version or
// other instance types start a refresh. Changed tags do not. A new instance counts as healthy only
// when it is in service. The launch hook of package terminationhandler keeps the instance out of
// service until its node is ready.
//
// A refresh that fails stops, and the nodes that it has not replaced stay. To go back, a person
// sets the previous release in the stack's configuration. SkipMatching then keeps the nodes that
// still have that release. AutoRollback is not set, because the provider updates the group before
// it starts the refresh (hashicorp/terraform-provider-aws, internal/service/autoscaling/group.go).
// So AWS would go back to the version that has just failed.
func (b *builder) refreshPreferences() *autoscaling.GroupInstanceRefreshPreferencesArgs {
	r := b.args.Profile.Refresh
	preferences := &autoscaling.GroupInstanceRefreshPreferencesArgs{
		MinHealthyPercentage: pulumi.Int(int(r.MinHealthy)),
		MaxHealthyPercentage: pulumi.Int(int(r.MaxHealthy)),
		InstanceWarmup:       pulumi.String(strconv.Itoa(int(r.Warmup.Seconds()))),
		CheckpointDelay:      pulumi.String(strconv.Itoa(int(r.CheckpointDelay.Seconds()))),
		SkipMatching:         pulumi.Bool(true),
	}
	var checkpoints pulumi.IntArray
	for _, share := range r.Checkpoints {
		checkpoints = append(checkpoints, pulumi.Int(int(share)))
	}
	preferences.CheckpointPercentages = checkpoints
	if len(b.args.RefreshAlarms) > 0 {
		preferences.AlarmSpecification = &autoscaling.GroupInstanceRefreshPreferencesAlarmSpecificationArgs{Alarms: b.args.RefreshAlarms}
	}
	return preferences
}

// groupTags returns the tags of the instances, which the group also has, and the discovery
// tags, which only the group has.
func (b *builder) groupTags() autoscaling.GroupTagArray {
	var tags autoscaling.GroupTagArray
	for _, set := range []struct {
		tags              map[string]string
		propagateAtLaunch bool // the instances also get the tags
	}{{b.instanceTags(), true}, {b.plan.DiscoveryTags, false}} {
		for _, key := range slices.Sorted(maps.Keys(set.tags)) {
			tags = append(tags, &autoscaling.GroupTagArgs{
				Key: pulumi.String(key), Value: pulumi.String(set.tags[key]), PropagateAtLaunch: pulumi.Bool(set.propagateAtLaunch),
			})
		}
	}
	return tags
}

// createDrainHook creates the hook that delays the termination of an instance until the
// handler of package terminationhandler has drained its node. The handler then completes the
// hook. By then the load balancer has deregistered the instance. If the handler does not
// complete the hook in time, the kubelet terminates the pods while the node shuts down.
func (b *builder) createDrainHook() error {
	_, err := autoscaling.NewLifecycleHook(b.ctx, b.name+"-drain", &autoscaling.LifecycleHookArgs{
		Name:                 pulumi.String(b.args.Profile.GroupName + "-drain"),
		AutoscalingGroupName: b.group.Name,
		LifecycleTransition:  pulumi.String("autoscaling:EC2_INSTANCE_TERMINATING"),
		HeartbeatTimeout:     pulumi.Int(int(scaling.DefaultDrain().HookTimeout.Seconds())),
		DefaultResult:        pulumi.String("CONTINUE"),
	}, b.parent)
	if err != nil {
		return fmt.Errorf("lifecycle hook of tier %s: %w", b.args.Profile.Name, err)
	}
	return nil
}

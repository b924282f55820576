package main

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/addons"
	"github.com/progressive-framework/platform/components/autoscaler"
	"github.com/progressive-framework/platform/components/autoscaler/manifest"
	"github.com/progressive-framework/platform/components/network"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/terminationhandler"
	"github.com/progressive-framework/platform/components/terminationhandler/terminationspec"
	"github.com/progressive-framework/platform/components/tier"
	"github.com/progressive-framework/platform/components/traffic"
	"github.com/progressive-framework/platform/infra/config"
)

// nodes are the worker nodes that the stack manages. The struct is empty if the stack does not
// manage the nodes of its cluster.
type nodes struct {
	// ready are the tiers, the add-ons and the admission policy that the platform's
	// pods wait for.
	ready []pulumi.Resource
	// groups are the names of the Auto Scaling Groups, by tier.
	groups pulumi.StringMap
}

// deployNodes creates the tiers of worker nodes, the add-ons that run on them, and the handler that
// drains them. If a tier is scaled by the Cluster Autoscaler, it also creates the Cluster
// Autoscaler.
func deployNodes(ctx *pulumi.Context, stack *config.Stack, base *base, vpc *network.Network, eks *eksCluster, origin *origin, images nodeImages) (*nodes, error) {
	if stack.Cluster.Nodes == config.NodesOwn {
		return &nodes{}, nil
	}
	tiers, err := stack.NodeTiers(eks.ClusterName)
	if err != nil {
		return nil, err
	}
	queue, err := deployEventQueue(ctx, stack, base, eks, tiers)
	if err != nil {
		return nil, err
	}
	created := &nodes{groups: pulumi.StringMap{}}
	var usesClusterAutoscaler bool
	var groups []terminationhandler.Group
	for _, t := range tiers {
		// Each tier is changed after the tier before it. AWS's provider does not wait for the end
		// of an instance refresh, so only the starts of the refreshes have this order.
		// config.FixedFields permits a new image for only one tier in an update.
		group, err := deployTier(ctx, stack, base, vpc, eks, origin, t, images[t.Profile.Name], queue, created.ready)
		if err != nil {
			return nil, err
		}
		created.ready = append(created.ready, group.Ready...)
		created.groups[string(t.Profile.Name)] = group.GroupName
		groups = append(groups, terminationhandler.Group{ShortName: string(t.Profile.Name), Name: group.GroupName, ARN: group.GroupARN})
		if _, ok := t.Owner.(scaling.ClusterAutoscaler); ok {
			usesClusterAutoscaler = true
		}
	}
	addOns, err := addons.NewAddons(ctx, stack.Name(), &addons.Args{
		Account: base.account, Cluster: eks.Cluster, KeyARN: base.key.ARN, Nodes: created.ready,
	}, eks.bothProviders)
	if err != nil {
		return nil, err
	}
	created.ready = append(created.ready, addOns.Ready...)
	image, err := resolveImage(ctx, base, stack.ThirdPartyImage(terminationspec.Image, terminationhandler.Repository))
	if err != nil {
		return nil, err
	}
	if _, err := terminationhandler.NewHandler(ctx, stack.Name(), &terminationhandler.Args{
		Account: base.account, Cluster: eks.Cluster, Queue: queue, Groups: groups, Image: image, Nodes: created.ready,
	}, eks.bothProviders); err != nil {
		return nil, err
	}
	if usesClusterAutoscaler {
		if err := deployClusterAutoscaler(ctx, stack, base, eks, created.ready); err != nil {
			return nil, err
		}
	}
	return created, nil
}

// deployClusterAutoscaler creates the Cluster Autoscaler after the resources in dependencies.
func deployClusterAutoscaler(ctx *pulumi.Context, stack *config.Stack, base *base, eks *eksCluster, dependencies []pulumi.Resource) error {
	upstream, err := manifest.Image(eks.Cluster.Versions.Autoscaler)
	if err != nil {
		return err
	}
	image, err := resolveImage(ctx, base, stack.ThirdPartyImage(upstream, autoscaler.Repository))
	if err != nil {
		return err
	}
	// The policy eks-autoscaler-version reads the version from the tag. A mirror's reference has
	// only the digest.
	if name, digest, byDigest := strings.Cut(string(image), "@"); byDigest {
		tag := upstream[strings.LastIndex(upstream, ":"):]
		image = pulumi.String(name + tag + "@" + digest)
	}
	_, err = autoscaler.NewAutoscaler(ctx, stack.Name(), &autoscaler.Args{
		Account: base.account, Cluster: eks.Cluster, Options: scaling.DefaultClusterAutoscaler(), Image: image, Nodes: dependencies,
	}, eks.bothProviders)
	return err
}

// deployEventQueue creates the queue of events about the tiers' instances. The queue is created
// after the cluster: until the cluster has nodes, nothing reads the queue, and the queue's alarm
// would fire.
func deployEventQueue(ctx *pulumi.Context, stack *config.Stack, base *base, eks *eksCluster, tiers []config.NodeTier) (*terminationhandler.Queue, error) {
	args := &terminationhandler.QueueArgs{AlarmTopicARN: stack.Edge.AlarmTopicARN}
	for _, t := range tiers {
		args.Groups = append(args.Groups, t.Profile.FullGroupName(stack.Environment))
	}
	queue, err := terminationhandler.NewQueue(ctx, stack.Name(), args, base.inRegion, pulumi.DependsOn(eks.Ready))
	if err != nil {
		return nil, fmt.Errorf("events about nodes: %w", err)
	}
	return queue, nil
}

// deployTier creates one tier of nodes after the resources in dependencies. With an origin, the
// tier's instances join the load balancer's target groups.
func deployTier(ctx *pulumi.Context, stack *config.Stack, base *base, vpc *network.Network, eks *eksCluster, origin *origin, t config.NodeTier,
	image config.NodeImage, queue *terminationhandler.Queue, dependencies []pulumi.Resource,
) (*tier.Tier, error) {
	args := &tier.Args{
		Profile:     t.Profile,
		Owner:       t.Owner,
		Environment: stack.Environment,
		Cluster:     eks.Cluster,
		SubnetIDs:   vpc.SubnetIDs[subnet.PrivateApp],
		Fleet:       t.Fleet,
		Image:       tier.Image(image),
		KeyARN:      base.key.ARN,
		Tags:        stack.OwnTags(),
		// These alarms stop an instance refresh: no node is replaced while the termination handler
		// does not work or requests fail.
		RefreshAlarms: pulumi.StringArray{queue.AlarmName},
		AlarmTopicARN: stack.Edge.AlarmTopicARN,
	}
	if origin != nil {
		args.RefreshAlarms = append(args.RefreshAlarms, origin.balancer.ErrorAlarm)
		args.LoadBalancer = origin.balancer.ARNSuffix
		for _, name := range traffic.TargetsOn(t.Profile.Name) {
			args.Targets = append(args.Targets, tier.Target{
				Name: name, ARN: origin.balancer.TargetGroupARNs[name], ARNSuffix: origin.balancer.TargetGroupSuffixes[name],
			})
		}
	}
	// Nodes need the routes, the endpoints and the rules that admit them before they can join.
	return tier.NewTier(ctx, stack.Name()+"-"+string(t.Profile.Name), args, base.inRegion, pulumi.DependsOn(append(append([]pulumi.Resource{}, vpc.Ready...), dependencies...)))
}

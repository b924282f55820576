package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/addons"
	"github.com/progressive-framework/platform/components/autoscaler"
	"github.com/progressive-framework/platform/components/network"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/tier"
	"github.com/progressive-framework/platform/components/traffic"
	"github.com/progressive-framework/platform/infra/config"
)

// nodes are the worker nodes that the stack manages; both fields are empty for a
// cluster with nodes of its own.
type nodes struct {
	// ready are the tiers and add-ons that pods wait for.
	ready []pulumi.Resource
	// groups are the names of the Auto Scaling Groups, by tier.
	groups pulumi.StringMap
}

// deployNodes creates the tiers of worker nodes, the add-ons that run on them,
// and the Cluster Autoscaler where a tier is scaled by it.
func deployNodes(ctx *pulumi.Context, stack *config.Stack, base *base, vpc *network.Network, eks *eksCluster, origin *origin) (*nodes, error) {
	if stack.Cluster.Nodes == config.NodesOwn {
		return &nodes{}, nil
	}
	tiers, err := stack.NodeTiers(eks.ClusterName)
	if err != nil {
		return nil, err
	}
	created := &nodes{groups: pulumi.StringMap{}}
	var autoscaled bool
	for _, t := range tiers {
		group, err := deployTier(ctx, stack, base, vpc, eks, origin, t)
		if err != nil {
			return nil, err
		}
		created.ready = append(created.ready, group.Settled...)
		created.groups[string(t.Profile.Name)] = group.GroupName
		if _, ok := t.Owner.(scaling.ClusterAutoscaler); ok {
			autoscaled = true
		}
	}
	installed, err := addons.NewAddons(ctx, stack.Name(), &addons.Args{
		Account: base.account, Cluster: eks.Cluster, KeyARN: base.key.ARN, Nodes: created.ready,
	}, eks.inBoth)
	if err != nil {
		return nil, err
	}
	created.ready = append(created.ready, installed.Settled...)
	if autoscaled {
		_, err = autoscaler.NewAutoscaler(ctx, stack.Name(), &autoscaler.Args{
			Account: base.account, Cluster: eks.Cluster, Options: scaling.DefaultClusterAutoscaler(), Nodes: created.ready,
		}, eks.inBoth)
	}
	return created, err
}

func deployTier(ctx *pulumi.Context, stack *config.Stack, base *base, vpc *network.Network, eks *eksCluster, origin *origin, t config.NodeTier) (*tier.Tier, error) {
	args := &tier.Args{
		Profile:     t.Profile,
		Owner:       t.Owner,
		Environment: stack.Environment,
		Cluster:     eks.Cluster,
		SubnetIDs:   vpc.SubnetIDs[subnet.PrivateApp],
		Fleet:       t.Fleet,
		ImageID:     t.ImageID,
		KeyARN:      base.key.ARN,
		Tags:        stack.OwnTags(),
	}
	if origin != nil {
		args.LoadBalancer = origin.balancer.ARNSuffix
		for _, name := range traffic.TargetsOn(t.Profile.Name) {
			args.Targets = append(args.Targets, tier.Target{
				Name: name, ARN: origin.balancer.TargetGroupARNs[name], ARNSuffix: origin.balancer.TargetGroupSuffixes[name],
			})
		}
	}
	// Nodes join by their routes, the endpoints and the rules that admit them.
	return tier.NewTier(ctx, stack.Name()+"-"+string(t.Profile.Name), args, base.inRegion, pulumi.DependsOn(vpc.Settled))
}

package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/addons"
	"github.com/progressive-framework/platform/components/autoscaler"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/tier"
	"github.com/progressive-framework/platform/infra/config"
)

// targetsOf are the target groups that a tier's instances join (section
// "Multi-Zone Scaling Strategy").
var targetsOf = map[scaling.TierName][]string{
	scaling.WebTier:         {"web"},
	scaling.ApplicationTier: {"app", "agents"},
}

// layNodes makes the tiers of worker nodes, the add-ons that run on them, and
// what scales them. A cluster with nodes of its own has none of it.
func (p *platform) layNodes() error {
	if p.stack.Cluster.Nodes == config.NodesOwn {
		return nil
	}
	tiers, err := p.stack.NodeTiers(p.cluster.ClusterName)
	if err != nil {
		return err
	}
	p.groups = pulumi.StringMap{}
	var autoscaled bool
	for _, t := range tiers {
		made, err := p.tier(t)
		if err != nil {
			return err
		}
		p.nodes = append(p.nodes, made)
		p.groups[string(t.Profile.Name)] = made.GroupName
		if _, ok := t.Driver.(scaling.ClusterAutoscaler); ok {
			autoscaled = true
		}
	}
	needed, err := addons.NewAddons(p.ctx, p.name, &addons.Args{
		Account: p.where, Cluster: p.cluster, KeyARN: p.key.ARN, Nodes: p.nodes,
	}, p.both)
	if err != nil {
		return err
	}
	p.nodes = append(p.nodes, needed)
	if !autoscaled {
		return nil
	}
	_, err = autoscaler.NewAutoscaler(p.ctx, p.name, &autoscaler.Args{
		Account: p.where, Cluster: p.cluster, Options: scaling.DefaultClusterAutoscaler(), Nodes: p.nodes,
	}, p.both)
	return err
}

func (p *platform) tier(t config.NodeTier) (*tier.Tier, error) {
	args := &tier.Args{
		Profile:     t.Profile,
		Driver:      t.Driver,
		Environment: p.stack.Environment,
		Cluster:     p.cluster,
		SubnetIDs:   p.network.SubnetIDs[subnet.PrivateApp],
		Fleet:       t.Fleet,
		ImageID:     t.ImageID,
		KeyARN:      p.key.ARN,
		Tags:        p.tags(),
	}
	if p.loadBalancer != nil {
		args.LoadBalancer = p.loadBalancer.ARNSuffix
		for _, name := range targetsOf[t.Profile.Name] {
			args.Targets = append(args.Targets, tier.Target{
				Name: name, ARN: p.loadBalancer.TargetGroupARNs[name], ARNSuffix: p.loadBalancer.TargetGroupSuffixes[name],
			})
		}
	}
	return tier.NewTier(p.ctx, p.name+"-"+string(t.Profile.Name), args, p.aws)
}

package main

// export gives out what the next steps need; docs/configuration.md lists it.
// Nothing in it is secret: secrets are named by their ARN.
func (p *platform) export() {
	p.ctx.Export("url", p.url())
	p.ctx.Export("images", p.services.images)
	p.ctx.Export("namespace", p.namespace)
	p.ctx.Export("vpcId", p.network.VPCID)
	p.ctx.Export("clusterName", p.cluster.Name)
	p.ctx.Export("kubeconfig", p.cluster.Kubeconfig)
	p.ctx.Export("keyArn", p.key.ARN)
	if len(p.groups) > 0 {
		p.ctx.Export("autoScalingGroups", p.groups)
	}
	if p.cdn != nil {
		p.ctx.Export("distributionId", p.cdn.DistributionID)
		p.ctx.Export("distributionDomain", p.cdn.DomainName)
		p.ctx.Export("staticBucket", p.cdn.StaticBucket)
		p.ctx.Export("loadBalancerDomain", p.loadBalancer.DNSName)
	}
	for name, store := range map[string]*store{"postgres": p.stores.postgres, "redis": p.stores.redis, "mongo": p.stores.mongo} {
		if store != nil {
			p.ctx.Export(name, store.output())
		}
	}
}

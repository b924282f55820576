package main

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/agents/web/site"
	"github.com/progressive-framework/platform/components/cdn"
	"github.com/progressive-framework/platform/components/certificate"
	"github.com/progressive-framework/platform/components/loadbalancer"
	"github.com/progressive-framework/platform/components/loadbalancer/routing"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/secret"
	"github.com/progressive-framework/platform/components/webacl"
	"github.com/progressive-framework/platform/infra/config"
)

// dns is what makes the users' names ours.
type dns struct {
	// zoneID is nil where somebody else keeps the records.
	zoneID pulumi.StringInput
	// edge makes what CloudFront takes from config.EdgeRegion.
	edge pulumi.ResourceOrInvokeOption
}

// layLoadBalancer makes the load balancer, its certificate and the secret that
// CloudFront shows it; without a domain there is none.
func (p *platform) layLoadBalancer() error {
	e := p.stack.Edge
	if e.Domain == "" {
		return nil
	}
	edge := p.aws
	if p.stack.Region != config.EdgeRegion {
		provider, err := p.provider("aws-edge", config.EdgeRegion)
		if err != nil {
			return err
		}
		edge = pulumi.Provider(provider)
	}
	p.dns = &dns{edge: edge}
	if e.Zone != "" {
		zone, err := route53.LookupZone(p.ctx, &route53.LookupZoneArgs{Name: &e.Zone}, p.aws)
		if err != nil {
			return fmt.Errorf("hosted zone %s of edge.zone: %w", e.Zone, err)
		}
		p.dns.zoneID = pulumi.String(zone.ZoneId)
	}
	origin, err := p.certificate(p.name+"-origin", e.OriginDomain(), e.OriginCertificateARN, p.aws)
	if err != nil {
		return err
	}
	shown, err := secret.NewSecret(p.ctx, p.name+"-origin", &secret.Args{
		KeyARN:      p.key.ARN,
		Description: "What CloudFront shows the load balancer of " + p.name,
		Generation:  e.OriginSecretGeneration,
		Unprotected: !p.stack.DeletionProtection,
	}, p.aws)
	if err != nil {
		return err
	}
	p.loadBalancer, err = loadbalancer.NewLoadBalancer(p.ctx, p.name, &loadbalancer.Args{
		Account:             p.where,
		Environment:         p.stack.Environment,
		VPCID:               p.network.VPCID,
		SubnetIDs:           p.network.SubnetIDs[subnet.Public],
		NodeSecurityGroupID: p.cluster.NodeSecurityGroupID,
		Targets:             targets(),
		OriginSecret:        shown,
		OriginDomain:        e.OriginDomain(),
		CertificateARN:      origin.ARN,
		ZoneID:              p.dns.zoneID,
		AlarmTopicARN:       e.AlarmTopicARN,
		Unprotected:         !p.stack.DeletionProtection,
	}, p.aws)
	return err
}

// targets are the design document's target groups: the main application's
// pages and its API, and the agents behind their master.
func targets() []routing.Target {
	web, agents := scaling.Web(), scaling.MCA()
	return []routing.Target{
		{Name: "web", NodePort: web.NodePort, HealthPath: web.Readiness.Path, Paths: []string{"/*"}},
		{Name: "app", NodePort: web.NodePort, HealthPath: web.Readiness.Path, Paths: []string{"/api/*", "/ws"}},
		{Name: "agents", NodePort: agents.NodePort, HealthPath: agents.Readiness.Path, Paths: []string{"/api/v1/agents/*"}},
	}
}

// certificate makes a certificate for a name, or takes the one that is given.
func (p *platform) certificate(name, domain, given string, provider pulumi.ResourceOption) (*certificate.Certificate, error) {
	args := &certificate.Args{Names: []string{domain}, ZoneID: p.dns.zoneID}
	if given != "" {
		args = &certificate.Args{ARN: pulumi.String(given)}
	}
	return certificate.NewCertificate(p.ctx, name, args, provider)
}

// siteFolder is the front page's, as seen from this folder, in which Pulumi runs
// the program.
const siteFolder = "../agents/web/site/page"

// layCDN puts CloudFront before the load balancer and the static files.
func (p *platform) layCDN() error {
	e := p.stack.Edge
	if e.Domain == "" {
		return nil
	}
	users, err := p.certificate(p.name+"-users", e.Domain, e.CertificateARN, p.dns.edge)
	if err != nil {
		return err
	}
	args := &cdn.Args{
		Account:        p.where,
		OriginDomain:   p.loadBalancer.OriginDomain,
		OriginSecret:   p.loadBalancer.OriginSecret,
		Domains:        []string{e.Domain},
		CertificateARN: users.ARN,
		ZoneID:         p.dns.zoneID,
		Cacheable:      e.Cacheable,
		SiteFolder:     siteFolder,
		Unprotected:    !p.stack.DeletionProtection,

		ContentSecurityPolicy: site.ContentSecurityPolicy,
	}
	if e.WebACL {
		acl, err := webacl.NewWebACL(p.ctx, p.name, &webacl.Args{RequestsPerAddress: e.RequestsPerAddress}, p.dns.edge)
		if err != nil {
			return err
		}
		args.WebACLARN = acl.ARN
	}
	p.cdn, err = cdn.NewCDN(p.ctx, p.name, args, p.aws)
	return err
}

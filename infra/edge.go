package main

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/agents/web/site"
	"github.com/progressive-framework/platform/components/cdn"
	"github.com/progressive-framework/platform/components/certificate"
	"github.com/progressive-framework/platform/components/loadbalancer"
	"github.com/progressive-framework/platform/components/network"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/components/service"
	"github.com/progressive-framework/platform/components/traffic"
	"github.com/progressive-framework/platform/components/webacl"
	"github.com/progressive-framework/platform/infra/config"
)

// origin is what CloudFront forwards requests to.
type origin struct {
	balancer *loadbalancer.LoadBalancer
	// zoneID is the hosted zone of the domain; nil where the stack does not
	// manage the DNS records.
	zoneID pulumi.StringInput
	// inEdgeRegion selects the provider of config.EdgeRegion.
	inEdgeRegion pulumi.ResourceOrInvokeOption
}

// deployOrigin creates the load balancer, its certificate and CloudFront's VPC origin.
// It returns nil for a stack without a domain.
func deployOrigin(ctx *pulumi.Context, stack *config.Stack, base *base, vpc *network.Network, eks *eksCluster, placed *placement) (*origin, error) {
	edge := stack.Edge
	if edge.Domain == "" {
		return nil, nil
	}
	created := &origin{inEdgeRegion: base.inRegion}
	if stack.Region != config.EdgeRegion {
		provider, err := newProvider(ctx, stack, "aws-edge", config.EdgeRegion)
		if err != nil {
			return nil, err
		}
		created.inEdgeRegion = pulumi.Provider(provider)
	}
	if edge.Zone != "" {
		id, err := lookupZoneID(ctx, edge, base.inRegion)
		if err != nil {
			return nil, err
		}
		created.zoneID = pulumi.String(id)
	}
	subnetIDsByZone := subnetsByZone(vpc.Zones, vpc.SubnetIDs[subnet.PrivateApp])
	balancerSubnetIDs := pulumi.StringArray{}
	for _, zone := range placed.origin {
		balancerSubnetIDs = append(balancerSubnetIDs, subnetIDsByZone[zone])
	}
	name := stack.Name() + "-origin"
	originCertificate, err := newCertificate(ctx, name, edge.OriginDomain(), edge.OriginCertificateARN, created.zoneID, base.inRegion)
	if err != nil {
		return nil, err
	}
	created.balancer, err = loadbalancer.NewLoadBalancer(ctx, stack.Name(), &loadbalancer.Args{
		Account:             base.account,
		Environment:         stack.Environment,
		VPCID:               vpc.VPCID,
		SubnetIDs:           balancerSubnetIDs,
		NodeSecurityGroupID: eks.NodeSecurityGroupID,
		Targets:             traffic.Targets(),
		OriginDomain:        edge.OriginDomain(),
		CertificateARN:      originCertificate.ARN,
		ZoneID:              created.zoneID,
		AlarmTopicARN:       edge.AlarmTopicARN,
		Unprotected:         !stack.DeletionProtection,
	}, base.inRegion, pulumi.DependsOn(vpc.Ready)) // CloudFront's VPC origin needs the VPC's internet gateway
	return created, err
}

// lookupZoneID finds the public hosted zone of edge.zone, by its ID or its name, and returns its
// ID.
func lookupZoneID(ctx *pulumi.Context, edge config.Edge, opts ...pulumi.InvokeOption) (string, error) {
	args := &route53.LookupZoneArgs{Name: &edge.Zone}
	if id := edge.ZoneID(); id != "" {
		args = &route53.LookupZoneArgs{ZoneId: &id}
	}
	zone, err := route53.LookupZone(ctx, args, opts...)
	if err != nil {
		return "", fmt.Errorf("hosted zone %s of edge.zone: %w; where the account has several public zones of one name, set edge.zone to the ID of one", edge.Zone, err)
	}
	if zone.PrivateZone != nil && *zone.PrivateZone {
		return "", fmt.Errorf("hosted zone %s of edge.zone is private: CloudFront's users could not resolve the domain; name a public zone", edge.Zone)
	}
	if err := edge.CheckInZone(zone.Name); err != nil {
		return "", fmt.Errorf("edge.zone: %w", err)
	}
	return zone.ZoneId, nil
}

// newCertificate creates a certificate for a domain and validates it with DNS records in the zone.
// If arn is not empty, it uses the existing certificate with that ARN instead.
func newCertificate(ctx *pulumi.Context, name, domain, arn string, zoneID pulumi.StringInput, provider pulumi.ResourceOption) (*certificate.Certificate, error) {
	args := &certificate.Args{Names: []string{domain}, ZoneID: zoneID}
	if arn != "" {
		args = &certificate.Args{ARN: pulumi.String(arn)}
	}
	return certificate.NewCertificate(ctx, name, args, provider)
}

// siteFolder is the folder of the front page. The path is relative to infra, where Pulumi runs the
// program.
const siteFolder = "../agents/web/site/page"

// deployCDN creates the CloudFront distribution of the origin and the static files, and the
// distribution's web ACL. It returns nil for a stack without a domain.
func deployCDN(ctx *pulumi.Context, stack *config.Stack, base *base, origin *origin) (*cdn.CDN, error) {
	if origin == nil {
		return nil, nil
	}
	edge := stack.Edge
	usersCertificate, err := newCertificate(ctx, stack.Name()+"-users", edge.Domain, edge.CertificateARN, origin.zoneID, origin.inEdgeRegion)
	if err != nil {
		return nil, err
	}
	args := &cdn.Args{
		Account:        base.account,
		VPCOriginID:    origin.balancer.VPCOriginID,
		OriginDomain:   origin.balancer.OriginDomain,
		Domains:        []string{edge.Domain},
		CertificateARN: usersCertificate.ARN,
		ZoneID:         origin.zoneID,
		Cacheable:      edge.Cacheable,
		SiteFolder:     siteFolder,
		HSTSSubdomains: edge.HSTSSubdomains,
		Unprotected:    !stack.DeletionProtection,

		ContentSecurityPolicy: site.ContentSecurityPolicy,
	}
	if edge.WebACL {
		aclArgs := &webacl.Args{RequestsPerAddress: edge.RequestsPerAddress, Mode: edge.WebACLMode}
		if stack.Region == config.EdgeRegion { // the stack's key is in its own region
			aclArgs.LogKeyARN = base.key.ARN
		}
		acl, err := webacl.NewWebACL(ctx, stack.Name(), aclArgs, origin.inEdgeRegion)
		if err != nil {
			return nil, err
		}
		args.WebACLARN = acl.ARN
	}
	return cdn.NewCDN(ctx, stack.Name(), args, base.inRegion)
}

// platformURL returns the URL of the platform. Its host is the domain, this machine if a node port
// is open, or otherwise the front service's name in the cluster.
func platformURL(stack *config.Stack, front *service.Service, distribution *cdn.CDN) pulumi.StringOutput {
	switch {
	case distribution != nil:
		return distribution.URL
	case stack.FrontDoor.NodePort != 0:
		return pulumi.Sprintf("http://127.0.0.1:%d", stack.FrontDoor.NodePort)
	default:
		return pulumi.Sprintf("http://%s", front.Host)
	}
}

package cdn

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/bucket"
	"github.com/progressive-framework/platform/components/cdn/behaviour"
	"github.com/progressive-framework/platform/components/cdn/staticfiles"
	"github.com/progressive-framework/platform/components/scaling"
)

// originIDs are the design document's names of the origins.
var originIDs = map[behaviour.Origin]pulumi.String{
	behaviour.Static:  "S3-progressive-framework-static",
	behaviour.Dynamic: "ALB-progressive-framework-dynamic",
}

// viewerProtocols are the protocols in the design document. CloudFront redirects a page from HTTP
// to HTTPS. CloudFront refuses an API request over HTTP: the client has already sent the
// Authorization header without encryption, and must notice that.
var viewerProtocols = map[behaviour.Origin]pulumi.String{
	behaviour.Static:  "redirect-to-https",
	behaviour.Dynamic: "https-only",
}

// newDistribution creates the distribution, its policies, and the origin access control with
// which CloudFront reads the static bucket.
func (b *builder) newDistribution(table behaviour.Table, staticBucket, logBucket *bucket.Bucket) (*cloudfront.Distribution, error) {
	policies, err := b.newPolicies(table)
	if err != nil {
		return nil, err
	}
	accessControl, err := cloudfront.NewOriginAccessControl(b.ctx, b.name+"-static", &cloudfront.OriginAccessControlArgs{
		Name:                          pulumi.String(b.name + "-static"),
		Description:                   pulumi.String("Static files of " + b.name),
		OriginAccessControlOriginType: pulumi.String("s3"),
		SigningBehavior:               pulumi.String("always"),
		SigningProtocol:               pulumi.String("sigv4"),
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("origin access control: %w", err)
	}
	var ordered cloudfront.DistributionOrderedCacheBehaviorArray
	for _, rule := range table.Rules {
		ordered = append(ordered, policies.orderedBehavior(rule))
	}
	args := &cloudfront.DistributionArgs{
		Comment:           pulumi.String("Progressive Framework V5 CDN"),
		Enabled:           pulumi.Bool(true),
		IsIpv6Enabled:     pulumi.Bool(true),
		HttpVersion:       pulumi.String("http2and3"),
		PriceClass:        pulumi.String("PriceClass_All"),
		DefaultRootObject: pulumi.String(staticfiles.Index),
		Aliases:           pulumi.ToStringArray(b.args.Domains),
		Origins: cloudfront.DistributionOriginArray{
			&cloudfront.DistributionOriginArgs{
				OriginId:              originIDs[behaviour.Static],
				DomainName:            staticBucket.RegionalDomainName,
				OriginAccessControlId: accessControl.ID(),
			},
			&cloudfront.DistributionOriginArgs{
				OriginId:   originIDs[behaviour.Dynamic],
				DomainName: b.args.OriginDomain,
				VpcOriginConfig: &cloudfront.DistributionOriginVpcOriginConfigArgs{
					VpcOriginId:            b.args.VPCOriginID,
					OriginReadTimeout:      seconds(scaling.EdgeTimeouts().CDN.Response),
					OriginKeepaliveTimeout: seconds(scaling.EdgeTimeouts().CDN.KeepAlive),
				},
			},
		},
		DefaultCacheBehavior:  policies.defaultBehavior(table.Default),
		OrderedCacheBehaviors: ordered,
		LoggingConfig: &cloudfront.DistributionLoggingConfigArgs{
			Bucket: logBucket.DomainName, Prefix: pulumi.String("cdn/"), IncludeCookies: pulumi.Bool(false),
		},
		Restrictions: &cloudfront.DistributionRestrictionsArgs{
			GeoRestriction: &cloudfront.DistributionRestrictionsGeoRestrictionArgs{RestrictionType: pulumi.String("none")},
		},
		ViewerCertificate: b.viewerCertificate(),
		Tags: pulumi.StringMap{
			"Name": pulumi.String("progressive-framework-v5-cdn"), "Service": pulumi.String("cdn"), // the tags in the design document
		},
	}
	if b.args.WebACLARN != nil {
		args.WebAclId = b.args.WebACLARN.ToStringOutput()
	}
	distribution, err := cloudfront.NewDistribution(b.ctx, b.name+"-distribution", args, b.parent, pulumi.DependsOn(logBucket.Ready))
	if err != nil {
		return nil, fmt.Errorf("distribution: %w", err)
	}
	return distribution, nil
}

// viewerCertificate returns the certificate for users: CertificateARN, or CloudFront's own.
func (b *builder) viewerCertificate() *cloudfront.DistributionViewerCertificateArgs {
	if b.args.CertificateARN == nil {
		return &cloudfront.DistributionViewerCertificateArgs{CloudfrontDefaultCertificate: pulumi.Bool(true)}
	}
	return &cloudfront.DistributionViewerCertificateArgs{
		AcmCertificateArn:      b.args.CertificateARN.ToStringOutput(),
		SslSupportMethod:       pulumi.String("sni-only"),
		MinimumProtocolVersion: pulumi.String("TLSv1.2_2021"),
	}
}

// orderedBehavior converts the rule of a pattern to the SDK's type.
func (p policies) orderedBehavior(rule behaviour.Rule) *cloudfront.DistributionOrderedCacheBehaviorArgs {
	common := p.defaultBehavior(rule)
	return &cloudfront.DistributionOrderedCacheBehaviorArgs{
		PathPattern:             pulumi.String(rule.Pattern),
		TargetOriginId:          common.TargetOriginId,
		ViewerProtocolPolicy:    common.ViewerProtocolPolicy,
		AllowedMethods:          common.AllowedMethods,
		CachedMethods:           common.CachedMethods,
		Compress:                common.Compress,
		CachePolicyId:           common.CachePolicyId,
		OriginRequestPolicyId:   common.OriginRequestPolicyId,
		ResponseHeadersPolicyId: common.ResponseHeadersPolicyId,
	}
}

// defaultBehavior converts the default rule to the SDK's type. orderedBehavior also calls
// defaultBehavior, for the fields that both types have.
func (p policies) defaultBehavior(rule behaviour.Rule) *cloudfront.DistributionDefaultCacheBehaviorArgs {
	args := &cloudfront.DistributionDefaultCacheBehaviorArgs{
		TargetOriginId:          originIDs[rule.Origin],
		ViewerProtocolPolicy:    viewerProtocols[rule.Origin],
		AllowedMethods:          pulumi.ToStringArray(rule.Origin.Methods()),
		CachedMethods:           pulumi.ToStringArray([]string{"GET", "HEAD"}),
		Compress:                pulumi.Bool(true),
		ResponseHeadersPolicyId: p.headers,
	}
	if !rule.Caching.Cached() {
		args.CachePolicyId = pulumi.String(cachingDisabled)
		args.OriginRequestPolicyId = pulumi.String(allViewerExceptHost)
		return args
	}
	// There is no origin request policy, so the origin receives only the cache key.
	args.CachePolicyId = p.caches[rule.Caching]
	return args
}

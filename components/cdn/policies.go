package cdn

import (
	"cmp"
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/cdn/behaviour"
)

// AWS's own policies, whose ids are the same in every account (CloudFront
// Developer Guide, "Use managed cache policies" and "Use managed origin request
// policies").
const (
	// cachingDisabled is Managed-CachingDisabled.
	cachingDisabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
	// allViewerExceptHost is Managed-AllViewerExceptHostHeader. The load
	// balancer must see its own name as Host: CloudFront holds its certificate
	// against the Host that it sends.
	allViewerExceptHost = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
)

const (
	// contentSecurity is the policy unless a stack has another: a page loads
	// from its own site, and no other site frames it.
	contentSecurity = "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
	// strictTransport is for how long a browser asks by HTTPS only.
	strictTransport = 365 * 24 * time.Hour
)

// policies are the ids of what the behaviours share.
type policies struct {
	caches  map[behaviour.Caching]pulumi.IDOutput
	headers pulumi.IDOutput
}

// policies creates a cache policy for each caching of the table, and the policy
// of the security headers.
func (b *builder) policies(table behaviour.Table) (policies, error) {
	headers, err := b.securityHeaders()
	if err != nil {
		return policies{}, err
	}
	created := policies{caches: map[behaviour.Caching]pulumi.IDOutput{}, headers: headers}
	for _, rule := range append([]behaviour.Rule{table.Default}, table.Rules...) {
		caching := rule.Caching
		if _, known := created.caches[caching]; known || !caching.Cached() {
			continue
		}
		policy, err := cloudfront.NewCachePolicy(b.ctx, b.name+"-"+caching.Name(), &cloudfront.CachePolicyArgs{
			Name:                                     pulumi.String(b.name + "-" + caching.Name()),
			MinTtl:                                   pulumi.Int(0), // no-store, no-cache and private are honoured
			DefaultTtl:                               seconds(caching.TTL().Default),
			MaxTtl:                                   seconds(caching.TTL().Max),
			ParametersInCacheKeyAndForwardedToOrigin: key(caching),
		}, b.parent)
		if err != nil {
			return policies{}, fmt.Errorf("cache policy %s: %w", caching.Name(), err)
		}
		created.caches[caching] = policy.ID()
	}
	return created, nil
}

func seconds(d time.Duration) pulumi.Int { return pulumi.Int(int(d.Seconds())) }

// key returns the cache key, which is all that the origin receives.
func key(caching behaviour.Caching) *cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginArgs {
	headers := &cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginHeadersConfigArgs{HeaderBehavior: pulumi.String("none")}
	if len(caching.Headers()) > 0 {
		headers.HeaderBehavior = pulumi.String("whitelist")
		headers.Headers = &cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginHeadersConfigHeadersArgs{
			Items: pulumi.ToStringArray(caching.Headers()),
		}
	}
	caller := pulumi.String("none")
	if caching.Caller() {
		caller = "all"
	}
	return &cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginArgs{
		EnableAcceptEncodingBrotli: pulumi.Bool(true),
		EnableAcceptEncodingGzip:   pulumi.Bool(true),
		HeadersConfig:              headers,
		CookiesConfig: &cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginCookiesConfigArgs{
			CookieBehavior: caller,
		},
		QueryStringsConfig: &cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginQueryStringsConfigArgs{
			QueryStringBehavior: caller,
		},
	}
}

// securityHeaders go with every answer, whatever the origin says.
func (b *builder) securityHeaders() (pulumi.IDOutput, error) {
	always := pulumi.Bool(true)
	policy, err := cloudfront.NewResponseHeadersPolicy(b.ctx, b.name+"-headers", &cloudfront.ResponseHeadersPolicyArgs{
		Name: pulumi.String(b.name + "-headers"),
		SecurityHeadersConfig: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigArgs{
			StrictTransportSecurity: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigStrictTransportSecurityArgs{
				AccessControlMaxAgeSec: seconds(strictTransport), IncludeSubdomains: pulumi.Bool(b.args.HSTSSubdomains), Override: always,
			},
			ContentTypeOptions: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigContentTypeOptionsArgs{Override: always},
			FrameOptions: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigFrameOptionsArgs{
				FrameOption: pulumi.String("DENY"), Override: always,
			},
			ReferrerPolicy: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigReferrerPolicyArgs{
				ReferrerPolicy: pulumi.String("strict-origin-when-cross-origin"), Override: always,
			},
			ContentSecurityPolicy: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigContentSecurityPolicyArgs{
				ContentSecurityPolicy: pulumi.String(cmp.Or(b.args.ContentSecurityPolicy, contentSecurity)), Override: always,
			},
		},
	}, b.parent)
	if err != nil {
		return pulumi.IDOutput{}, fmt.Errorf("policy of the security headers: %w", err)
	}
	return policy.ID(), nil
}

package cdn

import (
	"cmp"
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/cdn/behaviour"
)

// The ids of AWS's managed policies. They are the same in every account (CloudFront
// Developer Guide, "Use managed cache policies" and "Use managed origin request
// policies").
const (
	// cachingDisabled is Managed-CachingDisabled.
	cachingDisabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
	// allViewerExceptHost is Managed-AllViewerExceptHostHeader. The load
	// balancer must get its own name in the Host header, because CloudFront compares
	// this header with the load balancer's certificate.
	allViewerExceptHost = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
)

const (
	// defaultContentSecurityPolicy is the default Content-Security-Policy: a page loads content
	// only from its own site, and no site may show the page in a frame.
	defaultContentSecurityPolicy = "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
	// hstsMaxAge is the time for which a browser uses only HTTPS for the site, a year.
	hstsMaxAge = 365 * 24 * time.Hour
)

// policies are the ids of the policies that behaviours use.
type policies struct {
	caches  map[behaviour.Caching]pulumi.IDOutput
	headers pulumi.IDOutput // of the response headers policy
}

// newPolicies creates a cache policy for each kind of caching in the table, and the policy
// of the security headers.
func (b *builder) newPolicies(table behaviour.Table) (policies, error) {
	headers, err := b.newSecurityHeadersPolicy()
	if err != nil {
		return policies{}, err
	}
	policyIDs := policies{caches: map[behaviour.Caching]pulumi.IDOutput{}, headers: headers}
	for _, rule := range append([]behaviour.Rule{table.Default}, table.Rules...) {
		caching := rule.Caching
		if _, exists := policyIDs.caches[caching]; exists || !caching.Cached() {
			continue
		}
		policy, err := cloudfront.NewCachePolicy(b.ctx, b.name+"-"+caching.Name(), &cloudfront.CachePolicyArgs{
			Name:                                     pulumi.String(b.name + "-" + caching.Name()),
			MinTtl:                                   pulumi.Int(0), // no-store, no-cache and private are honoured
			DefaultTtl:                               seconds(caching.TTL().Default),
			MaxTtl:                                   seconds(caching.TTL().Max),
			ParametersInCacheKeyAndForwardedToOrigin: cacheKey(caching),
		}, b.parent)
		if err != nil {
			return policies{}, fmt.Errorf("cache policy %s: %w", caching.Name(), err)
		}
		policyIDs.caches[caching] = policy.ID()
	}
	return policyIDs, nil
}

func seconds(d time.Duration) pulumi.Int { return pulumi.Int(int(d.Seconds())) }

// cacheKey returns the cache key. The origin receives the same headers, cookies and query.
func cacheKey(caching behaviour.Caching) *cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginArgs {
	headers := &cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginHeadersConfigArgs{HeaderBehavior: pulumi.String("none")}
	if len(caching.Headers()) > 0 {
		headers.HeaderBehavior = pulumi.String("whitelist")
		headers.Headers = &cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginHeadersConfigHeadersArgs{
			Items: pulumi.ToStringArray(caching.Headers()),
		}
	}
	cookiesAndQuery := pulumi.String("none")
	if caching.PerCaller() {
		cookiesAndQuery = "all"
	}
	return &cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginArgs{
		EnableAcceptEncodingBrotli: pulumi.Bool(true),
		EnableAcceptEncodingGzip:   pulumi.Bool(true),
		HeadersConfig:              headers,
		CookiesConfig: &cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginCookiesConfigArgs{
			CookieBehavior: cookiesAndQuery,
		},
		QueryStringsConfig: &cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginQueryStringsConfigArgs{
			QueryStringBehavior: cookiesAndQuery,
		},
	}
}

// newSecurityHeadersPolicy creates the policy that adds the security headers to every
// response. These headers override the same headers of the origin.
func (b *builder) newSecurityHeadersPolicy() (pulumi.IDOutput, error) {
	always := pulumi.Bool(true)
	policy, err := cloudfront.NewResponseHeadersPolicy(b.ctx, b.name+"-headers", &cloudfront.ResponseHeadersPolicyArgs{
		Name: pulumi.String(b.name + "-headers"),
		SecurityHeadersConfig: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigArgs{
			StrictTransportSecurity: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigStrictTransportSecurityArgs{
				AccessControlMaxAgeSec: seconds(hstsMaxAge), IncludeSubdomains: pulumi.Bool(b.args.HSTSSubdomains), Override: always,
			},
			ContentTypeOptions: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigContentTypeOptionsArgs{Override: always},
			FrameOptions: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigFrameOptionsArgs{
				FrameOption: pulumi.String("DENY"), Override: always,
			},
			ReferrerPolicy: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigReferrerPolicyArgs{
				ReferrerPolicy: pulumi.String("strict-origin-when-cross-origin"), Override: always,
			},
			ContentSecurityPolicy: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigContentSecurityPolicyArgs{
				ContentSecurityPolicy: pulumi.String(cmp.Or(b.args.ContentSecurityPolicy, defaultContentSecurityPolicy)), Override: always,
			},
		},
	}, b.parent)
	if err != nil {
		return pulumi.IDOutput{}, fmt.Errorf("policy of the security headers: %w", err)
	}
	return policy.ID(), nil
}

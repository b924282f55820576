package ruleset

import (
	"strings"

	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

var cdn = []*rule.Rule{
	cdnRule("cdn-root-object", "The distribution has a root object", "A request for / would list the bucket.",
		"components/cdn, DefaultRootObject", rule.Low, []string{"FSBP CloudFront.1"}, func(s *rule.Subject, v awsview.CloudfrontDistribution) {
			s.Must(v.DefaultRootObject().IsSet(), "defaultRootObject is not set")
		}),
	cdnRule("cdn-https", "Viewers use HTTPS", "Anybody on the way can read the token of a request in clear text, and use it.",
		"components/cdn, viewerProtocols", rule.High, []string{"FSBP CloudFront.3"}, func(s *rule.Subject, v awsview.CloudfrontDistribution) {
			s.Must(v.DefaultCacheBehavior().ViewerProtocolPolicy().In("redirect-to-https", "https-only"), "the default behaviour allows HTTP")
			s.Must(v.OrderedCacheBehaviors().All(func(b awsview.CloudfrontDistributionOrderedCacheBehavior) value.Truth {
				return b.ViewerProtocolPolicy().In("redirect-to-https", "https-only")
			}), "a behaviour allows HTTP")
		}),
	cdnRule("cdn-logs", "The distribution logs its requests", "Without the log nobody knows who requested what.",
		"components/cdn, LoggingConfig", rule.Medium, []string{"FSBP CloudFront.5"}, func(s *rule.Subject, v awsview.CloudfrontDistribution) {
			s.Must(v.LoggingConfig().Bucket().IsSet(), "loggingConfig.bucket is not set")
		}),
	cdnRule("cdn-certificate", "The distribution has its own certificate, served by SNI", "CloudFront's default certificate does not cover the platform's domain name.",
		"the key edge.domain", rule.Medium, []string{"FSBP CloudFront.7", "FSBP CloudFront.8"}, func(s *rule.Subject, v awsview.CloudfrontDistribution) {
			s.Must(v.ViewerCertificate().AcmCertificateArn().IsSet(), "acmCertificateArn is not set")
			s.Must(v.ViewerCertificate().SslSupportMethod().Is("sni-only"), "sslSupportMethod is %s", v.ViewerCertificate().SslSupportMethod().Text())
		}),
	cdnRule("cdn-tls12", "Viewers use at least TLS 1.2", "Attacks on older versions of TLS are known.",
		"components/cdn, MinimumProtocolVersion", rule.High, []string{"FSBP CloudFront.15"}, func(s *rule.Subject, v awsview.CloudfrontDistribution) {
			s.Must(v.ViewerCertificate().MinimumProtocolVersion().HasPrefix("TLSv1.2_2"), "minimumProtocolVersion is %s", v.ViewerCertificate().MinimumProtocolVersion().Text())
		}),
	cdnRule("cdn-origin-https", "CloudFront speaks HTTPS to its origins", "Between CloudFront and the origin the request would be in clear text.",
		"components/cdn, the distribution's origins", rule.High, []string{"FSBP CloudFront.9", "FSBP CloudFront.10"}, func(s *rule.Subject, v awsview.CloudfrontDistribution) {
			s.Must(v.Origins().All(func(o awsview.CloudfrontDistributionOrigin) value.Truth {
				c := o.CustomOriginConfig()
				return value.Implies(c.IsSet(), value.All(
					c.OriginProtocolPolicy().Is("https-only"),
					c.OriginSslProtocols().All(func(p value.String) value.Truth { return p.Is("TLSv1.2") }),
				))
			}), "CloudFront may use HTTP or an old version of TLS for an origin")
		}),
	cdnRule("cdn-bucket-closed", "Buckets answer to the distribution only", "Everybody could read the bucket around CloudFront.",
		"components/cdn, OriginAccessControlId", rule.High, []string{"FSBP CloudFront.13"}, func(s *rule.Subject, v awsview.CloudfrontDistribution) {
			s.Must(v.Origins().All(func(o awsview.CloudfrontDistributionOrigin) value.Truth {
				return value.Any(o.CustomOriginConfig().IsSet(), o.VpcOriginConfig().IsSet(), o.OriginAccessControlId().IsSet())
			}), "an origin that is a bucket has no origin access control")
		}),
	cdnRule("cdn-no-shadowed-path", "No behaviour is hidden by an earlier one", "CloudFront uses the first pattern that matches. The later one never applies.",
		"components/cdn/behaviour, the order of rules", rule.Medium, []string{"WA OPS06"}, func(s *rule.Subject, v awsview.CloudfrontDistribution) {
			behaviours, complete := v.OrderedCacheBehaviors().Items()
			if !complete {
				s.LeaveUndecided("the behaviours")
			}
			for i, later := range behaviours {
				for _, earlier := range behaviours[:i] {
					s.Must(value.Not(coversPattern(earlier.PathPattern(), later.PathPattern())), "%s is hidden by %s", later.PathPattern().Text(), earlier.PathPattern().Text())
				}
			}
		}),
	cdnRule("cdn-origin-failover", "The distribution has a second origin", "If the origin is down, users get an error page.",
		"components/cdn, the distribution's origins", rule.Low, []string{"FSBP CloudFront.4"}, func(s *rule.Subject, v awsview.CloudfrontDistribution) {
			s.Must(v.OriginGroups().IsSet(), "originGroups is not set")
		}),
	{
		ID: "cdn-vpc-origin", Title: "CloudFront reaches the load balancer inside the VPC",
		Why: "A public origin needs a secret header and a prefix list to keep others out.",
		Fix: "components/cdn, VpcOriginConfig", Standards: []string{"WA SEC05"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.CloudfrontDistribution) {
			s.Must(v.Origins().All(func(o awsview.CloudfrontDistributionOrigin) value.Truth {
				return value.Not(o.CustomOriginConfig().IsSet())
			}), "an origin is a public server")
		}),
	},
	{
		ID: "cdn-vpc-origin-https", Title: "CloudFront speaks HTTPS with TLS 1.2 to the load balancer",
		Why: "An attacker who reads the traffic in the VPC would read tokens.",
		Fix: "components/loadbalancer, newVPCOrigin", Standards: []string{"FSBP CloudFront.9", "FSBP CloudFront.10"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.CloudfrontVpcOrigin) {
			c := v.VpcOriginEndpointConfig()
			s.Must(c.OriginProtocolPolicy().Is("https-only"), "originProtocolPolicy is %s", c.OriginProtocolPolicy().Text())
			s.Must(c.OriginSslProtocols().Items().IsSet(), "originSslProtocols is not set")
			s.Must(c.OriginSslProtocols().Items().All(func(p value.String) value.Truth { return p.Is("TLSv1.2") }), "an old version of TLS is allowed")
		}),
	},
	{
		ID: "cdn-web-acl", Title: "A web ACL of this stack filters the requests",
		Why: "Scanners and floods would reach the services.",
		Fix: "the key edge.webAcl", Standards: []string{"FSBP CloudFront.6"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ awsview.CloudfrontDistribution) {
			s.Must(rule.Refs[awsview.Wafv2WebAcl](s.Graph, s.Resource, "webAclId").Exists(), "webAclId is not that of a web ACL of this stack")
		}),
	},
	{
		ID: "cdn-security-headers", Title: "Responses have the headers HSTS and Content-Security-Policy",
		Why: "A browser would follow a link without TLS, and run scripts of other sites.",
		Fix: "components/cdn, newSecurityHeadersPolicy", Standards: []string{"OWASP Secure Headers"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.CloudfrontResponseHeadersPolicy) {
			c := v.SecurityHeadersConfig()
			s.Must(c.StrictTransportSecurity().AccessControlMaxAgeSec().AtLeast(yearSeconds), "strictTransportSecurity is below a year")
			s.Must(c.ContentSecurityPolicy().ContentSecurityPolicy().IsSet(), "contentSecurityPolicy is not set")
			s.Must(c.ContentTypeOptions().Override().IsTrue(), "contentTypeOptions is not set")
		}),
	},
	{
		ID: "cdn-headers-on-every-path", Title: "Each behaviour sends the security headers",
		Why: "One path without them is enough for an attack.",
		Fix: "components/cdn, ResponseHeadersPolicyId", Standards: []string{"OWASP Secure Headers"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.CloudfrontDistribution) {
			s.Must(v.DefaultCacheBehavior().ResponseHeadersPolicyId().IsSet(), "the default behaviour has no response headers policy")
			s.Must(v.OrderedCacheBehaviors().All(func(b awsview.CloudfrontDistributionOrderedCacheBehavior) value.Truth {
				return b.ResponseHeadersPolicyId().IsSet()
			}), "a behaviour has no response headers policy")
		}),
	},
	{
		ID: "cdn-personal-answers-apart", Title: "Personal responses are not cached for others",
		Why: "One user would see the plan of another user.",
		Fix: "components/cdn/behaviour, Caching", Standards: []string{"WA SEC07"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v awsview.CloudfrontDistribution) {
			behaviours, complete := v.OrderedCacheBehaviors().Items()
			if !complete {
				s.LeaveUndecided("the behaviours")
			}
			policies := rule.Every[awsview.CloudfrontCachePolicy](s.Graph)
			for _, b := range behaviours {
				isBucket := v.Origins().Any(func(o awsview.CloudfrontDistributionOrigin) value.Truth {
					return value.All(o.OriginAccessControlId().IsSet(), value.CompareStrings(o.OriginId(), b.TargetOriginId(), isEqualText))
				})
				s.Must(value.Any(isBucket, separatesCallers(policies, b.CachePolicyId())), "responses to %s are cached without the Authorization header in the cache key", b.PathPattern().Text())
			}
		}),
	},
}

// yearSeconds is the smallest max-age that browsers' HSTS preload lists accept.
const yearSeconds = 365 * 24 * 60 * 60

// cdnRule returns a rule on properties of the distribution. A rule of low severity has
// the level advisory in each environment.
func cdnRule(id, title, why, fix string, severity rule.Severity, standards []string, check func(*rule.Subject, awsview.CloudfrontDistribution)) *rule.Rule {
	levels := rule.Everywhere
	if severity == rule.Low {
		levels = rule.Advice
	}
	return &rule.Rule{ID: id, Title: title, Why: why, Fix: fix, Severity: severity, Levels: levels, Standards: standards, Check: rule.On(check)}
}

// cachingDisabledID is the ID of AWS's cache policy that caches nothing.
const cachingDisabledID = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"

// separatesCallers reports whether the cache policy with this ID caches nothing, or has the
// Authorization header in its cache key. While a policy of the stack does not exist, the
// policy's ID is unknown, and the result is Unknown.
func separatesCallers(policies rule.Set[awsview.CloudfrontCachePolicy], id value.String) value.Truth {
	return value.Any(id.Is(cachingDisabledID), policies.Any(func(r *graph.Resource, p awsview.CloudfrontCachePolicy) value.Truth {
		key := p.ParametersInCacheKeyAndForwardedToOrigin()
		return value.All(
			id.Satisfies(func(text string) bool { return text == r.ID }),
			value.HasText(key.HeadersConfig().Headers().Items(), "Authorization"),
		)
	}))
}

func isEqualText(a, b string) bool { return a == b }

// coversPattern reports whether the path pattern wide matches every path that the path pattern
// narrow matches. A pattern may have one star, at its end.
func coversPattern(wide, narrow value.String) value.Truth {
	return value.CompareStrings(wide, narrow, func(wide, narrow string) bool {
		prefix, hasStar := strings.CutSuffix(wide, "*")
		return wide == narrow || hasStar && strings.HasPrefix(narrow, prefix)
	})
}

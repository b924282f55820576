package rules

import (
	"strings"

	"github.com/progressive-framework/platform/policy/aws"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// originTimeout is CloudFront's default for an answer of the origin, in seconds
// (CloudFront API, CustomOriginConfig).
const originTimeout = 30

var balancer = []*rule.Rule{
	{
		ID: "alb-internal", Title: "The load balancer is internal",
		Why: "CloudFront reaches it through a VPC origin. A public one can be reached around CloudFront and its web ACL.",
		Fix: "components/loadbalancer, Internal", Standards: []string{"WA SEC05"},
		// Advice until no stack has a public load balancer any more.
		Severity: rule.High, Levels: rule.Advice,
		Check: rule.On(func(s *rule.Subject, v aws.LbLoadBalancer) {
			s.Must(v.Internal().Or(false).IsTrue(), "internal is not true")
		}),
	},
	albRule("alb-invalid-headers", "The load balancer drops invalid headers", "They smuggle a second request past the checks of the first.",
		"components/loadbalancer, DropInvalidHeaderFields", []string{"FSBP ELB.4"}, func(s *rule.Subject, v aws.LbLoadBalancer) {
			s.Must(v.DropInvalidHeaderFields().IsTrue(), "dropInvalidHeaderFields is not true")
		}),
	albRule("alb-logs", "The load balancer logs its requests", "Without the log nobody knows who asked for what.",
		"components/loadbalancer, AccessLogs", []string{"FSBP ELB.5"}, func(s *rule.Subject, v aws.LbLoadBalancer) {
			s.Must(v.AccessLogs().Enabled().IsTrue(), "accessLogs.enabled is not true")
			s.Must(v.AccessLogs().Bucket().Set(), "accessLogs.bucket is not set")
		}),
	albRule("alb-deletion-protection", "The load balancer can't be deleted by mistake", "A new one has another name and address.",
		"the key deletionProtection", []string{"FSBP ELB.6"}, func(s *rule.Subject, v aws.LbLoadBalancer) {
			s.Must(v.EnableDeletionProtection().IsTrue(), "enableDeletionProtection is not true")
		}),
	albRule("alb-desync", "The load balancer refuses ambiguous requests", "Two servers that read one request differently let an attacker send a hidden one.",
		"components/loadbalancer, DesyncMitigationMode", []string{"FSBP ELB.12"}, func(s *rule.Subject, v aws.LbLoadBalancer) {
			s.Must(v.DesyncMitigationMode().Or("defensive").In("defensive", "strictest"), "desyncMitigationMode is %s", v.DesyncMitigationMode().Text())
		}),
	{
		ID: "alb-two-zones", Title: "The load balancer spans two zones",
		Why: "The loss of one zone would take the platform off the internet.",
		Fix: "the key network.zones", Standards: []string{"FSBP ELB.13"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v aws.LbLoadBalancer) {
			s.Must(zones(s.Graph, s.Resource, "subnets", v.Subnets().Node), "the subnets are in fewer than two zones")
		}),
	},
	{
		ID: "alb-from-cloudfront-only", Title: "Only CloudFront reaches the load balancer",
		Why: "Whoever gets around CloudFront gets around the web ACL, the rate limit and the cache.",
		Fix: "components/loadbalancer, securityGroups", Standards: []string{"WA SEC05"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ aws.LbLoadBalancer) {
			groups := rule.Refs[aws.Ec2SecurityGroup](s.Graph, s.Resource, "securityGroups")
			s.Must(groups.Exists(), "no security group of this stack protects it")
			for _, group := range groups.Resources {
				rules := rule.Users[aws.VpcSecurityGroupIngressRule](s.Graph, group, "securityGroupId")
				s.Must(rules.All(func(_ *graph.Resource, r aws.VpcSecurityGroupIngressRule) value.Truth {
					return value.All(value.Not(r.CidrIpv4().Set()), value.Not(r.CidrIpv6().Set()), r.PrefixListId().Set())
				}), "an ingress rule of %s names something else than CloudFront's prefix list", group.Name)
			}
		}),
	},
	{
		ID: "alb-tls13", Title: "HTTPS listeners speak TLS 1.2 and 1.3 only",
		Why: "Older versions can be broken.",
		Fix: "components/loadbalancer, tlsPolicy", Standards: []string{"FSBP ELB.17"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.LbListener) {
			s.Must(value.Implies(v.Protocol().Or("HTTP").Is("HTTPS"), v.SslPolicy().Contains("TLS13-1-2")), "sslPolicy is %s", v.SslPolicy().Text())
		}),
	},
	{
		ID: "alb-no-plain-http", Title: "HTTP listeners redirect to HTTPS",
		Why: "A request in clear text carries a token that anybody on the way can use.",
		Fix: "components/loadbalancer, listeners", Standards: []string{"FSBP ELB.1"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.LbListener) {
			s.Must(value.Implies(v.Protocol().Or("HTTP").Is("HTTP"), v.DefaultActions().All(func(a aws.LbListenerDefaultAction) value.Truth {
				return value.All(a.Type().Is("redirect"), a.Redirect().Protocol().Is("HTTPS"))
			})), "an action of the HTTP listener does something else than redirect to HTTPS")
		}),
	},
	{
		ID: "alb-target-group-used", Title: "Each target group has targets, and a rule that sends them requests",
		Why: "A group without targets answers 503; one without a rule hides a service that nobody reaches.",
		Fix: "components/loadbalancer and components/tier", Standards: []string{"WA REL06"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ aws.LbTargetGroup) {
			s.Must(value.Any(
				rule.Users[aws.AutoscalingGroup](s.Graph, s.Resource, "targetGroupArns").Exists(),
				rule.Users[aws.AutoscalingAttachment](s.Graph, s.Resource, "lbTargetGroupArn").Exists(),
			), "no Auto Scaling Group has its nodes in it")
			s.Must(value.Any(
				rule.Users[aws.LbListenerRule](s.Graph, s.Resource, "actions").Exists(),
				rule.Users[aws.LbListener](s.Graph, s.Resource, "defaultActions").Exists(),
			), "no listener sends requests to it")
		}),
	},
	{
		ID: "alb-target-group-drains", Title: "A target that leaves finishes its requests",
		Why: "With no delay each rollout cuts requests off.",
		Fix: "components/loadbalancer/routing, DeregistrationDelay", Standards: []string{"WA REL08"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.LbTargetGroup) {
			s.Must(v.DeregistrationDelay().Or(300).AtLeast(1), "deregistrationDelay is %s", v.DeregistrationDelay().Text())
			s.Must(v.HealthCheck().Path().Set(), "healthCheck.path is not set")
		}),
	},
	{
		ID: "alb-health-check-in-time", Title: "A health check ends before the next one",
		Why: "ELB refuses a timeout that is not below the interval.",
		Fix: "components/loadbalancer, healthTimeout", Standards: []string{"WA REL06"},
		Severity: rule.Low, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.LbTargetGroup) {
			c := v.HealthCheck()
			s.Must(c.Timeout().Or(5).Compare(c.Interval().Or(30), func(a, b float64) bool { return a < b }), "timeout %s is not below interval %s", c.Timeout().Text(), c.Interval().Text())
		}),
	},
	{
		ID: "edge-timeouts-grow-outwards", Title: "The load balancer waits at least as long as CloudFront",
		Why: "If the inner one gives up first, the user gets an error for a request that was still answered.",
		Fix: "components/loadbalancer IdleTimeout, components/cdn OriginReadTimeout", Standards: []string{"WA REL05"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v aws.LbLoadBalancer) {
			idle := v.IdleTimeout().Or(60)
			for _, r := range rule.Every[aws.CloudfrontDistribution](s.Graph).Resources {
				d := value.As[aws.CloudfrontDistribution](r.View())
				s.Must(d.Origins().All(func(o aws.CloudfrontDistributionOrigin) value.Truth {
					return value.All(
						atMostNumber(o.CustomOriginConfig().OriginReadTimeout().Or(originTimeout), idle),
						atMostNumber(o.VpcOriginConfig().OriginReadTimeout().Or(originTimeout), idle),
					)
				}), "CloudFront waits longer for the origin than idleTimeout %s", v.IdleTimeout().Text())
			}
		}),
	},
}

func atMostNumber(a, b value.Number) value.Truth {
	return a.Compare(b, func(x, y float64) bool { return x <= y })
}

func albRule(id, title, why, fix string, standards []string, check func(*rule.Subject, aws.LbLoadBalancer)) *rule.Rule {
	return &rule.Rule{ID: id, Title: title, Why: why, Fix: fix, Severity: rule.Medium, Levels: rule.Deployed, Standards: standards, Check: rule.On(check)}
}

var cdn = []*rule.Rule{
	distribution("cdn-root-object", "The distribution has a root object", "A request for / would list the bucket.",
		"components/cdn, DefaultRootObject", rule.Low, []string{"FSBP CloudFront.1"}, func(s *rule.Subject, v aws.CloudfrontDistribution) {
			s.Must(v.DefaultRootObject().Set(), "defaultRootObject is not set")
		}),
	distribution("cdn-https", "Viewers use HTTPS", "A request in clear text carries a token that anybody on the way can use.",
		"components/cdn, viewerProtocols", rule.High, []string{"FSBP CloudFront.3"}, func(s *rule.Subject, v aws.CloudfrontDistribution) {
			s.Must(v.DefaultCacheBehavior().ViewerProtocolPolicy().In("redirect-to-https", "https-only"), "the default behaviour allows HTTP")
			s.Must(v.OrderedCacheBehaviors().All(func(b aws.CloudfrontDistributionOrderedCacheBehavior) value.Truth {
				return b.ViewerProtocolPolicy().In("redirect-to-https", "https-only")
			}), "a behaviour allows HTTP")
		}),
	distribution("cdn-logs", "The distribution logs its requests", "Without the log nobody knows who asked for what.",
		"components/cdn, LoggingConfig", rule.Medium, []string{"FSBP CloudFront.5"}, func(s *rule.Subject, v aws.CloudfrontDistribution) {
			s.Must(v.LoggingConfig().Bucket().Set(), "loggingConfig.bucket is not set")
		}),
	distribution("cdn-certificate", "The distribution has a certificate of its own, by SNI", "With CloudFront's own one the platform's name can't be served.",
		"the key edge.domain", rule.Medium, []string{"FSBP CloudFront.7", "FSBP CloudFront.8"}, func(s *rule.Subject, v aws.CloudfrontDistribution) {
			s.Must(v.ViewerCertificate().AcmCertificateArn().Set(), "acmCertificateArn is not set")
			s.Must(v.ViewerCertificate().SslSupportMethod().Is("sni-only"), "sslSupportMethod is %s", v.ViewerCertificate().SslSupportMethod().Text())
		}),
	distribution("cdn-tls12", "Viewers use TLS 1.2 at least", "Older versions can be broken.",
		"components/cdn, MinimumProtocolVersion", rule.High, []string{"FSBP CloudFront.15"}, func(s *rule.Subject, v aws.CloudfrontDistribution) {
			s.Must(v.ViewerCertificate().MinimumProtocolVersion().HasPrefix("TLSv1.2_2"), "minimumProtocolVersion is %s", v.ViewerCertificate().MinimumProtocolVersion().Text())
		}),
	distribution("cdn-origin-https", "CloudFront speaks HTTPS to its origins", "Between CloudFront and the origin the request would be in clear text.",
		"components/cdn, OriginProtocolPolicy", rule.High, []string{"FSBP CloudFront.9", "FSBP CloudFront.10"}, func(s *rule.Subject, v aws.CloudfrontDistribution) {
			s.Must(v.Origins().All(func(o aws.CloudfrontDistributionOrigin) value.Truth {
				c := o.CustomOriginConfig()
				return value.Implies(c.Set(), value.All(
					c.OriginProtocolPolicy().Is("https-only"),
					c.OriginSslProtocols().All(func(p value.String) value.Truth { return p.Is("TLSv1.2") }),
				))
			}), "an origin is asked by HTTP or by an old TLS")
		}),
	distribution("cdn-bucket-closed", "Buckets answer to the distribution only", "Everybody could read the bucket around CloudFront.",
		"components/cdn, OriginAccessControlId", rule.High, []string{"FSBP CloudFront.13"}, func(s *rule.Subject, v aws.CloudfrontDistribution) {
			s.Must(v.Origins().All(func(o aws.CloudfrontDistributionOrigin) value.Truth {
				return value.Any(o.CustomOriginConfig().Set(), o.VpcOriginConfig().Set(), o.OriginAccessControlId().Set())
			}), "an origin that is a bucket has no origin access control")
		}),
	distribution("cdn-no-shadowed-path", "No behaviour is hidden by an earlier one", "CloudFront takes the first pattern that fits. The later one never applies.",
		"components/cdn/behaviour, the order of rules", rule.Medium, nil, func(s *rule.Subject, v aws.CloudfrontDistribution) {
			items := list(v.OrderedCacheBehaviors())
			for i, later := range items {
				for _, earlier := range items[:i] {
					s.Must(value.Not(covers(earlier.PathPattern(), later.PathPattern())), "%s is hidden by %s", later.PathPattern().Text(), earlier.PathPattern().Text())
				}
			}
		}),
	distribution("cdn-origin-failover", "The distribution has a second origin", "If the origin is down, users get an error page.",
		"components/cdn, OriginGroups", rule.Low, []string{"FSBP CloudFront.4"}, func(s *rule.Subject, v aws.CloudfrontDistribution) {
			s.Must(v.OriginGroups().Set(), "originGroups is not set")
		}),
	{
		ID: "cdn-vpc-origin", Title: "CloudFront reaches the load balancer inside the VPC",
		Why: "A public origin needs a secret header and a prefix list to keep others out.",
		Fix: "components/cdn, VpcOriginConfig", Standards: []string{"WA SEC05"},
		// Advice until no stack has a public load balancer any more.
		Severity: rule.Medium, Levels: rule.Advice,
		Check: rule.On(func(s *rule.Subject, v aws.CloudfrontDistribution) {
			s.Must(v.Origins().All(func(o aws.CloudfrontDistributionOrigin) value.Truth {
				return value.Not(o.CustomOriginConfig().Set())
			}), "an origin is a public server")
		}),
	},
	{
		ID: "cdn-web-acl", Title: "A web ACL of this stack filters the requests",
		Why: "Scanners and floods would reach the services.",
		Fix: "the key edge.webAcl", Standards: []string{"FSBP CloudFront.6"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ aws.CloudfrontDistribution) {
			s.Must(rule.Refs[aws.Wafv2WebAcl](s.Graph, s.Resource, "webAclId").Exists(), "webAclId is not that of a web ACL of this stack")
		}),
	},
	{
		ID: "cdn-security-headers", Title: "Answers carry HSTS and a content security policy",
		Why: "A browser would follow a plain link, and run scripts of others.",
		Fix: "components/cdn, securityHeaders", Standards: []string{"OWASP Secure Headers"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.CloudfrontResponseHeadersPolicy) {
			c := v.SecurityHeadersConfig()
			s.Must(c.StrictTransportSecurity().AccessControlMaxAgeSec().AtLeast(yearSeconds), "strictTransportSecurity is below a year")
			s.Must(c.ContentSecurityPolicy().ContentSecurityPolicy().Set(), "contentSecurityPolicy is not set")
			s.Must(c.ContentTypeOptions().Override().IsTrue(), "contentTypeOptions is not set")
		}),
	},
	{
		ID: "cdn-headers-on-every-path", Title: "Each behaviour sends the security headers",
		Why: "One path without them is enough for an attack.",
		Fix: "components/cdn, ResponseHeadersPolicyId", Standards: []string{"OWASP Secure Headers"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.CloudfrontDistribution) {
			s.Must(v.DefaultCacheBehavior().ResponseHeadersPolicyId().Set(), "the default behaviour has no response headers policy")
			s.Must(v.OrderedCacheBehaviors().All(func(b aws.CloudfrontDistributionOrderedCacheBehavior) value.Truth {
				return b.ResponseHeadersPolicyId().Set()
			}), "a behaviour has no response headers policy")
		}),
	},
	{
		ID: "cdn-personal-answers-apart", Title: "Answers for a person are not cached for others",
		Why: "One user would see the plan of another one.",
		Fix: "components/cdn/behaviour, Caching", Standards: []string{"WA SEC07"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v aws.CloudfrontDistribution) {
			buckets := map[string]bool{}
			for _, o := range list(v.Origins()) {
				if o.OriginAccessControlId().Set() == value.True {
					buckets[o.OriginId().Text()] = true
				}
			}
			policies := rule.Refs[aws.CloudfrontCachePolicy](s.Graph, s.Resource, "orderedCacheBehaviors")
			for _, b := range list(v.OrderedCacheBehaviors()) {
				if buckets[b.TargetOriginId().Text()] {
					continue
				}
				s.Must(apart(policies, b.CachePolicyId()), "answers to %s are cached without the Authorization header in the key", b.PathPattern().Text())
			}
		}),
	},
	{
		ID: "waf-metrics", Title: "The web ACL counts its requests",
		Why: "Without metrics nobody sees an attack, or a rule that blocks users.",
		Fix: "components/webacl, visibility", Standards: []string{"FSBP WAF.12"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.Wafv2WebAcl) {
			s.Must(v.VisibilityConfig().CloudwatchMetricsEnabled().IsTrue(), "cloudwatchMetricsEnabled is not true")
		}),
	},
	{
		ID: "waf-rules", Title: "The web ACL has AWS's managed rules and a rate limit",
		Why: "An ACL without rules lets everything through.",
		Fix: "components/webacl, managed", Standards: []string{"FSBP WAF.10"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.Wafv2WebAcl) {
			s.Must(v.Rules().Any(func(r aws.Wafv2WebAclRule) value.Truth { return r.Statement().Get("rateBasedStatement").Set() }), "no rule limits the rate")
			s.Must(v.Rules().Any(func(r aws.Wafv2WebAclRule) value.Truth {
				return r.Statement().Get("managedRuleGroupStatement").Set()
			}), "no managed rule group")
		}),
	},
	{
		ID: "waf-logged", Title: "The web ACL logs what it blocks",
		Why: "A user who was blocked can't be told why.",
		Fix: "components/webacl, a logging configuration", Standards: []string{"FSBP WAF.11"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ aws.Wafv2WebAcl) {
			s.Must(rule.Users[aws.Wafv2WebAclLoggingConfiguration](s.Graph, s.Resource, "resourceArn").Exists(), "no logging configuration names it")
		}),
	},
	{
		ID: "certificate-validated", Title: "Certificates are validated by DNS within the stack",
		Why: "CloudFront and the load balancer refuse a certificate that is not issued yet.",
		Fix: "components/certificate", Standards: []string{"FSBP ACM.1"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v aws.AcmCertificate) {
			s.Must(v.ValidationMethod().Is("DNS"), "validationMethod is %s", v.ValidationMethod().Text())
			s.Must(rule.Users[aws.AcmCertificateValidation](s.Graph, s.Resource, "certificateArn").Exists(), "nothing waits until it is validated")
		}),
	},
	{
		ID: "certificate-covers-names", Title: "A distribution's certificate covers its names",
		Why: "CloudFront refuses an alias that the certificate does not have.",
		Fix: "components/certificate/names", Standards: nil,
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v aws.CloudfrontDistribution) {
			all := rule.Every[aws.AcmCertificate](s.Graph)
			s.Must(v.Aliases().All(func(alias value.String) value.Truth {
				return all.Any(func(_ *graph.Resource, c aws.AcmCertificate) value.Truth {
					return value.Any(named(c.DomainName(), alias), c.SubjectAlternativeNames().Any(func(n value.String) value.Truth { return named(n, alias) }))
				})
			}), "an alias is on no certificate of this stack")
		}),
	},
}

// yearSeconds is what browsers ask of a site before they trust HSTS.
const yearSeconds = 365 * 24 * 60 * 60

func distribution(id, title, why, fix string, severity rule.Severity, standards []string, check func(*rule.Subject, aws.CloudfrontDistribution)) *rule.Rule {
	levels := rule.Everywhere
	if severity == rule.Low {
		levels = rule.Advice
	}
	return &rule.Rule{ID: id, Title: title, Why: why, Fix: fix, Severity: severity, Levels: levels, Standards: standards, Check: rule.On(check)}
}

// cachingDisabled is AWS's cache policy that caches nothing.
const cachingDisabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"

// apart tells whether a cache policy keeps the answers for different callers
// apart, or caches nothing. Which one it is, is known once it exists.
func apart(policies rule.Set[aws.CloudfrontCachePolicy], id value.String) value.Truth {
	return value.Any(id.Is(cachingDisabled), id.Satisfies(func(text string) bool {
		for _, r := range policies.Resources {
			key := value.As[aws.CloudfrontCachePolicy](r.View()).ParametersInCacheKeyAndForwardedToOrigin()
			if r.ID == text && value.HasText(key.HeadersConfig().Headers().Items(), "Authorization") == value.True {
				return true
			}
		}
		return false
	}))
}

// covers tells whether a pattern fits every path of another one. Patterns have
// one star, at their end.
func covers(pattern, other value.String) value.Truth {
	return value.Both(pattern, other, func(p, path string) bool {
		prefix, star := strings.CutSuffix(p, "*")
		return p == path || star && strings.HasPrefix(path, prefix)
	})
}

// named tells whether a name of a certificate covers a domain.
func named(certificate, domain value.String) value.Truth {
	return value.Both(certificate, domain, func(name, wanted string) bool {
		_, parent, _ := strings.Cut(wanted, ".")
		return name == wanted || name == "*."+parent
	})
}

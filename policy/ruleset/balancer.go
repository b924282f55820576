package ruleset

import (
	"strings"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/k8sview"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// CloudFront's default timeouts, in seconds (CloudFront API, VpcOriginConfig).
// defaultReadTimeout is for a response of the origin, and defaultKeepalive for an idle
// connection to it.
const (
	defaultReadTimeout = 30
	defaultKeepalive   = 5
)

var balancer = []*rule.Rule{
	{
		ID: "alb-internal", Title: "The load balancer is internal",
		Why: "CloudFront reaches it through a VPC origin. A public one can be reached around CloudFront and its web ACL.",
		Fix: "components/loadbalancer, Internal", Standards: []string{"WA SEC05"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.LbLoadBalancer) {
			s.Must(v.Internal().Or(false).IsTrue(), "internal is not true")
		}),
	},
	loadBalancerRule("alb-invalid-headers", "The load balancer drops invalid headers", "With an invalid header an attacker can hide a second request in the first one.",
		"components/loadbalancer, DropInvalidHeaderFields", []string{"FSBP ELB.4"}, func(s *rule.Subject, v awsview.LbLoadBalancer) {
			s.Must(v.DropInvalidHeaderFields().IsTrue(), "dropInvalidHeaderFields is not true")
		}),
	loadBalancerRule("alb-logs", "The load balancer logs its requests", "Without the log nobody knows who requested what.",
		"components/loadbalancer, AccessLogs", []string{"FSBP ELB.5"}, func(s *rule.Subject, v awsview.LbLoadBalancer) {
			s.Must(v.AccessLogs().Enabled().IsTrue(), "accessLogs.enabled is not true")
			s.Must(v.AccessLogs().Bucket().IsSet(), "accessLogs.bucket is not set")
		}),
	loadBalancerRule("alb-deletion-protection", "The load balancer can't be deleted by mistake", "A new one has another name and address.",
		"the key deletionProtection", []string{"FSBP ELB.6"}, func(s *rule.Subject, v awsview.LbLoadBalancer) {
			s.Must(v.EnableDeletionProtection().IsTrue(), "enableDeletionProtection is not true")
		}),
	loadBalancerRule("alb-desync", "The load balancer refuses ambiguous requests", "If two servers read one request differently, an attacker can hide a second request in it.",
		"components/loadbalancer, DesyncMitigationMode", []string{"FSBP ELB.12"}, func(s *rule.Subject, v awsview.LbLoadBalancer) {
			s.Must(v.DesyncMitigationMode().Or("defensive").In("defensive", "strictest"), "desyncMitigationMode is %s", v.DesyncMitigationMode().Text())
		}),
	{
		ID: "alb-two-zones", Title: "The load balancer spans two zones",
		Why: "The loss of one zone would take the platform off the internet.",
		Fix: "the key network.zones", Standards: []string{"FSBP ELB.13"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v awsview.LbLoadBalancer) {
			s.Must(spanTwoZones(s.Graph, s.Resource, "subnets", v.Subnets().Node), "the subnets are in fewer than two zones")
		}),
	},
	{
		ID: "alb-from-cloudfront-only", Title: "Only CloudFront reaches the load balancer",
		Why: "Whoever gets around CloudFront gets around the web ACL and the cache. A prefix list admits every customer's distribution.",
		Fix: "components/loadbalancer, admitCloudFront", Standards: []string{"WA SEC05"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ awsview.LbLoadBalancer) {
			groups := rule.Refs[awsview.Ec2SecurityGroup](s.Graph, s.Resource, "securityGroups")
			s.Must(groups.Exists(), "no security group of this stack protects it")
			for _, group := range groups.Resources {
				rules := rule.Referrers[awsview.VpcSecurityGroupIngressRule](s.Graph, group, "securityGroupId")
				s.Must(rules.All(func(r *graph.Resource, v awsview.VpcSecurityGroupIngressRule) value.Truth {
					// The Pulumi program looks up the security group of CloudFront's network
					// interfaces after the VPC origin exists. So the input
					// referencedSecurityGroupId refers to the VPC origin.
					isCloudFront := rule.Refs[awsview.CloudfrontVpcOrigin](s.Graph, r, "referencedSecurityGroupId").Exists()
					return value.All(isCloudFront, value.Not(v.CidrIpv4().IsSet()), value.Not(v.CidrIpv6().IsSet()), value.Not(v.PrefixListId().IsSet()))
				}), "an ingress rule of %s names something other than the group of CloudFront's VPC origins", group.Name)
			}
		}),
	},
	{
		ID: "alb-tls13", Title: "HTTPS listeners speak TLS 1.2 and 1.3 only",
		Why: "Attacks on older versions of TLS are known.",
		Fix: "components/loadbalancer, tlsPolicy", Standards: []string{"FSBP ELB.17"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.LbListener) {
			s.Must(value.Implies(v.Protocol().Or("HTTP").Is("HTTPS"), v.SslPolicy().Contains("TLS13-1-2")), "sslPolicy is %s", v.SslPolicy().Text())
		}),
	},
	{
		ID: "alb-no-plain-http", Title: "HTTP listeners redirect to HTTPS",
		Why: "Anybody on the way can read the token of a request in clear text, and use it.",
		Fix: "components/loadbalancer/listener.go", Standards: []string{"FSBP ELB.1"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.LbListener) {
			s.Must(value.Implies(v.Protocol().Or("HTTP").Is("HTTP"), v.DefaultActions().All(func(a awsview.LbListenerDefaultAction) value.Truth {
				return value.All(a.Type().Is("redirect"), a.Redirect().Protocol().Is("HTTPS"))
			})), "an action of the HTTP listener does something other than redirect to HTTPS")
		}),
	},
	{
		ID: "alb-target-group-used", Title: "Each target group has targets, and a rule that sends them requests",
		Why: "A group without targets answers 503; one without a rule hides a service that nobody reaches.",
		Fix: "components/loadbalancer and components/tier", Standards: []string{"WA REL06"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ awsview.LbTargetGroup) {
			s.Must(value.Any(
				rule.Referrers[awsview.AutoscalingGroup](s.Graph, s.Resource, "targetGroupArns").Exists(),
				rule.Referrers[awsview.AutoscalingAttachment](s.Graph, s.Resource, "lbTargetGroupArn").Exists(),
			), "no Auto Scaling Group has its nodes in it")
			s.Must(value.Any(
				rule.Referrers[awsview.LbListenerRule](s.Graph, s.Resource, "actions").Exists(),
				rule.Referrers[awsview.LbListener](s.Graph, s.Resource, "defaultActions").Exists(),
			), "no listener sends requests to it")
		}),
	},
	{
		ID: "alb-target-group-drains", Title: "A deregistered target finishes its requests, and a health check has a path",
		Why: "Without a delay each rollout cuts requests off.",
		Fix: "components/loadbalancer/routing, DeregistrationDelay", Standards: []string{"WA REL08"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.LbTargetGroup) {
			s.Must(v.DeregistrationDelay().Or(300).AtLeast(1), "deregistrationDelay is %s", v.DeregistrationDelay().Text())
			s.Must(v.HealthCheck().Path().IsSet(), "healthCheck.path is not set")
		}),
	},
	{
		ID: "alb-health-check-in-time", Title: "A health check ends before the next one starts",
		Why: "ELB refuses a timeout that is not below the interval.",
		Fix: "components/loadbalancer, healthTimeout", Standards: []string{"WA REL06"},
		Severity: rule.Low, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.LbTargetGroup) {
			c := v.HealthCheck()
			s.Must(c.Timeout().Or(5).Compare(c.Interval().Or(30), func(a, b float64) bool { return a < b }), "timeout %s is not below interval %s", c.Timeout().Text(), c.Interval().Text())
		}),
	},
	{
		ID: "edge-timeouts-in-order", Title: "From the service to CloudFront, each hop waits longer than the one behind it, and closes idle connections first",
		Why: "If the outer hop gives up first, the inner one works on a request that nobody waits for. If the inner hop closes an idle connection first, a request on it is lost.",
		Fix: "components/scaling, EdgeTimeouts", Standards: []string{"WA REL05"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v awsview.LbLoadBalancer) {
			idle, service := v.IdleTimeout().Or(60), scaling.EdgeTimeouts().Service
			s.Must(value.Not(idle.AtMost(service.Response.Seconds())), "idleTimeout %s is not above the %s in which a service answers", idle.Text(), service.Response)
			s.Must(value.Not(idle.AtLeast(service.KeepAlive.Seconds())), "idleTimeout %s is not below the %s for which a service keeps an idle connection", idle.Text(), service.KeepAlive)
			for _, r := range s.Graph.OfType(k8sview.Deployment{}.Token()) {
				s.Must(requestTimeoutsBelow(r, service.Response), "a timeout of %s is not below the %s in which a service answers", r.Name, service.Response)
			}
			for _, r := range rule.Every[awsview.CloudfrontDistribution](s.Graph).Resources {
				origins := value.As[awsview.CloudfrontDistribution](r.View()).Origins()
				s.Must(origins.All(func(o awsview.CloudfrontDistributionOrigin) value.Truth {
					c := o.VpcOriginConfig()
					return value.Implies(c.IsSet(), c.OriginReadTimeout().Or(defaultReadTimeout).Compare(idle, isGreater))
				}), "CloudFront does not wait longer for the origin than idleTimeout %s", idle.Text())
				s.Must(origins.All(func(o awsview.CloudfrontDistributionOrigin) value.Truth {
					c := o.VpcOriginConfig()
					return value.Implies(c.IsSet(), idle.Compare(c.OriginKeepaliveTimeout().Or(defaultKeepalive), isGreater))
				}), "CloudFront keeps a connection longer than idleTimeout %s", idle.Text())
			}
		}),
	},
}

// requestTimeoutsBelow reports whether the timeouts that a Deployment sets for its requests are
// below limit.
func requestTimeoutsBelow(deployment *graph.Resource, limit time.Duration) value.Truth {
	return podTemplate(deployment).Spec().Containers().All(func(c k8sview.Container) value.Truth {
		return c.Env().All(func(e k8sview.EnvVar) value.Truth {
			return value.Implies(e.Name().In(requestTimeoutVariables()...), e.Value().Satisfies(func(text string) bool {
				d, err := time.ParseDuration(text)
				return err == nil && d < limit
			}))
		})
	})
}

// requestTimeoutVariables returns the environment variables with the timeouts of the services'
// requests.
func requestTimeoutVariables() []string {
	var names []string
	for _, service := range scaling.Services() {
		for _, variable := range service.Env {
			if strings.HasSuffix(variable.Name, "_TIMEOUT") {
				names = append(names, variable.Name)
			}
		}
	}
	return names
}

// isGreater reports whether a is greater than b, as a test for value.Number.Compare.
func isGreater(a, b float64) bool { return a > b }

// loadBalancerRule returns a rule on properties of the load balancer.
func loadBalancerRule(id, title, why, fix string, standards []string, check func(*rule.Subject, awsview.LbLoadBalancer)) *rule.Rule {
	return &rule.Rule{ID: id, Title: title, Why: why, Fix: fix, Severity: rule.Medium, Levels: rule.Deployed, Standards: standards, Check: rule.On(check)}
}

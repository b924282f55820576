package ruleset

import (
	"strings"

	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// webACL are the rules on the web ACL and on certificates.
var webACL = []*rule.Rule{
	{
		ID: "waf-metrics", Title: "The web ACL counts its requests",
		Why: "Without metrics nobody sees an attack, or a rule that blocks users.",
		Fix: "components/webacl, visibility", Standards: []string{"FSBP WAF.12"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.Wafv2WebAcl) {
			s.Must(v.VisibilityConfig().CloudwatchMetricsEnabled().IsTrue(), "cloudwatchMetricsEnabled is not true")
		}),
	},
	{
		ID: "waf-rules", Title: "The web ACL has AWS's managed rules and a rate limit",
		Why: "An ACL without rules lets everything through.",
		Fix: "components/webacl, managed", Standards: []string{"FSBP WAF.10"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.Wafv2WebAcl) {
			s.Must(v.Rules().Any(func(r awsview.Wafv2WebAclRule) value.Truth { return r.Statement().Get("rateBasedStatement").IsSet() }), "no rule limits the rate")
			s.Must(v.Rules().Any(func(r awsview.Wafv2WebAclRule) value.Truth {
				return r.Statement().Get("managedRuleGroupStatement").IsSet()
			}), "no managed rule group")
		}),
	},
	{
		ID: "waf-logged", Title: "The web ACL logs what it blocks",
		Why: "Without the log nobody knows why a user was blocked.",
		Fix: "components/webacl, a logging configuration", Standards: []string{"FSBP WAF.11"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ awsview.Wafv2WebAcl) {
			s.Must(rule.Referrers[awsview.Wafv2WebAclLoggingConfiguration](s.Graph, s.Resource, "resourceArn").Exists(), "no logging configuration names it")
		}),
	},
	{
		ID: "waf-log-redacted", Title: "The web ACL's log holds no tokens",
		Why: "Whoever reads the log could act as the users in it.",
		Fix: "components/webacl, redactedHeaders", Standards: []string{"WA SEC08"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.Wafv2WebAclLoggingConfiguration) {
			for _, header := range []string{"authorization", "cookie"} {
				s.Must(v.RedactedFields().Any(func(f awsview.Wafv2WebAclLoggingConfigurationRedactedField) value.Truth {
					return f.SingleHeader().Name().Is(header)
				}), "the header %s is not redacted", header)
			}
		}),
	},
	{
		ID: "certificate-validated", Title: "Certificates are validated by DNS within the stack",
		Why: "CloudFront and the load balancer refuse a certificate that is not issued yet.",
		Fix: "components/certificate", Standards: []string{"FSBP ACM.1"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v awsview.AcmCertificate) {
			s.Must(v.ValidationMethod().Is("DNS"), "validationMethod is %s", v.ValidationMethod().Text())
			s.Must(rule.Referrers[awsview.AcmCertificateValidation](s.Graph, s.Resource, "certificateArn").Exists(), "no CertificateValidation waits until it is issued")
		}),
	},
	{
		ID: "certificate-covers-names", Title: "A distribution's certificate covers its names",
		Why: "CloudFront refuses an alias that the certificate does not have.",
		Fix: "components/certificate/names", Standards: []string{"FSBP CloudFront.7"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v awsview.CloudfrontDistribution) {
			certificates := rule.Every[awsview.AcmCertificate](s.Graph)
			s.Must(v.Aliases().All(func(alias value.String) value.Truth {
				return certificates.Any(func(_ *graph.Resource, c awsview.AcmCertificate) value.Truth {
					return value.Any(coversDomain(c.DomainName(), alias), c.SubjectAlternativeNames().Any(func(n value.String) value.Truth { return coversDomain(n, alias) }))
				})
			}), "an alias is on no certificate of this stack")
		}),
	},
}

// coversDomain reports whether a name of a certificate covers a domain. Such a name may begin
// with a wildcard for one label.
func coversDomain(certificateName, domain value.String) value.Truth {
	return value.CompareStrings(certificateName, domain, func(name, domain string) bool {
		_, parent, _ := strings.Cut(domain, ".")
		return name == domain || name == "*."+parent
	})
}

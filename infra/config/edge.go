package config

import (
	"regexp"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/cdn/behaviour"
)

// Edge is how users reach the platform from the internet: CloudFront and the
// load balancer behind it. Without a domain the stack has neither.
type Edge struct {
	// The platform's domain name, such as `example.com`. CloudFront reaches the
	// load balancer as `origin.DOMAIN`.
	Domain string `mapstructure:"domain" unset:"no edge"`
	// The name of the public hosted zone in Route 53: the domain itself or a
	// parent of it. Unset, the DNS records are yours to create, and the
	// certificates are required.
	Zone string `mapstructure:"zone"`
	// The ARN of an ACM certificate in us-east-1 for the domain. Only without
	// `edge.zone`, and then required.
	CertificateARN string `mapstructure:"certificateArn"`
	// The ARN of an ACM certificate in the stack's region for `origin.DOMAIN`.
	// Only without `edge.zone`, and then required.
	OriginCertificateARN string `mapstructure:"originCertificateArn"`
	// Paths below `/api/` whose answers CloudFront may cache. The Authorization
	// header is part of the cache key.
	Cacheable []string `mapstructure:"cacheable"`
	// The generation of the secret that CloudFront sends to the load balancer.
	// Increase it by one to rotate the secret; the previous one stays valid until
	// the next rotation.
	OriginSecretGeneration int `mapstructure:"originSecretGeneration"`
	// A web ACL in front of CloudFront: AWS's managed rules and a limit of
	// requests for each address.
	WebACL bool `mapstructure:"webAcl"`
	// How many requests an address may send in five minutes. Needs `edge.webAcl`.
	RequestsPerAddress int `mapstructure:"requestsPerAddress" unset:"6000"`
	// The ARN of an SNS topic in the stack's region. It is notified when more
	// than 1 % of all requests fail, and when that ends.
	AlarmTopicARN string `mapstructure:"alarmTopicArn"`
}

// EdgeRegion is where CloudFront takes certificates and web ACLs from
// (CloudFront Developer Guide, "Requirements for using SSL/TLS certificates").
const EdgeRegion = "us-east-1"

// OriginDomain is the name by which CloudFront reaches the load balancer.
func (e Edge) OriginDomain() string { return "origin." + e.Domain }

var (
	domainName     = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$`)
	topicARN       = regexp.MustCompile(`^arn:aws[a-z-]*:sns:([a-z0-9-]+):[0-9]{12}:[A-Za-z0-9_-]{1,256}$`)
	certificateARN = regexp.MustCompile(`^arn:aws[a-z-]*:acm:([a-z0-9-]+):[0-9]{12}:certificate/[0-9a-f-]+$`)
)

func validateEdge(s *Stack) field.ErrorList {
	var problems field.ErrorList
	at, e := path("edge"), s.Edge
	if e.Domain == "" {
		if e.Zone != "" || e.CertificateARN != "" || e.OriginCertificateARN != "" || len(e.Cacheable) > 0 {
			problems = append(problems, field.Required(at.Child("domain"), "the users' name of the platform; without one there is no edge to configure"))
		}
		return problems
	}
	for name, domain := range map[string]string{"domain": e.Domain, "zone": e.Zone} {
		if domain != "" && !domainName.MatchString(domain) {
			problems = append(problems, field.Invalid(at.Child(name), domain, "must be a domain name in lower case, such as example.com"))
		}
	}
	if e.Zone != "" && e.Domain != e.Zone && !endsIn(e.Domain, e.Zone) {
		problems = append(problems, field.Invalid(at.Child("zone"), e.Zone, "must be the domain itself or end it; Route 53 keeps a name's records in its own zone"))
	}
	for name, certificate := range map[string]struct{ arn, region string }{
		"certificateArn": {e.CertificateARN, EdgeRegion}, "originCertificateArn": {e.OriginCertificateARN, s.Region},
	} {
		form := certificateARN.FindStringSubmatch(certificate.arn)
		switch {
		case e.Zone != "" && certificate.arn != "":
			problems = append(problems, field.Forbidden(at.Child(name), "with edge.zone the stack makes its certificates; leave one of them out"))
		case e.Zone == "" && certificate.arn == "":
			problems = append(problems, field.Required(at.Child(name), "without edge.zone nobody can prove that the domain is yours; give a certificate of "+certificate.region))
		case certificate.arn != "" && (form == nil || form[1] != certificate.region):
			problems = append(problems, field.Invalid(at.Child(name), certificate.arn, "must be the ARN of an ACM certificate in "+certificate.region))
		}
	}
	if _, err := behaviour.Platform(e.Cacheable...); err != nil {
		problems = append(problems, field.Invalid(at.Child("cacheable"), e.Cacheable, err.Error()))
	}
	if form := topicARN.FindStringSubmatch(e.AlarmTopicARN); e.AlarmTopicARN != "" && (form == nil || form[1] != s.Region) {
		problems = append(problems, field.Invalid(at.Child("alarmTopicArn"), e.AlarmTopicARN, "must be the ARN of an SNS topic in "+s.Region))
	}
	if e.OriginSecretGeneration < 0 {
		problems = append(problems, field.Invalid(at.Child("originSecretGeneration"), e.OriginSecretGeneration, "must not be below 0"))
	}
	if e.RequestsPerAddress < 0 || (e.RequestsPerAddress > 0 && !e.WebACL) {
		problems = append(problems, field.Invalid(at.Child("requestsPerAddress"), e.RequestsPerAddress, "must not be below 0, and needs edge.webAcl"))
	}
	return problems
}

func endsIn(name, zone string) bool {
	return len(name) > len(zone) && name[len(name)-len(zone)-1:] == "."+zone
}

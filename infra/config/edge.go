package config

import (
	"regexp"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/cdn/behaviour"
)

// Edge is how the platform's users reach it from the internet: CloudFront and
// the load balancer behind it. Without a domain the stack has none.
type Edge struct {
	// Domain is the users' name of the platform, such as example.com.
	// CloudFront reaches the load balancer as origin.DOMAIN.
	Domain string `mapstructure:"domain"`
	// Zone is the public hosted zone of Route 53 that the domain lies in, by
	// its name; none: somebody else keeps the records, and the certificates are
	// given.
	Zone string `mapstructure:"zone"`
	// CertificateARN is a certificate in us-east-1 that covers the domain, and
	// OriginCertificateARN one in the stack's region that covers origin.DOMAIN;
	// both, where there is no Zone, and neither where there is one.
	CertificateARN       string `mapstructure:"certificateArn"`
	OriginCertificateARN string `mapstructure:"originCertificateArn"`
	// Cacheable are the paths below /api/ whose answers may be cached.
	Cacheable []string `mapstructure:"cacheable"`
	// OriginSecretGeneration counts the rotations of the origin secret.
	OriginSecretGeneration int `mapstructure:"originSecretGeneration"`
	// WebACL is whether a web ACL stands before CloudFront.
	WebACL bool `mapstructure:"webAcl"`
	// RequestsPerAddress is what the web ACL lets an address have in five
	// minutes; zero: the component's.
	RequestsPerAddress int `mapstructure:"requestsPerAddress"`
	// AlarmTopicARN is the SNS topic of the stack's region that hears when too
	// many requests fail; empty: nobody does.
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

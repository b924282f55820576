package config

import (
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/account/regions"
	"github.com/progressive-framework/platform/components/certificate/names"
	"github.com/progressive-framework/platform/components/traffic"
	"github.com/progressive-framework/platform/components/webacl/webaclspec"
)

// Edge is how users reach the platform from the internet: CloudFront and the
// load balancer behind it. Without a domain the stack has neither.
type Edge struct {
	// The platform's domain name, such as `example.com`. The certificate of the
	// internal load balancer is for `origin.DOMAIN`.
	Domain string `key:"domain" unset:"no edge"`
	// The public hosted zone in Route 53 of the domain itself or of a parent of it: its name, or
	// its ID if the account has several zones of that name. If it is not set, you create the DNS
	// records, and the certificates are required.
	Zone string `key:"zone"`
	// The ARN of an ACM certificate in us-east-1 for the domain. Only without
	// `edge.zone`, and then required.
	CertificateARN string `key:"certificateArn"`
	// The ARN of an ACM certificate in the stack's region for `origin.DOMAIN`.
	// Only without `edge.zone`, and then required.
	OriginCertificateARN string `key:"originCertificateArn"`
	// Paths below `/api/` with responses that CloudFront may cache. The
	// Authorization header is part of the cache key.
	Cacheable []string `key:"cacheable"`
	// Makes browsers use HTTPS for every name below the domain, for a year. Set it
	// only if each of them has HTTPS: a browser that has seen the setting uses only HTTPS
	// for a year.
	HSTSSubdomains bool `key:"hstsSubdomains"`
	// A web ACL in front of CloudFront: AWS's managed rules and a limit of
	// requests for each address. It logs every request that a rule matches.
	WebACL bool `key:"webAcl"`
	// What AWS's managed rules do with a request that matches. Start with `count`,
	// read the log for false matches, then set `block`. The limit of requests for
	// each address always blocks.
	WebACLMode webaclspec.Mode `key:"webAclMode"`
	// How many requests an address may send in five minutes. Needs `edge.webAcl`.
	RequestsPerAddress int `key:"requestsPerAddress" unset:"6000"`
	// The ARN of an SNS topic in the stack's region. It is notified of every alarm.
	// There are alarms when more than 1 % of all requests fail, when a tier is near
	// its limit, and when nothing drains nodes. There are alarms when a node image is
	// old, when a managed store is nearly full, slow or behind, and when RDS has not
	// finished a backup for 36 hours. With `podScaling.enabled`, an Alertmanager sends
	// it the alerts of Prometheus too.
	AlarmTopicARN string `key:"alarmTopicArn"`
}

// EdgeRegion is the region in which CloudFront's certificates and web ACLs must be (CloudFront
// Developer Guide, "Requirements for using SSL/TLS certificates").
const EdgeRegion = "us-east-1"

// OriginDomain returns the host name that CloudFront sends to the load balancer. The load
// balancer's certificate must be for this name.
func (e Edge) OriginDomain() string { return "origin." + e.Domain }

// ZoneID returns Zone if it is the ID of a hosted zone, otherwise an empty string. An ID begins
// with a capital Z, which no accepted domain name has.
func (e Edge) ZoneID() string {
	if zoneID.MatchString(e.Zone) {
		return e.Zone
	}
	return ""
}

// CheckInZone returns an error if the domain is not in the hosted zone called name.
func (e Edge) CheckInZone(name string) error {
	if e.Domain != name && !strings.HasSuffix(e.Domain, "."+name) {
		return fmt.Errorf("zone %s must be the domain %s itself or a parent of it; Route 53 keeps a name's records in its own zone", name, e.Domain)
	}
	return nil
}

var (
	// zoneID is the ID of a hosted zone (Route 53 API, "ResourceId": 32 characters).
	zoneID         = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)
	domainName     = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{0,58}[a-z0-9])$`)
	topicARN       = regexp.MustCompile(`^arn:aws[a-z-]*:sns:([a-z0-9-]+):[0-9]{12}:[A-Za-z0-9_-]{1,256}$`)
	certificateARN = regexp.MustCompile(`^arn:aws[a-z-]*:acm:([a-z0-9-]+):([0-9]{12}):certificate/[0-9a-f-]+$`)
)

// validateEdge checks the keys of an edge with a domain.
func validateEdge(s *Stack) field.ErrorList {
	var problems field.ErrorList
	keyPath, e := path("edge"), s.Edge
	if e.Domain == "" {
		return nil // validateEffects refuses the keys that are set
	}
	if partition := regions.Partition(s.Region); partition != regions.Commercial && partition != "" {
		problems = append(problems, field.Forbidden(keyPath.Child("domain"),
			"CloudFront serves the platform in partition "+regions.Commercial+" only, and region "+s.Region+" is in "+partition+"; remove edge"))
	}
	zone := e.Zone
	if e.ZoneID() != "" {
		zone = "" // the program looks up the zone's name
	}
	for _, d := range []struct{ name, domain string }{{"domain", e.Domain}, {"zone", zone}} {
		if d.domain != "" && (!domainName.MatchString(d.domain) || len(d.domain) > maxDomain) {
			problems = append(problems, field.Invalid(keyPath.Child(d.name), d.domain, "must be a domain name in lower case, such as example.com"))
		}
	}
	if zone != "" {
		if err := e.CheckInZone(zone); err != nil {
			problems = append(problems, field.Invalid(keyPath.Child("zone"), e.Zone, err.Error()))
		}
	}
	if e.Zone != "" && domainName.MatchString(e.Domain) {
		if err := names.Check([]string{e.OriginDomain()}); err != nil {
			problems = append(problems, field.Invalid(keyPath.Child("domain"), e.Domain,
				"is too long for the certificate of "+e.OriginDomain()+": "+err.Error()+"; choose a shorter domain, or certificates of yours without edge.zone"))
		}
	}
	problems = append(problems, validateCertificates(s)...)
	if _, err := traffic.Behaviours(e.Cacheable...); err != nil {
		problems = append(problems, field.Invalid(keyPath.Child("cacheable"), strings.Join(e.Cacheable, ", "), plainMessage(err)))
	}
	if e.AlarmTopicARN != "" && !isTopicARN(e.AlarmTopicARN, s.Region) {
		problems = append(problems, field.Invalid(keyPath.Child("alarmTopicArn"), e.AlarmTopicARN, "must be the ARN of an SNS topic in "+s.Region))
	}
	return problems
}

// isTopicARN reports whether a text is the ARN of an SNS topic in a region.
func isTopicARN(text, region string) bool {
	match := topicARN.FindStringSubmatch(text)
	return match != nil && match[1] == region && regions.CheckARN(region, text) == nil
}

// maxDomain is the longest domain: OriginDomain adds "origin.", and a DNS name has at most 253
// characters.
const maxDomain = 253 - len("origin.")

// validateCertificates checks the certificates that a stack without edge.zone must name. With
// edge.zone, the stack creates the certificates.
func validateCertificates(s *Stack) field.ErrorList {
	var problems field.ErrorList
	if s.Edge.Zone != "" {
		return nil
	}
	for _, certificate := range []struct{ name, arn, region string }{
		{"certificateArn", s.Edge.CertificateARN, EdgeRegion}, {"originCertificateArn", s.Edge.OriginCertificateARN, s.Region},
	} {
		keyPath := path("edge").Child(certificate.name)
		switch match := certificateARN.FindStringSubmatch(certificate.arn); {
		case certificate.arn == "":
			problems = append(problems, field.Required(keyPath, "without edge.zone the stack can't create a certificate, because it can't prove that the domain is yours; set the ARN of a certificate in "+certificate.region))
		case match == nil || match[1] != certificate.region || regions.CheckARN(s.Region, certificate.arn) != nil:
			problems = append(problems, field.Invalid(keyPath, certificate.arn, "must be the ARN of an ACM certificate in "+certificate.region))
		case accountID.MatchString(s.Account) && match[2] != s.Account:
			problems = append(problems, field.Invalid(keyPath, certificate.arn, "is a certificate of another account than "+s.Account+"; CloudFront and load balancers accept certificates of their own account only"))
		}
	}
	return problems
}

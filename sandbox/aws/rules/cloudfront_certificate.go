package rules

import (
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// edgeRegion is the region of CloudFront's certificates and web ACLs.
const edgeRegion = "us-east-1"

const invalidCertificate = "InvalidViewerCertificate"

var toEdgeCertificate = &Ref{
	To: []string{certificateType}, By: []string{"arn"}, Noun: "SSL certificate", Missing: invalidCertificate, InUseCode: "ResourceInUseException",
}

// viewerCertificateProps has the rules of the certificate for viewers.
var viewerCertificateProps = Props{
	"viewerCertificate": {},
	"viewerCertificate.cloudfrontDefaultCertificate": {},
	"viewerCertificate.acmCertificateArn":            {Valid: checkARN, Ref: toEdgeCertificate},
	"viewerCertificate.iamCertificateId":             {Refuse: "server certificates of IAM are not supported"},
	"viewerCertificate.sslSupportMethod":             {},
	"viewerCertificate.minimumProtocolVersion":       {Default: "TLSv1"},
}

// checkViewerCertificate reports failures for settings that exclude each other. The
// SDK's comment on DistributionViewerCertificate lists them.
func checkViewerCertificate(v Object, fail Fail) {
	const prefix = "viewerCertificate."
	fromACM, minimum := v.Has("acmCertificateArn"), v.String("minimumProtocolVersion")
	usesDefault := v.Bool("cloudfrontDefaultCertificate") // also false if the value is not known yet
	defaultUnknown := v.Has("cloudfrontDefaultCertificate") && !v.Known("cloudfrontDefaultCertificate")
	switch {
	case !defaultUnknown && fromACM == usesDefault:
		fail(prefix+"acmCertificateArn", "exactly one of cloudfrontDefaultCertificate and acmCertificateArn must be given")
	case fromACM && !v.Has("sslSupportMethod"):
		fail(prefix+"sslSupportMethod", "must be given with acmCertificateArn")
	case !fromACM && minimum != "" && minimum != "TLSv1":
		fail(prefix+"minimumProtocolVersion", "is %s, must be TLSv1 with CloudFront's default certificate", minimum)
	case fromACM && v.String("sslSupportMethod") == "sni-only" && minimum == "SSLv3":
		fail(prefix+"minimumProtocolVersion", "is SSLv3, must be a version of TLS with sni-only")
	case fromACM && v.String("sslSupportMethod") == "vip" && !slices.Contains([]string{"", "SSLv3", "TLSv1"}, minimum):
		fail(prefix+"minimumProtocolVersion", "is %s, must be SSLv3 or TLSv1 with vip", minimum)
	}
}

// verifyViewerCertificate returns an error for a certificate that CloudFront cannot use. It
// also returns an error for an alternate domain name that the certificate does not cover.
// The error texts are from public bug reports.
func verifyViewerCertificate(c *Call) error {
	aliases := c.In.Strings("aliases")
	certificate, fromACM := c.referencedObject("viewerCertificate.acmCertificateArn")
	if !fromACM {
		if len(aliases) > 0 {
			return refuse(invalidCertificate, "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted certificate "+
				"that validates your authorization to use the domain name: %s", strings.Join(aliases, ", "))
		}
		return nil
	}
	if certificate.Region != edgeRegion || !c.issueStoredIfValidated(certificate) {
		return refuse(invalidCertificate, "The specified SSL certificate doesn't exist, isn't in %s region, isn't valid, or doesn't include a valid "+
			"certificate chain: %s is in %s and %s", edgeRegion, certificate.ID, certificate.Region, Object(certificate.State).String("status"))
	}
	names := Object(certificate.State).Strings("subjectAlternativeNames")
	for _, alias := range aliases {
		if !slices.ContainsFunc(names, func(name string) bool { return coversName(name, alias) }) {
			return refuse(invalidCertificate, "The certificate that is attached to your distribution doesn't cover the alternate domain name (CNAME) "+
				"that you're trying to add: %s is none of %s", alias, strings.Join(names, ", "))
		}
	}
	return nil
}

// coversName reports whether a name of a certificate is valid for a host. A wildcard covers
// one label.
func coversName(name, host string) bool {
	name, host = strings.ToLower(name), strings.ToLower(host)
	if name == host {
		return true
	}
	_, parent, _ := strings.Cut(host, ".")
	return strings.HasPrefix(name, "*.") && name[2:] == parent
}

// verifyAliases returns an error for an alternate domain name that another distribution
// has.
func verifyAliases(c *Call) error {
	var conflict error
	c.Tx.Each(c.scope(c.Row), c.Row.Token, func(o store.Object) bool {
		for _, alias := range c.In.Strings("aliases") {
			if o.ID != c.ID && slices.Contains(Object(o.State).Strings("aliases"), alias) {
				conflict = refuse("CNAMEAlreadyExists", "One or more of the CNAMEs you provided are already associated with a different resource: %s with %s", alias, o.ID)
			}
		}
		return conflict == nil
	})
	return conflict
}

package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const certificateType = "aws:acm/certificate:Certificate"

const (
	pendingValidation = "PENDING_VALIDATION"
	issuedStatus      = "ISSUED"
)

// certificateValidity is how long a certificate from ACM is valid: 13 months. The number
// was not checked against AWS's page,
// acm/latest/userguide/acm-certificate-characteristics.html.
const certificateValidity = 395 * 24 * time.Hour

const noImportReason = "imported and private certificates have no rules; request one with domainName"

var _ = registerRows(
	&Row{
		Token:  certificateType,
		Source: "acm/certificate.go", Page: "acm/latest/APIReference/API_RequestCertificate.html",
		Label: "ACM Certificate", ID: "arn:{partition}:acm:{region}:{account}:certificate/{uuid}", NotFound: "ResourceNotFoundException",
		Props: Props{
			// RFC 5280 limits the name itself to 64 characters.
			"domainName":              {Replace: true, Required: true, Valid: all(length(1, 64), checkDomainName)},
			"subjectAlternativeNames": {Replace: true, Computed: true, Set: true, Max: 100, Valid: checkDomainName},
			"validationMethod":        {Replace: true, Required: true, Enum: []string{"DNS"}},
			"keyAlgorithm":            {Replace: true, Computed: true, Enum: []string{"RSA_2048", "EC_prime256v1"}},
			"options":                 {Computed: true},
			"options.certificateTransparencyLoggingPreference": {Default: "ENABLED"},
			"validationOptions":       {Replace: true, Set: true, Refuse: "for validation by mail"},
			"certificateAuthorityArn": {Replace: true, Refuse: noImportReason},
			"certificateBody":         {Refuse: noImportReason},
			"certificateChain":        {Refuse: noImportReason},
			"earlyRenewalDuration":    {Refuse: noImportReason},
			"privateKey":              {Refuse: noImportReason},
		},
		Outputs:   map[string]string{"arn": "{id}"},
		Normalize: addDomainName,
		Fill:      fillCertificate,
		Refresh: func(c *Call) error {
			c.issueIfValidated(c.Out)
			return nil
		},
	},
	&Row{
		Token:  "aws:acm/certificateValidation:CertificateValidation",
		Source: "acm/certificate_validation.go", Page: "acm/latest/userguide/dns-validation.html",
		Label: "ACM Certificate Validation", NotFound: "ResourceNotFoundException",
		// The provider uses the time as the id.
		NewID: func(c *Call) (string, error) {
			return c.Now().UTC().Format("2006-01-02 15:04:05.000000000 +0000 UTC"), nil
		},
		Props: Props{
			"certificateArn":        {Replace: true, Valid: checkARN, Ref: &Ref{To: []string{certificateType}, Noun: "certificate", Missing: "ResourceNotFoundException", DeletedWith: true}},
			"validationRecordFqdns": {Replace: true, Set: true},
		},
		Verify: verifyValidation,
	},
)

// addDomainName adds the domain name of a certificate to the alternative names, as ACM and
// the provider do.
func addDomainName(in Object) {
	names, ok := in["subjectAlternativeNames"].([]any)
	if name := in["domainName"]; ok && name != nil && !slices.Contains(names, name) {
		in["subjectAlternativeNames"] = append(slices.Clone(names), name)
	}
}

// fillCertificate sets the outputs of a new certificate: one DNS validation record for
// each name, and the status. A record depends only on the name and the account. So the
// certificates of two regions have the same record for a name, and *.example.com has the
// same record as example.com.
func fillCertificate(c *Call) error {
	if c.Old != nil {
		return nil
	}
	if !c.Out.Has("subjectAlternativeNames") {
		c.Out["subjectAlternativeNames"] = []any{c.In.String("domainName")}
	}
	var validationOptions []any
	for _, name := range c.Out.Strings("subjectAlternativeNames") {
		host := strings.TrimPrefix(strings.ToLower(name), "*.")
		hash := sha256.Sum256([]byte(c.Account + " " + host))
		digits := hex.EncodeToString(hash[:])
		validationOptions = append(validationOptions, map[string]any{
			"domainName": name, "resourceRecordType": "CNAME", "resourceRecordName": "_" + digits[:32] + "." + host + ".",
			"resourceRecordValue": "_" + digits[32:] + ".acm-validations.aws.",
		})
	}
	c.Out.setDefaults(map[string]any{
		"domainValidationOptions": validationOptions, "status": pendingValidation, "type": "AMAZON_ISSUED", "pendingRenewal": false,
		"renewalEligibility": "INELIGIBLE", "validationEmails": []any{}, "keyAlgorithm": "RSA_2048",
		"options": map[string]any{"certificateTransparencyLoggingPreference": "ENABLED"},
	})
	return nil
}

// issueIfValidated issues a certificate if public DNS has its validation records. It
// changes only the given properties, not the store. issued is true if the certificate is
// issued now or was issued before.
func (c *Call) issueIfValidated(certificate Object) (issued bool) {
	if certificate.String("status") == issuedStatus {
		return true
	}
	if len(c.missingRecords(certificate)) > 0 {
		return false
	}
	now := c.Now().UTC()
	certificate["status"] = issuedStatus
	certificate["notBefore"], certificate["notAfter"] = now.Format(time.RFC3339), now.Add(certificateValidity).Format(time.RFC3339)
	return true
}

// issueStoredIfValidated is issueIfValidated for a certificate in the store: it also stores
// the changed certificate. It reports whether the certificate is issued. An issued certificate
// stays issued, even if the records are removed.
func (c *Call) issueStoredIfValidated(certificate store.Object) bool {
	stored, ok := c.Tx.Get(certificate.Key)
	if !ok || !c.issueIfValidated(stored.State) {
		return false
	}
	c.Tx.Put(stored)
	return true
}

// missingRecords returns the validation records of a certificate that are not in public DNS.
// Each string has the name, the type and the value of a record.
func (c *Call) missingRecords(certificate Object) []string {
	var out []string
	for _, o := range certificate.Objects("domainValidationOptions") {
		name, value := o.String("resourceRecordName"), o.String("resourceRecordValue")
		if !c.hasPublicRecord(name, o.String("resourceRecordType"), value) {
			out = append(out, fmt.Sprintf("%s %s %s", name, o.String("resourceRecordType"), value))
		}
	}
	return out
}

// verifyValidation returns an error if the certificate is not issued. The real provider waits
// for the issuance; the stand-in does not wait. If the program lists validation records,
// verifyValidation also returns an error if a record of the certificate is not in the list.
func verifyValidation(c *Call) error {
	certificate, _ := c.referencedObject("certificateArn")
	if fqdns := c.In.Strings("validationRecordFqdns"); len(fqdns) > 0 {
		for _, o := range Object(certificate.State).Objects("domainValidationOptions") {
			fqdn := strings.TrimSuffix(o.String("resourceRecordName"), ".")
			if !slices.ContainsFunc(fqdns, func(name string) bool { return sameDomain(name, fqdn) }) {
				return fmt.Errorf("missing %s DNS validation record: %s", o.String("domainName"), fqdn)
			}
		}
	}
	if !c.issueStoredIfValidated(certificate) {
		return fmt.Errorf("waiting for ACM Certificate (%s) to be issued: timeout while waiting for state to become 'ISSUED' (last state: '%s', "+
			"timeout: 1h15m0s): no public hosted zone has %s", certificate.ID, pendingValidation, strings.Join(c.missingRecords(certificate.State), ", "))
	}
	return nil
}

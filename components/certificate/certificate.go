// Package certificate owns a TLS certificate of ACM and its validation records in
// Route 53. The AWS provider decides the region of the certificate. CloudFront needs
// a certificate in us-east-1, and a load balancer needs one in its own region.
package certificate

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/certificate/names"
)

// recordTTL is the TTL of a validation record in seconds. It has little effect, because only ACM
// reads the record: at the creation of the certificate and before each renewal.
const recordTTL = 300

// Args configure a Certificate: either ARN, or Names and ZoneID.
type Args struct {
	// ARN is an existing certificate. Nothing is created then.
	ARN pulumi.StringInput
	// Names are the domain names of the certificate, one to ten. A wildcard
	// covers one label.
	Names []string
	// ZoneID is the public hosted zone in Route 53 that has all names.
	ZoneID pulumi.StringInput
}

func (a *Args) validate() error {
	switch {
	case a == nil:
		return errors.New("args must not be nil")
	case a.ARN != nil && (len(a.Names) > 0 || a.ZoneID != nil):
		return errors.New("ARN is set together with Names or ZoneID: set either ARN, or Names and ZoneID")
	case a.ARN != nil:
		return nil
	case a.ZoneID == nil:
		return errors.New("ZoneID is nil: must be the hosted zone of Names, where ACM looks for the validation records")
	}
	return names.Check(a.Names)
}

// Certificate is an issued certificate.
type Certificate struct {
	pulumi.ResourceState

	// ARN is known once the certificate is issued.
	ARN pulumi.StringOutput
}

// NewCertificate requests a certificate, creates the DNS records that validate
// its names, and waits until ACM has issued the certificate. With args.ARN it returns
// the existing certificate instead.
func NewCertificate(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Certificate, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("certificate %s: %w", name, err)
	}
	c := &Certificate{}
	if err := ctx.RegisterComponentResource("progressive:certificate:Certificate", name, c, opts...); err != nil {
		return nil, fmt.Errorf("certificate %s: %w", name, err)
	}
	if args.ARN != nil {
		c.ARN = args.ARN.ToStringOutput()
	} else if err := c.request(ctx, name, args); err != nil {
		return nil, fmt.Errorf("certificate %s: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.ARN})
}

// request creates the certificate and its validation records, and sets c.ARN.
func (c *Certificate) request(ctx *pulumi.Context, name string, args *Args) error {
	parent := pulumi.Parent(c)
	certificateArgs := &acm.CertificateArgs{
		DomainName:       pulumi.String(args.Names[0]),
		ValidationMethod: pulumi.String("DNS"),
		Tags:             pulumi.StringMap{"Name": pulumi.String(name)},
	}
	if others := args.Names[1:]; len(others) > 0 {
		certificateArgs.SubjectAlternativeNames = pulumi.ToStringArray(others)
	}
	certificate, err := acm.NewCertificate(ctx, name+"-certificate", certificateArgs, parent)
	if err != nil {
		return err
	}
	var recordNames pulumi.StringArray
	for _, domain := range names.ValidationDomains(args.Names) {
		option := validationOption(certificate, domain)
		record, err := route53.NewRecord(ctx, name+"-"+domain, &route53.RecordArgs{
			ZoneId:  args.ZoneID,
			Name:    option.ResourceRecordName().Elem(),
			Type:    option.ResourceRecordType().Elem(),
			Records: pulumi.StringArray{option.ResourceRecordValue().Elem()},
			Ttl:     pulumi.Int(recordTTL),
			// ACM uses the same record for every certificate of a name in an
			// account, so another certificate may have created it.
			AllowOverwrite: pulumi.Bool(true),
		}, parent)
		if err != nil {
			return fmt.Errorf("validation record of %s: %w", domain, err)
		}
		recordNames = append(recordNames, record.Fqdn)
	}
	issued, err := acm.NewCertificateValidation(ctx, name+"-issued", &acm.CertificateValidationArgs{
		CertificateArn:        certificate.Arn,
		ValidationRecordFqdns: recordNames,
	}, parent)
	if err != nil {
		return fmt.Errorf("validation: %w", err)
	}
	c.ARN = issued.CertificateArn
	return nil
}

// validationOption returns the validation record that ACM requires for a name.
// ACM lists the names in any order.
func validationOption(c *acm.Certificate, domain string) acm.CertificateDomainValidationOptionOutput {
	return c.DomainValidationOptions.ApplyT(func(options []acm.CertificateDomainValidationOption) (acm.CertificateDomainValidationOption, error) {
		for _, o := range options {
			if o.DomainName != nil && *o.DomainName == domain {
				return o, nil
			}
		}
		return acm.CertificateDomainValidationOption{}, fmt.Errorf("ACM offers no validation record for %s", domain)
	}).(acm.CertificateDomainValidationOptionOutput)
}

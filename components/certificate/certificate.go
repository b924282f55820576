// Package certificate owns a TLS certificate of ACM and the records in Route
// 53 that keep it valid. It lies in the region of the provider in opts:
// CloudFront wants us-east-1, a load balancer its own.
package certificate

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/certificate/names"
)

// recordTTL is in seconds. ACM looks at the record again before each renewal;
// nobody else does.
const recordTTL = 300

// Args are what a Certificate is made from: either ARN, or Names and ZoneID.
type Args struct {
	// ARN is a certificate that exists; nothing is made then.
	ARN pulumi.StringInput
	// Names are those that the certificate is for, one to ten; a wildcard
	// stands for one label.
	Names []string
	// ZoneID is the public zone of Route 53 that all of the names lie in.
	ZoneID pulumi.StringInput
}

func (a *Args) validate() error {
	switch {
	case a == nil:
		return errors.New("args must not be nil")
	case a.ARN != nil && (len(a.Names) > 0 || a.ZoneID != nil):
		return errors.New("ARN stands for a certificate that exists; give either it, or Names and ZoneID")
	case a.ARN != nil:
		return nil
	case a.ZoneID == nil:
		return errors.New("ZoneID must be given with Names, so that ACM sees that they are ours")
	}
	return names.Check(a.Names)
}

// Certificate is a certificate that can be used.
type Certificate struct {
	pulumi.ResourceState

	// ARN is known once the certificate is issued.
	ARN pulumi.StringOutput
}

// NewCertificate asks for a certificate, proves by DNS that its names are
// ours, and waits until it is issued; or passes a given one through.
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

func (c *Certificate) request(ctx *pulumi.Context, name string, args *Args) error {
	parent := pulumi.Parent(c)
	wanted := &acm.CertificateArgs{
		DomainName:       pulumi.String(args.Names[0]),
		ValidationMethod: pulumi.String("DNS"),
		Tags:             pulumi.StringMap{"Name": pulumi.String(name)},
	}
	if others := args.Names[1:]; len(others) > 0 {
		wanted.SubjectAlternativeNames = pulumi.ToStringArray(others)
	}
	made, err := acm.NewCertificate(ctx, name+"-certificate", wanted, parent)
	if err != nil {
		return err
	}
	var proofs pulumi.StringArray
	for _, domain := range names.Validated(args.Names) {
		option := optionOf(made, domain)
		record, err := route53.NewRecord(ctx, name+"-"+domain, &route53.RecordArgs{
			ZoneId:  args.ZoneID,
			Name:    option.ResourceRecordName().Elem(),
			Type:    option.ResourceRecordType().Elem(),
			Records: pulumi.StringArray{option.ResourceRecordValue().Elem()},
			Ttl:     pulumi.Int(recordTTL),
			// A name has one record in an account, whatever the region: the
			// next certificate for it finds it there.
			AllowOverwrite: pulumi.Bool(true),
		}, parent)
		if err != nil {
			return fmt.Errorf("validation record of %s: %w", domain, err)
		}
		proofs = append(proofs, record.Fqdn)
	}
	issued, err := acm.NewCertificateValidation(ctx, name+"-issued", &acm.CertificateValidationArgs{
		CertificateArn:        made.Arn,
		ValidationRecordFqdns: proofs,
	}, parent)
	if err != nil {
		return fmt.Errorf("validation: %w", err)
	}
	c.ARN = issued.CertificateArn
	return nil
}

// optionOf is how ACM wants to see that a name is ours; ACM lists the names in
// no order.
func optionOf(c *acm.Certificate, domain string) acm.CertificateDomainValidationOptionOutput {
	return c.DomainValidationOptions.ApplyT(func(options []acm.CertificateDomainValidationOption) (acm.CertificateDomainValidationOption, error) {
		for _, o := range options {
			if o.DomainName != nil && *o.DomainName == domain {
				return o, nil
			}
		}
		return acm.CertificateDomainValidationOption{}, fmt.Errorf("ACM offers no validation record for %s", domain)
	}).(acm.CertificateDomainValidationOptionOutput)
}

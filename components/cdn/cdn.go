// Package cdn owns the CloudFront distribution, by which users reach the platform, and the
// bucket of static files. Package traffic has the paths that the distribution forwards to the
// load balancer. Package behaviour has the caching of each path. Package staticfiles has the
// properties of static files.
//
// Some names of CloudFront are unique in an account. They begin with the
// component's name, so that staging and prod can share an account.
package cdn

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/bucket"
	"github.com/progressive-framework/platform/components/cdn/staticfiles"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/logs"
	"github.com/progressive-framework/platform/components/traffic"
)

// Args are the inputs of NewCDN.
type Args struct {
	Account *account.Account
	// VPCOriginID is the VPC origin of the load balancer.
	VPCOriginID pulumi.StringInput
	// OriginDomain is the name that the load balancer's certificate covers.
	OriginDomain pulumi.StringInput
	// Domains are the names for users, such as example.com. Without Domains the CDN
	// has CloudFront's own name and certificate.
	Domains []string
	// CertificateARN is a certificate in us-east-1 that covers Domains.
	CertificateARN pulumi.StringInput
	// ZoneID is the public hosted zone for the records of Domains. Without ZoneID an operator must
	// create the records, which point to DomainName.
	ZoneID pulumi.StringInput
	// Cacheable are the endpoints below /api/ with responses that may be
	// cached, as path patterns; see traffic.Behaviours.
	Cacheable []string
	// SiteFolder is a folder of static files on the machine that runs Pulumi. Without SiteFolder an
	// operator must upload the files to StaticBucket.
	SiteFolder string
	// ContentSecurityPolicy is the value of the header Content-Security-Policy. The
	// default permits only content of the site itself.
	ContentSecurityPolicy string
	// HSTSSubdomains makes browsers use HTTPS also for every name below Domains, for a
	// year. So set it only if all of these names have HTTPS.
	HSTSSubdomains bool
	// WebACLARN is a web ACL with the scope CLOUDFRONT. nil means no web ACL.
	WebACLARN pulumi.StringInput
	// Unprotected permits a destroy to delete the buckets with their content.
	Unprotected bool
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.Account == nil:
		return errors.New("Account must not be nil")
	case a.VPCOriginID == nil || a.OriginDomain == nil:
		return errors.New("VPCOriginID and OriginDomain must be given: the load balancer has no public address")
	case (len(a.Domains) > 0) != (a.CertificateARN != nil):
		return errors.New("Domains and a CertificateARN that covers them must be given together")
	case a.ZoneID != nil && len(a.Domains) == 0:
		return errors.New("ZoneID is given, but there are no Domains for its records")
	}
	return nil
}

// CDN is the distribution with its static bucket.
type CDN struct {
	pulumi.ResourceState

	// DomainName is CloudFront's name of the distribution.
	DomainName pulumi.StringOutput
	// URL is the address of the site.
	URL pulumi.StringOutput
	// DistributionID is for metrics and invalidations.
	DistributionID pulumi.IDOutput
	// StaticBucket is the name of the bucket of static files.
	StaticBucket pulumi.StringOutput
}

// builder creates a CDN's children, with the same prefix and parent.
type builder struct {
	ctx    *pulumi.Context
	name   string
	parent pulumi.ResourceOption
	args   *Args
}

// NewCDN creates the buckets, the distribution and the users' records.
func NewCDN(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*CDN, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("CDN %s: %w", name, err)
	}
	table, err := traffic.Behaviours(args.Cacheable...)
	if err != nil {
		return nil, fmt.Errorf("CDN %s: %w", name, err)
	}
	var files []staticfiles.File
	if args.SiteFolder != "" {
		if files, err = staticfiles.Files(os.DirFS(args.SiteFolder)); err != nil {
			return nil, fmt.Errorf("CDN %s: folder %s: %w", name, args.SiteFolder, err)
		}
	}
	c := &CDN{}
	if err := ctx.RegisterComponentResource("progressive:cdn:CDN", name, c, opts...); err != nil {
		return nil, fmt.Errorf("CDN %s: %w", name, err)
	}
	b := &builder{ctx: ctx, name: name, parent: pulumi.Parent(c), args: args}

	logBucket, err := b.newLogBucket()
	if err != nil {
		return nil, err
	}
	staticBucket, err := bucket.NewBucket(ctx, name+"-static", &bucket.Args{
		LogBucket: logBucket, CallerSetsPolicy: true, Unprotected: args.Unprotected,
	}, b.parent)
	if err != nil {
		return nil, err
	}
	distribution, err := b.newDistribution(table, staticBucket, logBucket)
	if err != nil {
		return nil, err
	}
	if err := staticBucket.SetPolicy(ctx, iam.Statement{
		Sid:        "Distribution",
		Principals: []iam.Principal{iam.ServicePrincipal("cloudfront.amazonaws.com")},
		Actions:    []string{"s3:GetObject"},
		Resources:  iam.ARNs(staticBucket.Objects()),
		Conditions: []iam.Condition{iam.Equals("aws:SourceArn", distribution.Arn)},
	}); err != nil {
		return nil, err
	}
	if err := b.uploadFiles(files, staticBucket); err != nil {
		return nil, err
	}
	if err := b.createRecords(distribution); err != nil {
		return nil, err
	}

	c.DomainName, c.DistributionID, c.StaticBucket = distribution.DomainName, distribution.ID(), staticBucket.Name
	c.URL = pulumi.Sprintf("https://%s", distribution.DomainName)
	if len(args.Domains) > 0 {
		c.URL = pulumi.Sprintf("https://%s", args.Domains[0])
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"domainName": c.DomainName, "url": c.URL, "distributionId": c.DistributionID, "staticBucket": c.StaticBucket,
	})
}

// newLogBucket creates the bucket for the CDN's log and the static bucket's access log.
// CloudFront adds a grant for itself to the bucket's ACL. S3 needs a statement in the bucket
// policy (S3 User Guide, "Enabling server access logging").
func (b *builder) newLogBucket() (*bucket.Bucket, error) {
	return bucket.NewBucket(b.ctx, b.name+"-logs", &bucket.Args{
		ExpireDays:  logs.Days,
		ACLs:        true,
		Unprotected: b.args.Unprotected,
		Statements: func(arn pulumi.StringOutput) []iam.Statement {
			return []iam.Statement{{
				Sid:        "AccessLogs",
				Principals: []iam.Principal{iam.ServicePrincipal("logging.s3.amazonaws.com")},
				Actions:    []string{"s3:PutObject"},
				Resources:  iam.ARNs(pulumi.Sprintf("%s/*", arn)),
				Conditions: []iam.Condition{iam.Equals("aws:SourceAccount", b.args.Account.ID)},
			}}
		},
	}, b.parent)
}

// uploadFiles uploads the static files. Each file is a resource, which Pulumi updates when the
// content changes.
func (b *builder) uploadFiles(files []staticfiles.File, staticBucket *bucket.Bucket) error {
	for _, f := range files {
		if _, err := s3.NewBucketObjectv2(b.ctx, b.name+"-"+f.Key, &s3.BucketObjectv2Args{
			Bucket:       staticBucket.Name,
			Key:          pulumi.String(f.Key),
			Source:       pulumi.NewFileAsset(filepath.Join(b.args.SiteFolder, filepath.FromSlash(f.Key))),
			ContentType:  pulumi.String(f.ContentType),
			CacheControl: pulumi.String(f.CacheControl),
		}, b.parent, pulumi.DependsOn(staticBucket.Ready)); err != nil {
			return fmt.Errorf("static file %s: %w", f.Key, err)
		}
	}
	return nil
}

// createRecords creates the DNS records of the domains if a zone is given.
func (b *builder) createRecords(distribution *cloudfront.Distribution) error {
	if b.args.ZoneID == nil {
		return nil
	}
	for _, domain := range b.args.Domains {
		for _, recordType := range []string{"A", "AAAA"} {
			if _, err := route53.NewRecord(b.ctx, b.name+"-"+domain+"-"+recordType, &route53.RecordArgs{
				ZoneId: b.args.ZoneID,
				Name:   pulumi.String(domain),
				Type:   pulumi.String(recordType),
				Aliases: route53.RecordAliasArray{&route53.RecordAliasArgs{
					Name: distribution.DomainName, ZoneId: distribution.HostedZoneId, EvaluateTargetHealth: pulumi.Bool(false),
				}},
			}, b.parent); err != nil {
				return fmt.Errorf("record %s of %s: %w", recordType, domain, err)
			}
		}
	}
	return nil
}

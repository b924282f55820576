// Package bucket owns how an S3 bucket of the platform is kept: private,
// encrypted, versioned, reached over TLS only, and tidied. What is in it, and
// who else may reach it, is its user's business.
package bucket

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/iam"
)

const (
	// maxName leaves room for "-bucket-" and the seven characters that Pulumi
	// adds, in the 63 of a bucket's name (S3 User Guide, "Bucket naming
	// rules").
	maxName = 63 - len("-bucket-") - 7

	// noncurrentDays is how long an overwritten or deleted object can be had
	// back.
	noncurrentDays = 30
	// abortDays is after how long parts of an upload that never ended are taken
	// away: S3 bills them and lists them nowhere.
	abortDays = 7
)

// Args are what a Bucket is made from.
type Args struct {
	// KeyARN is the KMS key of the objects; none: S3's own key (SSE-S3), the
	// only one that load balancers and S3 can write their access logs under.
	KeyARN pulumi.StringInput
	// Statements are who may reach the bucket beside the account's own
	// principals, given the bucket's ARN.
	Statements func(arn pulumi.StringOutput) []iam.Statement
	// PolicyFollows says that who may reach the bucket is not known yet: the
	// bucket is made without a policy, and the caller calls SetPolicy.
	PolicyFollows bool
	// ExpireDays is after how many days objects are deleted, for logs; 0: never.
	ExpireDays int
	// ACLs lets ACLs grant access, for CloudFront's standard logs, which are
	// delivered by one; what is written belongs to the account all the same.
	ACLs bool
	// LogBucket is where requests to the bucket are logged, under the
	// component's name; none: nowhere.
	LogBucket *Bucket
	// Unprotected lets a destroy take the bucket with objects in it.
	Unprotected bool
}

func (a *Args) validate(name string) error {
	switch {
	case a == nil:
		return errors.New("args must not be nil")
	case len(name) > maxName:
		return fmt.Errorf("the name has %d characters; must have at most %d, because S3 allows 63", len(name), maxName)
	case a.PolicyFollows && a.Statements != nil:
		return errors.New("Statements and PolicyFollows contradict: give the statements to SetPolicy")
	case a.ExpireDays < 0:
		return fmt.Errorf("ExpireDays is %d; must not be below 0", a.ExpireDays)
	}
	return nil
}

// Bucket is a private S3 bucket.
type Bucket struct {
	pulumi.ResourceState

	// Name is made up by Pulumi from the logical name: bucket names are shared
	// by all of AWS.
	Name pulumi.StringOutput
	ARN  pulumi.StringOutput
	// DomainName is NAME.s3.amazonaws.com; RegionalDomainName has the region.
	DomainName, RegionalDomainName pulumi.StringOutput
	// Settled are the settings without which the bucket can't be used yet;
	// whoever is given the bucket by name depends on them.
	Settled []pulumi.Resource

	name string
}

// NewBucket makes a bucket that only its account reaches, and those named by
// args.
func NewBucket(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Bucket, error) {
	if err := args.validate(name); err != nil {
		return nil, fmt.Errorf("bucket %s: %w", name, err)
	}
	b := &Bucket{name: name}
	if err := ctx.RegisterComponentResource("progressive:bucket:Bucket", name, b, opts...); err != nil {
		return nil, fmt.Errorf("bucket %s: %w", name, err)
	}
	made, err := s3.NewBucketV2(ctx, name+"-bucket", &s3.BucketV2Args{
		ForceDestroy: pulumi.Bool(args.Unprotected),
		Tags:         pulumi.StringMap{"Name": pulumi.String(name)},
	}, pulumi.Parent(b))
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", name, err)
	}
	b.Name, b.ARN = made.Bucket, made.Arn
	b.DomainName, b.RegionalDomainName = made.BucketDomainName, made.BucketRegionalDomainName
	if err := b.settle(ctx, args); err != nil {
		return nil, err
	}
	if !args.PolicyFollows {
		var statements []iam.Statement
		if args.Statements != nil {
			statements = args.Statements(b.ARN)
		}
		if err := b.SetPolicy(ctx, statements...); err != nil {
			return nil, err
		}
	}
	return b, ctx.RegisterResourceOutputs(b, pulumi.Map{"name": b.Name, "arn": b.ARN})
}

// SetPolicy gives the bucket its one policy: nobody without TLS, and the
// statements. It is called once, and only for a bucket whose PolicyFollows.
func (b *Bucket) SetPolicy(ctx *pulumi.Context, statements ...iam.Statement) error {
	document, err := iam.ResourcePolicy(append([]iam.Statement{{
		Sid:        "TLSOnly",
		Deny:       true,
		Principals: []iam.Principal{iam.Everyone()},
		Actions:    []string{"s3:*"},
		Resources:  iam.ARNs(b.ARN, b.Objects()),
		Conditions: []iam.Condition{{Operator: "Bool", Key: "aws:SecureTransport", Values: []pulumi.StringInput{pulumi.String("false")}}},
	}}, statements...)...)
	if err != nil {
		return fmt.Errorf("policy of bucket %s: %w", b.name, err)
	}
	policy, err := s3.NewBucketPolicy(ctx, b.name+"-policy", &s3.BucketPolicyArgs{
		Bucket: b.Name, Policy: document,
	}, pulumi.Parent(b), pulumi.DependsOn(b.Settled)) // S3 refuses two changes of a bucket at once
	if err != nil {
		return fmt.Errorf("policy of bucket %s: %w", b.name, err)
	}
	b.Settled = append(b.Settled, policy)
	return nil
}

// Objects is the ARN of every object in the bucket.
func (b *Bucket) Objects() pulumi.StringOutput { return pulumi.Sprintf("%s/*", b.ARN) }

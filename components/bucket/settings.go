package bucket

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// configure creates one resource for each setting of the bucket.
func (b *Bucket) configure(ctx *pulumi.Context, args *Args) error {
	parent := pulumi.Parent(b)
	publicAccessBlock, err := s3.NewBucketPublicAccessBlock(ctx, b.name+"-private", &s3.BucketPublicAccessBlockArgs{
		Bucket:                b.Name,
		BlockPublicAcls:       pulumi.Bool(true),
		BlockPublicPolicy:     pulumi.Bool(true),
		IgnorePublicAcls:      pulumi.Bool(true),
		RestrictPublicBuckets: pulumi.Bool(true),
	}, parent)
	if err != nil {
		return fmt.Errorf("public access block of bucket %s: %w", b.name, err)
	}
	objectOwnership := "BucketOwnerEnforced"
	if args.ACLs {
		objectOwnership = "BucketOwnerPreferred"
	}
	ownershipControls, err := s3.NewBucketOwnershipControls(ctx, b.name+"-owner", &s3.BucketOwnershipControlsArgs{
		Bucket: b.Name,
		Rule:   &s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String(objectOwnership)},
	}, parent, pulumi.DependsOn([]pulumi.Resource{publicAccessBlock})) // S3 refuses concurrent changes of a bucket
	if err != nil {
		return fmt.Errorf("ownership of bucket %s: %w", b.name, err)
	}
	versioning, err := s3.NewBucketVersioningV2(ctx, b.name+"-versioning", &s3.BucketVersioningV2Args{
		Bucket:                  b.Name,
		VersioningConfiguration: &s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
	}, parent)
	if err != nil {
		return fmt.Errorf("versioning of bucket %s: %w", b.name, err)
	}
	encryption, err := s3.NewBucketServerSideEncryptionConfigurationV2(ctx, b.name+"-encryption", &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: b.Name,
		Rules:  s3.BucketServerSideEncryptionConfigurationV2RuleArray{encryptionRule(args.KeyARN)},
	}, parent)
	if err != nil {
		return fmt.Errorf("encryption of bucket %s: %w", b.name, err)
	}
	b.Ready = []pulumi.Resource{publicAccessBlock, ownershipControls, versioning, encryption}
	// S3 accepts rules about versions only after versioning is enabled.
	if _, err := s3.NewBucketLifecycleConfigurationV2(ctx, b.name+"-lifecycle", &s3.BucketLifecycleConfigurationV2Args{
		Bucket: b.Name,
		Rules:  lifecycleRules(args.ExpireDays),
	}, parent, pulumi.DependsOn([]pulumi.Resource{versioning})); err != nil {
		return fmt.Errorf("lifecycle of bucket %s: %w", b.name, err)
	}
	if args.LogBucket != nil {
		if _, err := s3.NewBucketLoggingV2(ctx, b.name+"-logging", &s3.BucketLoggingV2Args{
			Bucket:       b.Name,
			TargetBucket: args.LogBucket.Name,
			TargetPrefix: pulumi.String(b.name + "/"),
		}, parent, pulumi.DependsOn(args.LogBucket.Ready)); err != nil {
			return fmt.Errorf("access log of bucket %s: %w", b.name, err)
		}
	}
	return nil
}

// encryptionRule returns the rule that encrypts objects with a KMS key, or with S3's own key
// if keyARN is nil.
func encryptionRule(keyARN pulumi.StringInput) *s3.BucketServerSideEncryptionConfigurationV2RuleArgs {
	sse := &s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
		SseAlgorithm: pulumi.String("AES256"),
	}
	if keyARN == nil {
		return &s3.BucketServerSideEncryptionConfigurationV2RuleArgs{ApplyServerSideEncryptionByDefault: sse}
	}
	sse.SseAlgorithm, sse.KmsMasterKeyId = pulumi.String("aws:kms"), keyARN.ToStringOutput()
	return &s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
		ApplyServerSideEncryptionByDefault: sse,
		BucketKeyEnabled:                   pulumi.Bool(true), // fewer KMS requests: one for many objects
	}
}

// lifecycleRules returns the rules that delete old versions and incomplete uploads. If
// expireDays is not 0, one rule also deletes objects after this number of days.
func lifecycleRules(expireDays int) s3.BucketLifecycleConfigurationV2RuleArray {
	allObjects := &s3.BucketLifecycleConfigurationV2RuleFilterArgs{}
	rules := s3.BucketLifecycleConfigurationV2RuleArray{
		&s3.BucketLifecycleConfigurationV2RuleArgs{
			Id: pulumi.String("tidy"), Status: pulumi.String("Enabled"), Filter: allObjects,
			AbortIncompleteMultipartUpload: &s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{
				DaysAfterInitiation: pulumi.Int(abortDays),
			},
			NoncurrentVersionExpiration: &s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{
				NoncurrentDays: pulumi.Int(noncurrentDays),
			},
		},
	}
	if expireDays > 0 {
		rules = append(rules, &s3.BucketLifecycleConfigurationV2RuleArgs{
			Id: pulumi.String("expire"), Status: pulumi.String("Enabled"), Filter: allObjects,
			Expiration: &s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(expireDays)},
		})
	}
	return rules
}

package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var bucketExamples = []example{
	{rule: "bucket-encrypted", resource: "BucketServerSideEncryptionConfigurationV2 static-encryption", path: "rules", bad: []any{}, subject: "BucketV2 static-bucket"},
	{rule: "bucket-lifecycle", resource: "BucketLifecycleConfigurationV2 static-lifecycle", path: "rules.*.status", bad: "Disabled", subject: "BucketV2 static-bucket"},
	{rule: "bucket-logged", resource: "BucketLoggingV2 static-logging", path: "bucket", bad: "another", subject: "BucketV2 static-bucket"},
	{rule: "bucket-no-acls", resource: "BucketOwnershipControls static-owner", path: "rule.objectOwnership", bad: "ObjectWriter", subject: "BucketV2 static-bucket"},
	{rule: "bucket-not-emptied", resource: "BucketV2 logs-bucket", path: "forceDestroy", bad: true, ifAbsent: evaluate.Holds},
	{rule: "bucket-not-public", resource: "BucketPublicAccessBlock static-private", path: "blockPublicAcls", bad: false, subject: "BucketV2 static-bucket"},
	{rule: "bucket-not-public", resource: "BucketPublicAccessBlock static-private", path: "blockPublicPolicy", bad: false, subject: "BucketV2 static-bucket"},
	{rule: "bucket-not-public", resource: "BucketPublicAccessBlock static-private", path: "ignorePublicAcls", bad: false, subject: "BucketV2 static-bucket"},
	{rule: "bucket-not-public", resource: "BucketPublicAccessBlock static-private", path: "restrictPublicBuckets", bad: false, subject: "BucketV2 static-bucket"},
	{rule: "bucket-not-public", resource: "BucketPublicAccessBlock static-private", path: "bucket", bad: "another", subject: "BucketV2 static-bucket"},
	{rule: "bucket-tls-only", resource: "BucketPolicy static-policy", path: "policy", bad: goodPolicy, subject: "BucketV2 static-bucket"},
	{rule: "bucket-versioned", resource: "BucketVersioningV2 static-versioning", path: "versioningConfiguration.status", bad: "Suspended", subject: "BucketV2 static-bucket"},
	{rule: "image-repository-encrypted", resource: "Repository mca-repository", path: "encryptionConfigurations", bad: nil},
	{rule: "image-repository-kept", resource: "Repository mca-repository", path: "forceDelete", bad: true, ifAbsent: evaluate.Holds},
	{rule: "image-repository-lifecycle", resource: "LifecyclePolicy web-lifecycle", path: "repository", bad: "another", subject: "Repository web-repository"},
	{rule: "image-scanned", resource: "Repository mca-repository", path: "imageScanningConfiguration.scanOnPush", bad: false},
	{rule: "image-tags-immutable", resource: "Repository mca-repository", path: "imageTagMutability", bad: nil},
}

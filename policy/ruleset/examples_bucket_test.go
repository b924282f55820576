package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var bucketExamples = []example{
	{rule: "bucket-encrypted", at: "BucketServerSideEncryptionConfigurationV2 static-encryption", path: "rules", bad: []any{}, on: "BucketV2 static-bucket"},
	{rule: "bucket-lifecycle", at: "BucketLifecycleConfigurationV2 static-lifecycle", path: "rules.*.status", bad: "Disabled", on: "BucketV2 static-bucket"},
	{rule: "bucket-logged", at: "BucketLoggingV2 static-logging", path: "bucket", bad: "another", on: "BucketV2 static-bucket"},
	{rule: "bucket-no-acls", at: "BucketOwnershipControls static-owner", path: "rule.objectOwnership", bad: "ObjectWriter", on: "BucketV2 static-bucket"},
	{rule: "bucket-not-emptied", at: "BucketV2 logs-bucket", path: "forceDestroy", bad: true, absent: evaluate.Holds},
	{rule: "bucket-not-public", at: "BucketPublicAccessBlock static-private", path: "blockPublicAcls", bad: false, on: "BucketV2 static-bucket"},
	{rule: "bucket-not-public", at: "BucketPublicAccessBlock static-private", path: "blockPublicPolicy", bad: false, on: "BucketV2 static-bucket"},
	{rule: "bucket-not-public", at: "BucketPublicAccessBlock static-private", path: "ignorePublicAcls", bad: false, on: "BucketV2 static-bucket"},
	{rule: "bucket-not-public", at: "BucketPublicAccessBlock static-private", path: "restrictPublicBuckets", bad: false, on: "BucketV2 static-bucket"},
	{rule: "bucket-not-public", at: "BucketPublicAccessBlock static-private", path: "bucket", bad: "another", on: "BucketV2 static-bucket"},
	{rule: "bucket-tls-only", at: "BucketPolicy static-policy", path: "policy", bad: goodPolicy, on: "BucketV2 static-bucket"},
	{rule: "bucket-versioned", at: "BucketVersioningV2 static-versioning", path: "versioningConfiguration.status", bad: "Suspended", on: "BucketV2 static-bucket"},
	{rule: "image-repository-encrypted", at: "Repository mca-repository", path: "encryptionConfigurations", bad: nil},
	{rule: "image-repository-kept", at: "Repository mca-repository", path: "forceDelete", bad: true, absent: evaluate.Holds},
	{rule: "image-repository-lifecycle", at: "LifecyclePolicy web-lifecycle", path: "repository", bad: "another", on: "Repository web-repository"},
	{rule: "image-scanned", at: "Repository mca-repository", path: "imageScanningConfiguration.scanOnPush", bad: false},
	{rule: "image-tags-immutable", at: "Repository mca-repository", path: "imageTagMutability", bad: nil},
}

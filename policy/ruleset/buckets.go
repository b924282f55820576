package ruleset

import (
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

var buckets = []*rule.Rule{
	bucketRule("bucket-not-public", "Public access to the bucket is blocked", "One wrong policy or ACL would open the bucket to everybody.",
		"components/bucket, settings", rule.Critical, []string{"FSBP S3.1", "FSBP S3.8", "CIS AWS 2.1.4"}, func(s *rule.Subject) {
			s.Must(rule.Referrers[awsview.S3BucketPublicAccessBlock](s.Graph, s.Resource, "bucket").Any(func(_ *graph.Resource, b awsview.S3BucketPublicAccessBlock) value.Truth {
				return value.All(b.BlockPublicAcls().IsTrue(), b.BlockPublicPolicy().IsTrue(), b.IgnorePublicAcls().IsTrue(), b.RestrictPublicBuckets().IsTrue())
			}), "no public access block with all four settings")
		}),
	bucketRule("bucket-encrypted", "The bucket has an encryption configuration", "Whoever copies the disk can read an object without encryption.",
		"components/bucket, KeyARN", rule.Medium, []string{"FSBP S3.17"}, func(s *rule.Subject) {
			s.Must(rule.Referrers[awsview.S3BucketServerSideEncryptionConfigurationV2](s.Graph, s.Resource, "bucket").Any(func(_ *graph.Resource, b awsview.S3BucketServerSideEncryptionConfigurationV2) value.Truth {
				return b.Rules().Any(func(r awsview.S3BucketServerSideEncryptionConfigurationV2Rule) value.Truth {
					return r.ApplyServerSideEncryptionByDefault().SseAlgorithm().In("aws:kms", "AES256")
				})
			}), "no encryption configuration")
		}),
	bucketRule("bucket-versioned", "The bucket keeps overwritten objects", "A mistake or an attacker overwrites the only copy.",
		"components/bucket, settings", rule.Medium, []string{"FSBP S3.14"}, func(s *rule.Subject) {
			s.Must(rule.Referrers[awsview.S3BucketVersioningV2](s.Graph, s.Resource, "bucket").Any(func(_ *graph.Resource, b awsview.S3BucketVersioningV2) value.Truth {
				return b.VersioningConfiguration().Status().Is("Enabled")
			}), "versioning is not enabled")
		}),
	bucketRule("bucket-lifecycle", "Old objects are deleted by themselves", "Versions and parts of failed uploads are billed for ever.",
		"components/bucket, ExpireDays", rule.Low, []string{"FSBP S3.13"}, func(s *rule.Subject) {
			s.Must(rule.Referrers[awsview.S3BucketLifecycleConfigurationV2](s.Graph, s.Resource, "bucket").Any(func(_ *graph.Resource, b awsview.S3BucketLifecycleConfigurationV2) value.Truth {
				return b.Rules().Any(func(r awsview.S3BucketLifecycleConfigurationV2Rule) value.Truth { return r.Status().Is("Enabled") })
			}), "no lifecycle rule is enabled")
		}),
	bucketRule("bucket-logged", "Requests to the bucket are logged", "Without the log nobody knows who read what.",
		"components/bucket, LogBucket", rule.Low, []string{"FSBP S3.9"}, func(s *rule.Subject) {
			logsRequests := rule.Referrers[awsview.S3BucketLoggingV2](s.Graph, s.Resource, "bucket").Exists()
			// A bucket that receives logs must not log its requests: each log entry would be a
			// request that causes another entry.
			receivesLogs := value.Any(
				rule.Referrers[awsview.S3BucketLoggingV2](s.Graph, s.Resource, "targetBucket").Exists(),
				rule.Referrers[awsview.LbLoadBalancer](s.Graph, s.Resource, "accessLogs").Exists(),
				rule.Referrers[awsview.CloudfrontDistribution](s.Graph, s.Resource, "loggingConfig").Exists(),
				rule.Referrers[awsview.Wafv2WebAclLoggingConfiguration](s.Graph, s.Resource, "logDestinationConfigs").Exists(),
			)
			s.Must(value.Any(logsRequests, receivesLogs), "it neither logs its requests nor receives logs")
		}),
	bucketRule("bucket-tls-only", "The bucket refuses requests without TLS", "Objects would cross the network in clear text.",
		"components/bucket, SetPolicy", rule.Medium, []string{"FSBP S3.5", "CIS AWS 2.1.1"}, func(s *rule.Subject) {
			s.Must(rule.Referrers[awsview.S3BucketPolicy](s.Graph, s.Resource, "bucket").Any(func(_ *graph.Resource, p awsview.S3BucketPolicy) value.Truth {
				return statements(p.Policy()).Any(func(st statement) value.Truth {
					return value.All(st.isDeny(), value.HasText(value.As[value.List[value.String]](asList(st.At("Condition.Bool.aws:SecureTransport"))), "false"))
				})
			}), "no statement of its policy denies requests without TLS")
		}),
	bucketRule("bucket-no-acls", "Access to the bucket is not decided by ACLs", "An object's ACL appears in no policy and no plan.",
		"components/bucket, ACLs", rule.Medium, []string{"FSBP S3.12"}, func(s *rule.Subject) {
			s.Must(rule.Referrers[awsview.S3BucketOwnershipControls](s.Graph, s.Resource, "bucket").All(func(_ *graph.Resource, b awsview.S3BucketOwnershipControls) value.Truth {
				return b.Rule().ObjectOwnership().Is("BucketOwnerEnforced")
			}), "objectOwnership lets ACLs grant access")
		}),
	{
		ID: "bucket-not-emptied", Title: "A destroy does not empty the bucket",
		Why: "Its objects would be gone without a confirmation.",
		Fix: "the key deletionProtection", Standards: []string{"WA REL09"},
		Severity: rule.High, Levels: rule.Deployed,
		Check: rule.On(func(s *rule.Subject, v awsview.S3BucketV2) {
			s.Must(v.ForceDestroy().Or(false).IsFalse(), "forceDestroy is true")
		}),
	},
}

// bucketRule returns a rule on a bucket and the resources that configure it.
func bucketRule(id, title, why, fix string, severity rule.Severity, standards []string, check func(*rule.Subject)) *rule.Rule {
	return &rule.Rule{
		ID: id, Title: title, Why: why, Fix: fix, Severity: severity, Levels: rule.Everywhere, Standards: standards,
		Check: rule.AcrossTypes(check, awsview.S3BucketV2{}.Token()),
	}
}

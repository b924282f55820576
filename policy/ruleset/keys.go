package ruleset

import (
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// admitsEverybody reports whether a statement of a key's policy admits everybody.
func admitsEverybody(st statement) value.Truth {
	return value.All(st.isAllow(), st.coversEverybody(), value.Not(st.Get("Condition").IsSet()))
}

var keys = []*rule.Rule{
	{
		ID: "key-rotates", Title: "KMS keys that encrypt rotate each year",
		Why: "A key that leaked once decrypts everything for ever. KMS can't rotate a key that signs.",
		Fix: "components/key, EnableKeyRotation", Standards: []string{"FSBP KMS.4", "CIS AWS 3.6"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.KmsKey) {
			s.Must(value.Any(v.EnableKeyRotation().IsTrue(), v.KeyUsage().Is("SIGN_VERIFY")), "enableKeyRotation is not true")
		}),
	},
	{
		ID: "key-not-public", Title: "No key policy admits everybody",
		Why: "Every AWS account could decrypt with the key.",
		Fix: "components/key, Users", Standards: []string{"FSBP KMS.5"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.KmsKey) {
			s.Must(statements(v.Policy().Node).All(func(st statement) value.Truth { return value.Not(admitsEverybody(st)) }), "a statement admits everybody, without a condition")
		}),
	},
	{
		ID: "key-deletion-window", Title: "A deleted key can be restored for 30 days",
		Why: "Without the key its data can't be read, and neither can the backups.",
		Fix: "components/key, deletionWindow", Standards: []string{"FSBP KMS.3"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.KmsKey) {
			s.Must(v.DeletionWindowInDays().Or(30).AtLeast(30), "deletionWindowInDays is %s", v.DeletionWindowInDays().Text())
		}),
	},
	{
		ID: "queue-encrypted", Title: "Queues are encrypted",
		Why: "The messages contain names of instances, groups and accounts.",
		Fix: "components/terminationhandler or components/postgres, SqsManagedSseEnabled", Standards: []string{"FSBP SQS.1"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.SqsQueue) {
			s.Must(value.Any(v.SqsManagedSseEnabled().IsTrue(), v.KmsMasterKeyId().IsSet()), "neither sqsManagedSseEnabled nor kmsMasterKeyId is set")
		}),
	},
	{
		ID: "log-group-retention", Title: "Logs have a retention period",
		Why: "Logs without one are kept and billed for ever, with the personal data in them.",
		Fix: "components/logs, Days", Standards: []string{"WA COST04"},
		Severity: rule.Low, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.CloudwatchLogGroup) {
			s.Must(v.RetentionInDays().Or(0).AtLeast(1), "retentionInDays is not set")
		}),
	},
	{
		ID: "log-group-encrypted", Title: "Logs are encrypted with a key of this account",
		Why: "Logs hold addresses and names of users.",
		Fix: "components/logs, the key's ARN", Standards: []string{"CKV_AWS_158"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.CloudwatchLogGroup) {
			s.Must(v.KmsKeyId().IsSet(), "kmsKeyId is not set")
		}),
	},
	{
		ID: "log-group-year", Title: "Logs are kept for a year",
		Why: "An attack is often found after months.",
		Fix: "components/logs, Days", Standards: []string{"FSBP CloudWatch.16"},
		Severity: rule.Low, Levels: rule.Advice,
		Check: rule.On(func(s *rule.Subject, v awsview.CloudwatchLogGroup) {
			s.Must(v.RetentionInDays().Or(0).AtLeast(365), "retentionInDays is %s", v.RetentionInDays().Text())
		}),
	},
	{
		ID: "secret-encrypted", Title: "Secrets are encrypted with a key of this account",
		Why: "With AWS's own key every role of the account that may read secrets can decrypt them.",
		Fix: "components/secret, the key's ARN", Standards: []string{"CKV_AWS_149"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.SecretsmanagerSecret) {
			s.Must(v.KmsKeyId().IsSet(), "kmsKeyId is not set")
		}),
	},
	{
		ID: "secret-recoverable", Title: "A deleted secret can be restored for a week",
		Why: "A service that still needs it would stop.",
		Fix: "components/secret, the recovery window", Standards: []string{"WA REL09"},
		Severity: rule.Medium, Levels: rule.Deployed,
		Check: rule.On(func(s *rule.Subject, v awsview.SecretsmanagerSecret) {
			s.Must(v.RecoveryWindowInDays().Or(30).AtLeast(7), "recoveryWindowInDays is %s", v.RecoveryWindowInDays().Text())
		}),
	},
	{
		ID: "secret-not-plain", Title: "The value of a secret is encrypted in Pulumi's state",
		Why: "Everybody who reads the state or a preview would read it.",
		Fix: "components/secret, pulumi.ToSecret", Standards: []string{"WA SEC08"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.SecretsmanagerSecretVersion) {
			s.Must(isEncrypted(v.SecretString().Node), "secretString is in clear text")
		}),
	},
	{
		ID: "key-of-store-rotates", Title: "Stores use a key of this stack that rotates",
		Why: "The owner of another key can delete it. The data can't be read then.",
		Fix: "components/datastore, Key", Standards: []string{"FSBP KMS.4"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			storeKeys := rule.Refs[awsview.KmsKey](s.Graph, s.Resource, "kmsKeyId")
			rotates := storeKeys.Any(func(_ *graph.Resource, k awsview.KmsKey) value.Truth { return k.EnableKeyRotation().IsTrue() })
			// A database that is restored from a snapshot keeps the snapshot's key.
			isRestored := value.All(value.FromBool(s.Type == awsview.RdsInstance{}.Token()), s.View().Get("snapshotIdentifier").IsSet())
			s.Must(value.Any(rotates, isRestored), "kmsKeyId is not that of a key of this stack that rotates")
		}, storeTypes...),
	},
	{
		ID: "key-of-store-kept", Title: "Pulumi refuses to delete the key of a store",
		Why: "Snapshots and backups outlive their store. Without the key they can't be read.",
		Fix: "the key deletionProtection", Standards: []string{"FSBP KMS.3", "WA REL09"},
		Severity: rule.High, Levels: rule.Deployed,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			s.Must(rule.Refs[awsview.KmsKey](s.Graph, s.Resource, "kmsKeyId").All(func(r *graph.Resource, _ awsview.KmsKey) value.Truth {
				return value.FromBool(r.Protect)
			}), "protect of its key is not set")
		}, storeTypes...),
	},
}

// isEncrypted reports whether Pulumi encrypts a value. A value that is not set counts as encrypted.
func isEncrypted(n value.Node) value.Truth {
	switch {
	case n.IsSecret():
		return value.True
	case !n.Known():
		return value.Unknown
	}
	return value.Not(n.IsSet())
}

// storeTypes are the types that hold data.
var storeTypes = []string{awsview.RdsInstance{}.Token(), awsview.DocdbCluster{}.Token(), awsview.ElasticacheReplicationGroup{}.Token()}

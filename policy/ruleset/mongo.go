package ruleset

import (
	"github.com/progressive-framework/platform/components/datastore/enginecalendar"
	"github.com/progressive-framework/platform/components/mongo/docdbspec"
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

var mongo = []*rule.Rule{
	mongoRule("mongo-encrypted", "The cluster is encrypted with a key of this account",
		"A snapshot that leaves the account would be readable.", "components/mongo, KmsKeyId", rule.High, rule.Everywhere,
		[]string{"FSBP DocumentDB.1"}, func(s *rule.Subject, v awsview.DocdbCluster) {
			s.Must(v.StorageEncrypted().IsTrue(), "storageEncrypted is not true")
			s.Must(v.KmsKeyId().IsSet(), "kmsKeyId is not set")
		}),
	mongoRule("mongo-backups", "Backups are kept for a week",
		"A fault that is found after the weekend could not be undone.", "the key mongo.backupDays", rule.High, rule.Deployed,
		[]string{"FSBP DocumentDB.2"}, func(s *rule.Subject, v awsview.DocdbCluster) {
			s.Must(v.BackupRetentionPeriod().Or(1).AtLeast(minBackupDays), "backupRetentionPeriod is %s; at least %d days", v.BackupRetentionPeriod().Text(), minBackupDays)
		}),
	mongoRule("mongo-audit-log", "The audit log goes to CloudWatch",
		"The audit log is the only record of who read what.", "components/mongo, exports", rule.Medium, rule.Everywhere,
		[]string{"FSBP DocumentDB.4"}, func(s *rule.Subject, v awsview.DocdbCluster) {
			s.Must(value.HasText(v.EnabledCloudwatchLogsExports(), "audit"), "the log audit is not exported")
		}),
	mongoRule("mongo-deletion-protection", "The cluster can't be deleted by mistake",
		"A destroy takes seconds, a restore takes hours.", "the key deletionProtection", rule.High, rule.Deployed,
		[]string{"FSBP DocumentDB.5"}, func(s *rule.Subject, v awsview.DocdbCluster) {
			s.Must(v.DeletionProtection().IsTrue(), "deletionProtection is not true")
		}),
	mongoRule("mongo-final-snapshot", "A deletion leaves a snapshot",
		"Without it the data are gone with the cluster.", "the key discardData", rule.High, rule.Deployed,
		[]string{"WA REL09"}, func(s *rule.Subject, v awsview.DocdbCluster) {
			s.Must(v.SkipFinalSnapshot().Or(false).IsFalse(), "skipFinalSnapshot is true")
			s.Must(v.FinalSnapshotIdentifier().IsSet(), "finalSnapshotIdentifier is not set")
		}),
	mongoRule("mongo-managed-password", "AWS creates and rotates the owner's password",
		"A password in the program is in the state and in every preview.", "components/mongo, ManageMasterUserPassword", rule.High, rule.Everywhere,
		[]string{"cdk-nag DOC3"}, func(s *rule.Subject, v awsview.DocdbCluster) {
			s.Must(v.ManageMasterUserPassword().IsTrue(), "manageMasterUserPassword is not true")
			s.Must(value.Not(v.MasterPassword().IsSet()), "masterPassword is set")
		}),
	{
		ID: "mongo-tls-only", Title: "The cluster refuses connections without TLS",
		Why: "Documents and passwords would cross the network in clear text.",
		Fix: "components/mongo/docdbspec, Parameters", Standards: []string{"FSBP DocumentDB.6"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ awsview.DocdbCluster) {
			s.Must(hasParameter[awsview.DocdbClusterParameterGroup](s, "dbClusterParameterGroupName", "tls", "enabled"), "the parameter group does not set tls to enabled")
		}),
	},
	{
		ID: "mongo-audits", Title: "The cluster writes an audit log",
		Why: "The exported log stays empty unless the server writes it.",
		Fix: "components/mongo/docdbspec, Parameters", Standards: []string{"FSBP DocumentDB.4"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ awsview.DocdbCluster) {
			s.Must(hasParameter[awsview.DocdbClusterParameterGroup](s, "dbClusterParameterGroupName", "audit_logs", "enabled"), "the parameter group does not set audit_logs to enabled")
		}),
	},
	mongoRule("mongo-version-supported", "The version of DocumentDB has standard support for half a year more",
		"After its end AWS charges for extended support.", "components/mongo/docdbspec, Version", rule.Medium, rule.Advice,
		[]string{"WA OPS05"}, func(s *rule.Subject, v awsview.DocdbCluster) {
			mustBeSupported(s, v.Engine().Or(string(enginecalendar.DocumentDB)), v.EngineVersion())
		}),
	{
		ID: "mongo-two-instances", Title: "The cluster has a second instance",
		Why: "The loss of the only one stops it until AWS has created another.",
		Fix: "the key mongo.instances", Standards: []string{"WA REL10"},
		Severity: rule.High, Levels: rule.ProdOnly,
		Check: rule.Across(func(s *rule.Subject, _ awsview.DocdbCluster) {
			instances := rule.Referrers[awsview.DocdbClusterInstance](s.Graph, s.Resource, "clusterIdentifier")
			s.Must(atLeast(len(instances.Resources), 2, instances.Complete), "the cluster has %d instance(s)", len(instances.Resources))
		}),
	},
	{
		ID: "mongo-instances", Title: "Instances upgrade themselves and have an existing class",
		Why: "Minor versions close security flaws. AWS refuses an unknown class in the middle of an up.",
		Fix: "the key mongo.instanceClass, and components/mongo", Standards: []string{"WA OPS06"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.DocdbClusterInstance) {
			s.Must(v.AutoMinorVersionUpgrade().Or(true).IsTrue(), "autoMinorVersionUpgrade is false")
			s.Must(v.InstanceClass().Satisfies(docdbspec.HasClass), "instanceClass is %s", v.InstanceClass().Text())
		}),
	},
	{
		ID: "mongo-subnets-span-zones", Title: "The subnets of the cluster are in two zones",
		Why: "A second instance would run in the zone of the first.",
		Fix: "the key network.zones", Standards: []string{"WA REL10"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v awsview.DocdbSubnetGroup) {
			s.Must(spanTwoZones(s.Graph, s.Resource, "subnetIds", v.SubnetIds().Node), "the subnets are in fewer than two zones")
		}),
	},
}

// mongoRule returns a rule on properties of the DocumentDB cluster.
func mongoRule(id, title, why, fix string, severity rule.Severity, levels rule.Levels, standards []string, check func(*rule.Subject, awsview.DocdbCluster)) *rule.Rule {
	return &rule.Rule{ID: id, Title: title, Why: why, Fix: fix, Severity: severity, Levels: levels, Standards: standards, Check: rule.On(check)}
}

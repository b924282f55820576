package ruleset

import (
	"github.com/progressive-framework/platform/components/datastore/enginecalendar"
	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// minBackupDays is how long each store must keep its backups. AWS Foundational Security Best
// Practices (FSBP) requires it in the controls RDS.11 and DocumentDB.2.
const minBackupDays = 7

var postgres = []*rule.Rule{
	postgresRule("postgres-encrypted", "The database is encrypted with a key of this account",
		"A snapshot that leaves the account would be readable.", "components/postgres, KmsKeyId", rule.High, rule.Everywhere,
		[]string{"FSBP RDS.3", "CIS AWS 2.3.1"}, func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(v.StorageEncrypted().IsTrue(), "storageEncrypted is not true")
			// RDS restores with the key of the snapshot, and allows no other.
			s.Must(value.Any(v.KmsKeyId().IsSet(), v.SnapshotIdentifier().IsSet()), "neither kmsKeyId nor snapshotIdentifier is set")
		}),
	postgresRule("postgres-private", "The database has no public address",
		"Everybody could try passwords on it.", "components/postgres, PubliclyAccessible", rule.Critical, rule.Everywhere,
		[]string{"FSBP RDS.2", "CIS AWS 2.3.3"}, func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(v.PubliclyAccessible().Or(false).IsFalse(), "publiclyAccessible is true")
		}),
	postgresRule("postgres-deletion-protection", "The database can't be deleted by mistake",
		"A destroy takes seconds, a restore takes hours.", "the key deletionProtection", rule.High, rule.Deployed,
		[]string{"FSBP RDS.8"}, func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(v.DeletionProtection().IsTrue(), "deletionProtection is not true")
		}),
	postgresRule("postgres-final-snapshot", "A deletion leaves a snapshot",
		"Without it the data are gone with the instance.", "the key discardData", rule.High, rule.Deployed,
		[]string{"WA REL09"}, func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(v.SkipFinalSnapshot().Or(false).IsFalse(), "skipFinalSnapshot is true")
			s.Must(v.FinalSnapshotIdentifier().IsSet(), "finalSnapshotIdentifier is not set")
		}),
	postgresRule("postgres-backups", "Backups are kept for a week",
		"A fault that is found after the weekend could not be undone.", "the key postgres.backupDays", rule.High, rule.Deployed,
		[]string{"FSBP RDS.11"}, func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(v.BackupRetentionPeriod().Or(0).AtLeast(minBackupDays), "backupRetentionPeriod is %s; at least %d days", v.BackupRetentionPeriod().Text(), minBackupDays)
		}),
	postgresRule("postgres-backups-outlive", "Backups outlive the database",
		"Whoever deletes the database would delete its backups, too.", "the key discardData", rule.Medium, rule.Deployed,
		[]string{"WA REL09"}, func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(v.DeleteAutomatedBackups().Or(true).IsFalse(), "deleteAutomatedBackups is not false")
		}),
	postgresRule("postgres-iam-login", "Services can log in with their IAM role",
		"A password must be stored, rotated and kept out of logs.", "components/postgres, IamDatabaseAuthenticationEnabled", rule.Medium, rule.Everywhere,
		[]string{"FSBP RDS.10"}, func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(v.IamDatabaseAuthenticationEnabled().IsTrue(), "iamDatabaseAuthenticationEnabled is not true")
		}),
	postgresRule("postgres-managed-password", "RDS creates and rotates the owner's password",
		"A password in the program is in the state and in every preview.", "components/postgres, ManageMasterUserPassword", rule.High, rule.Everywhere,
		[]string{"WA SEC02"}, func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(v.ManageMasterUserPassword().IsTrue(), "manageMasterUserPassword is not true")
			s.Must(value.Not(v.Password().IsSet()), "password is set")
		}),
	postgresRule("postgres-logs", "The database writes its log to CloudWatch",
		"Without the log nobody sees slow queries and refused logins.", "components/postgres, logExports", rule.Medium, rule.Everywhere,
		[]string{"FSBP RDS.9"}, func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(value.HasText(v.EnabledCloudwatchLogsExports(), "postgresql"), "the log postgresql is not exported")
		}),
	postgresRule("postgres-monitoring", "Enhanced Monitoring is on",
		"Without it nobody sees the memory and the processes of the database server.", "components/postgres, monitoringSeconds", rule.Low, rule.Everywhere,
		[]string{"FSBP RDS.6"}, func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(v.MonitoringInterval().AtLeast(1), "monitoringInterval is %s", v.MonitoringInterval().Text())
			s.Must(v.MonitoringRoleArn().IsSet(), "monitoringRoleArn is not set")
		}),
	postgresRule("postgres-insights-encrypted", "Performance Insights is on and encrypted",
		"Performance Insights shows the text of queries, with their values.", "components/postgres, PerformanceInsightsKmsKeyId", rule.Low, rule.Everywhere,
		[]string{"CKV_AWS_353", "CKV_AWS_354"}, func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(v.PerformanceInsightsEnabled().IsTrue(), "performanceInsightsEnabled is not true")
			s.Must(v.PerformanceInsightsKmsKeyId().IsSet(), "performanceInsightsKmsKeyId is not set")
		}),
	postgresRule("postgres-minor-upgrades", "Minor versions are installed by themselves",
		"Minor versions close security flaws.", "components/postgres, AutoMinorVersionUpgrade", rule.Medium, rule.Everywhere,
		[]string{"FSBP RDS.13"}, func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(v.AutoMinorVersionUpgrade().Or(true).IsTrue(), "autoMinorVersionUpgrade is false")
		}),
	postgresRule("postgres-own-user", "The owner's name is not a well-known one",
		"With a well-known name an attacker has to guess only the password.", "components/datastore/storespec, Owner", rule.Low, rule.Everywhere,
		[]string{"FSBP RDS.25"}, func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(v.Username().IsSet(), "username is not set")
			s.Must(value.Not(v.Username().In("postgres", "admin", "root")), "username is %s", v.Username().Text())
		}),
	postgresRule("postgres-two-zones", "A standby runs in another zone",
		"The loss of one zone would stop the platform for hours.", "the key postgres.singleZone", rule.High, rule.ProdOnly,
		[]string{"FSBP RDS.5", "WA REL10"}, func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(v.MultiAz().IsTrue(), "multiAz is not true")
		}),
	postgresRule("postgres-storage-grows", "Storage grows by itself",
		"A full disk stops the database.", "components/postgres/rdsspec, MaxAllocatedStorageGiB", rule.Medium, rule.Everywhere,
		[]string{"WA REL07"}, func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(v.MaxAllocatedStorage().Compare(v.AllocatedStorage(), isGreater), "maxAllocatedStorage is not above allocatedStorage")
		}),
	postgresRule("postgres-snapshot-tags", "Snapshots have the tags of the database",
		"A snapshot without tags has no owner and no stack.", "components/postgres, CopyTagsToSnapshot", rule.Low, rule.Everywhere,
		[]string{"FSBP RDS.17"}, func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(v.CopyTagsToSnapshot().IsTrue(), "copyTagsToSnapshot is not true")
		}),
	postgresRule("postgres-class", "The instance class exists",
		"RDS refuses an unknown class in the middle of an up.", "the key postgres.instanceClass", rule.Medium, rule.Everywhere,
		[]string{"WA OPS06"}, func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(v.InstanceClass().Satisfies(func(name string) bool {
				_, err := postgrestuning.LookupClass(name)
				return err == nil
			}), "instanceClass is %s", v.InstanceClass().Text())
		}),
	postgresRule("postgres-version-supported", "PostgreSQL's major version has standard support for half a year more",
		"After its end AWS charges for extended support, for each vCPU.", "components/postgres/rdsspec, Major", rule.Medium, rule.Advice,
		[]string{"WA OPS05"}, func(s *rule.Subject, v awsview.RdsInstance) {
			mustBeSupported(s, v.Engine().Or(string(enginecalendar.PostgreSQL)), v.EngineVersion())
		}),
	{
		ID: "postgres-tls-only", Title: "The database refuses connections without TLS",
		Why: "Queries, results and tokens would cross the network in clear text.",
		Fix: "components/postgres/postgrestuning, rds.force_ssl", Standards: []string{"CKV2_AWS_69"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v awsview.RdsInstance) {
			s.Must(hasParameter[awsview.RdsParameterGroup](s, "parameterGroupName", "rds.force_ssl", "1"), "the parameter group does not set rds.force_ssl to 1")
		}),
	},
	{
		ID: "postgres-tuned", Title: "The database uses a parameter group of this stack",
		Why: "AWS's default group has limits for another number of connections and another load.",
		Fix: "components/postgres/postgrestuning", Standards: []string{"WA PERF03"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ awsview.RdsInstance) {
			s.Must(rule.Refs[awsview.RdsParameterGroup](s.Graph, s.Resource, "parameterGroupName").Exists(), "parameterGroupName is not that of a group of this stack")
		}),
	},
	{
		ID: "postgres-subnets-span-zones", Title: "The subnets of the database are in two zones",
		Why: "Otherwise the standby has no zone to run in.",
		Fix: "the key network.zones", Standards: []string{"WA REL10"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v awsview.RdsSubnetGroup) {
			s.Must(spanTwoZones(s.Graph, s.Resource, "subnetIds", v.SubnetIds().Node), "the subnets are in fewer than two zones")
		}),
	},
	{
		ID: "postgres-connections-suffice", Title: "All pods' connection pools fit into the database",
		Why: "At a peak the database would refuse the connections of the last pods.",
		Fix: "the keys postgres.connections and services.NAME.max", Standards: []string{"WA REL05"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v awsview.RdsParameterGroup) {
			connections, complete := poolConnections(s.Graph)
			parameters, known := v.Parameters().Items()
			if !known {
				s.LeaveUndecided("the parameters of the group")
			}
			for _, p := range parameters {
				enough := p.Value().Satisfies(func(text string) bool { return parseNumber(text) >= connections+scaling.ReservedConnections })
				if !complete {
					enough = value.All(enough, value.Unknown)
				}
				s.Must(value.Implies(p.Name().Is("max_connections"), enough), "max_connections is %s, but the connection pools of all pods need %g and %d reserved ones", p.Value().Text(), connections, scaling.ReservedConnections)
			}
		}),
	},
}

// postgresRule returns a rule on properties of the RDS instance.
func postgresRule(id, title, why, fix string, severity rule.Severity, levels rule.Levels, standards []string, check func(*rule.Subject, awsview.RdsInstance)) *rule.Rule {
	return &rule.Rule{ID: id, Title: title, Why: why, Fix: fix, Severity: severity, Levels: levels, Standards: standards, Check: rule.On(check)}
}

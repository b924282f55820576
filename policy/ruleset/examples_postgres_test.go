package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var postgresExamples = []example{
	{rule: "postgres-backups", at: instanceOf, path: "backupRetentionPeriod", bad: 0.0},
	{rule: "postgres-backups-outlive", at: instanceOf, path: "deleteAutomatedBackups", bad: true},
	{rule: "postgres-class", at: instanceOf, path: "instanceClass", bad: nil},
	{rule: "postgres-connections-suffice", at: "Deployment mca-deployment", path: "spec.replicas", bad: 50.0, on: "ParameterGroup postgres-parameters", absent: evaluate.Holds, also: []string{}},
	{rule: "postgres-deletion-protection", at: instanceOf, path: "deletionProtection", bad: false},
	{rule: "postgres-encrypted", at: instanceOf, path: "kmsKeyId", bad: nil, also: []string{"key-of-store-rotates @ " + instanceOf}},
	{rule: "postgres-encrypted", at: instanceOf, path: "storageEncrypted", bad: false},
	{rule: "postgres-final-snapshot", at: instanceOf, path: "finalSnapshotIdentifier", bad: nil},
	{rule: "postgres-final-snapshot", at: instanceOf, path: "skipFinalSnapshot", bad: true, absent: evaluate.Holds},
	{rule: "postgres-iam-login", at: instanceOf, path: "iamDatabaseAuthenticationEnabled", bad: false},
	{rule: "postgres-insights-encrypted", at: instanceOf, path: "performanceInsightsEnabled", bad: false},
	{rule: "postgres-insights-encrypted", at: instanceOf, path: "performanceInsightsKmsKeyId", bad: nil},
	{rule: "postgres-logs", at: instanceOf, path: "enabledCloudwatchLogsExports.0", bad: nil},
	{rule: "postgres-managed-password", at: instanceOf, path: "manageMasterUserPassword", bad: false},
	{rule: "postgres-managed-password", at: instanceOf, path: "password", bad: true, absent: evaluate.Holds},
	{rule: "postgres-minor-upgrades", at: instanceOf, path: "autoMinorVersionUpgrade", bad: false, absent: evaluate.Holds},
	{rule: "postgres-monitoring", at: instanceOf, path: "monitoringInterval", bad: 0.0},
	{rule: "postgres-monitoring", at: instanceOf, path: "monitoringRoleArn", bad: nil, also: []string{"iam-role-used @ Role postgres-monitoring-role"}},
	{rule: "postgres-own-user", at: instanceOf, path: "username", bad: "postgres"},
	{rule: "postgres-own-user", at: instanceOf, path: "username", bad: nil},
	{rule: "postgres-private", at: instanceOf, path: "publiclyAccessible", bad: true, absent: evaluate.Holds},
	{rule: "postgres-snapshot-tags", at: instanceOf, path: "copyTagsToSnapshot", bad: false},
	{rule: "postgres-storage-grows", at: instanceOf, path: "maxAllocatedStorage", bad: 100.0},
	{rule: "postgres-subnets-span-zones", at: "SubnetGroup postgres-subnets", path: "subnetIds", bad: nil},
	{rule: "postgres-tls-only", at: "ParameterGroup postgres-parameters", path: "parameters", bad: nil, on: instanceOf},
	{rule: "postgres-tuned", at: instanceOf, path: "parameterGroupName", bad: "default.postgres17", also: []string{"postgres-tls-only @ " + instanceOf}},
	{rule: "postgres-two-zones", at: instanceOf, path: "multiAz", bad: false},
}

package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

// fromSnapshot makes the database one that was created from a snapshot: it has the
// snapshot's key.
var fromSnapshot = []edit{set(postgresInstance, "snapshotIdentifier", "last"), set(postgresInstance, "kmsKeyId", nil)}

var postgresExamples = []example{
	{rule: "postgres-backups", at: postgresInstance, path: "backupRetentionPeriod", bad: 0.0},
	{rule: "postgres-backups-outlive", at: postgresInstance, path: "deleteAutomatedBackups", bad: true},
	{rule: "postgres-class", at: postgresInstance, path: "instanceClass", bad: nil},
	{rule: "postgres-connections-suffice", at: "Deployment mca-deployment", path: "spec.template.spec.containers.0.env.5.name", bad: "OTHER", on: "ParameterGroup postgres-parameters"}, // it was DATABASE_MAX_CONNECTIONS
	{rule: "postgres-connections-suffice", at: "Deployment mca-deployment", path: "spec.replicas", bad: 500.0, on: "ParameterGroup postgres-parameters", absent: evaluate.Holds, also: []string{"deployment-one-scaler @ Deployment mca-deployment"}},
	{rule: "postgres-deletion-protection", at: postgresInstance, path: "deletionProtection", bad: false},
	{rule: "postgres-encrypted", at: postgresInstance, path: "kmsKeyId", bad: nil, also: []string{"key-of-store-rotates @ " + postgresInstance}},
	{rule: "postgres-encrypted", at: postgresInstance, path: "snapshotIdentifier", bad: nil, given: fromSnapshot, also: []string{"key-of-store-rotates @ " + postgresInstance}},
	{rule: "postgres-encrypted", at: postgresInstance, path: "storageEncrypted", bad: false},
	{rule: "postgres-final-snapshot", at: postgresInstance, path: "finalSnapshotIdentifier", bad: nil},
	{rule: "postgres-final-snapshot", at: postgresInstance, path: "skipFinalSnapshot", bad: true, absent: evaluate.Holds},
	{rule: "postgres-iam-login", at: postgresInstance, path: "iamDatabaseAuthenticationEnabled", bad: false},
	{rule: "postgres-insights-encrypted", at: postgresInstance, path: "performanceInsightsEnabled", bad: false},
	{rule: "postgres-insights-encrypted", at: postgresInstance, path: "performanceInsightsKmsKeyId", bad: nil},
	{rule: "postgres-logs", at: postgresInstance, path: "enabledCloudwatchLogsExports.0", bad: nil, also: []string{"store-log-groups-managed @ Instance postgres-instance"}},
	{rule: "postgres-managed-password", at: postgresInstance, path: "manageMasterUserPassword", bad: false},
	{rule: "postgres-managed-password", at: postgresInstance, path: "password", bad: true, absent: evaluate.Holds},
	{rule: "postgres-minor-upgrades", at: postgresInstance, path: "autoMinorVersionUpgrade", bad: false, absent: evaluate.Holds},
	{rule: "postgres-monitoring", at: postgresInstance, path: "monitoringInterval", bad: 0.0},
	{rule: "postgres-monitoring", at: postgresInstance, path: "monitoringRoleArn", bad: nil, also: []string{"iam-role-used @ Role postgres-monitoring-role"}},
	{rule: "postgres-own-user", at: postgresInstance, path: "username", bad: "postgres"},
	{rule: "postgres-own-user", at: postgresInstance, path: "username", bad: nil},
	{rule: "postgres-private", at: postgresInstance, path: "publiclyAccessible", bad: true, absent: evaluate.Holds},
	{rule: "postgres-snapshot-tags", at: postgresInstance, path: "copyTagsToSnapshot", bad: false},
	{rule: "postgres-storage-grows", at: postgresInstance, path: "maxAllocatedStorage", bad: 100.0},
	{rule: "postgres-subnets-span-zones", at: "SubnetGroup postgres-subnets", path: "subnetIds", bad: nil},
	{rule: "postgres-tls-only", at: "ParameterGroup postgres-parameters", path: "parameters", bad: nil, on: postgresInstance},
	{rule: "postgres-tuned", at: postgresInstance, path: "parameterGroupName", bad: "default.postgres17", also: []string{"postgres-tls-only @ " + postgresInstance}},
	{rule: "postgres-two-zones", at: postgresInstance, path: "multiAz", bad: false},
}

package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

// fromSnapshot are the edits of a database that was created from a snapshot. Such a database keeps the
// snapshot's key, so the input kmsKeyId is not set.
var fromSnapshot = []edit{set(postgresInstance, "snapshotIdentifier", "last"), set(postgresInstance, "kmsKeyId", nil)}

var postgresExamples = []example{
	{rule: "postgres-backups", resource: postgresInstance, path: "backupRetentionPeriod", bad: 0.0},
	{rule: "postgres-backups-outlive", resource: postgresInstance, path: "deleteAutomatedBackups", bad: true},
	{rule: "postgres-class", resource: postgresInstance, path: "instanceClass", bad: nil},
	{rule: "postgres-connections-suffice", resource: "Deployment mca-deployment", path: "spec.template.spec.containers.0.env.5.name", bad: "OTHER", subject: "ParameterGroup postgres-parameters"}, // before the edit, the name is DATABASE_MAX_CONNECTIONS
	{rule: "postgres-connections-suffice", resource: "Deployment mca-deployment", path: "spec.replicas", bad: 500.0, subject: "ParameterGroup postgres-parameters", ifAbsent: evaluate.Holds, alsoBroken: []string{"deployment-one-scaler @ Deployment mca-deployment"}},
	{rule: "postgres-deletion-protection", resource: postgresInstance, path: "deletionProtection", bad: false},
	{rule: "postgres-encrypted", resource: postgresInstance, path: "kmsKeyId", bad: nil, alsoBroken: []string{"key-of-store-rotates @ " + postgresInstance}},
	{rule: "postgres-encrypted", resource: postgresInstance, path: "snapshotIdentifier", bad: nil, preparation: fromSnapshot, alsoBroken: []string{"key-of-store-rotates @ " + postgresInstance}},
	{rule: "postgres-encrypted", resource: postgresInstance, path: "storageEncrypted", bad: false},
	{rule: "postgres-final-snapshot", resource: postgresInstance, path: "finalSnapshotIdentifier", bad: nil},
	{rule: "postgres-final-snapshot", resource: postgresInstance, path: "skipFinalSnapshot", bad: true, ifAbsent: evaluate.Holds},
	{rule: "postgres-iam-login", resource: postgresInstance, path: "iamDatabaseAuthenticationEnabled", bad: false},
	{rule: "postgres-insights-encrypted", resource: postgresInstance, path: "performanceInsightsEnabled", bad: false},
	{rule: "postgres-insights-encrypted", resource: postgresInstance, path: "performanceInsightsKmsKeyId", bad: nil},
	{rule: "postgres-logs", resource: postgresInstance, path: "enabledCloudwatchLogsExports.0", bad: nil, alsoBroken: []string{"store-log-groups-managed @ Instance postgres-instance"}},
	{rule: "postgres-managed-password", resource: postgresInstance, path: "manageMasterUserPassword", bad: false},
	{rule: "postgres-managed-password", resource: postgresInstance, path: "password", bad: true, ifAbsent: evaluate.Holds},
	{rule: "postgres-minor-upgrades", resource: postgresInstance, path: "autoMinorVersionUpgrade", bad: false, ifAbsent: evaluate.Holds},
	{rule: "postgres-monitoring", resource: postgresInstance, path: "monitoringInterval", bad: 0.0},
	{rule: "postgres-monitoring", resource: postgresInstance, path: "monitoringRoleArn", bad: nil, alsoBroken: []string{"iam-role-used @ Role postgres-monitoring-role"}},
	{rule: "postgres-own-user", resource: postgresInstance, path: "username", bad: "postgres"},
	{rule: "postgres-own-user", resource: postgresInstance, path: "username", bad: nil},
	{rule: "postgres-private", resource: postgresInstance, path: "publiclyAccessible", bad: true, ifAbsent: evaluate.Holds},
	{rule: "postgres-snapshot-tags", resource: postgresInstance, path: "copyTagsToSnapshot", bad: false},
	// allocatedStorage is also 100 GB.
	{rule: "postgres-storage-grows", resource: postgresInstance, path: "maxAllocatedStorage", bad: 100.0},
	{rule: "postgres-subnets-span-zones", resource: "SubnetGroup postgres-subnets", path: "subnetIds", bad: nil},
	{rule: "postgres-tls-only", resource: "ParameterGroup postgres-parameters", path: "parameters", bad: nil, subject: postgresInstance},
	{rule: "postgres-tuned", resource: postgresInstance, path: "parameterGroupName", bad: "default.postgres17", alsoBroken: []string{"postgres-tls-only @ " + postgresInstance}},
	{rule: "postgres-two-zones", resource: postgresInstance, path: "multiAz", bad: false},
}

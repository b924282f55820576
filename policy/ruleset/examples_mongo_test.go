package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var mongoExamples = []example{
	{rule: "mongo-audit-log", at: documents, path: "enabledCloudwatchLogsExports", bad: nil},
	{rule: "mongo-audits", at: "ClusterParameterGroup mongo-parameters", path: "parameters.1.name", bad: nil, on: documents},
	{rule: "mongo-backups", at: documents, path: "backupRetentionPeriod", bad: 0.0},
	{rule: "mongo-deletion-protection", at: documents, path: "deletionProtection", bad: false},
	{rule: "mongo-encrypted", at: documents, path: "kmsKeyId", bad: nil, also: []string{"key-of-store-rotates @ " + documents}},
	{rule: "mongo-encrypted", at: documents, path: "storageEncrypted", bad: false},
	{rule: "mongo-final-snapshot", at: documents, path: "finalSnapshotIdentifier", bad: nil},
	{rule: "mongo-final-snapshot", at: documents, path: "skipFinalSnapshot", bad: true, absent: evaluate.Holds},
	{rule: "mongo-instances", at: "ClusterInstance mongo-instance-0", path: "autoMinorVersionUpgrade", bad: false, absent: evaluate.Holds},
	{rule: "mongo-instances", at: "ClusterInstance mongo-instance-0", path: "instanceClass", bad: nil},
	{rule: "mongo-managed-password", at: documents, path: "manageMasterUserPassword", bad: false},
	{rule: "mongo-managed-password", at: documents, path: "masterPassword", bad: true, absent: evaluate.Holds},
	{rule: "mongo-subnets-span-zones", at: "SubnetGroup mongo-subnets", path: "subnetIds", bad: nil},
	{rule: "mongo-tls-only", at: "ClusterParameterGroup mongo-parameters", path: "parameters.0", bad: nil, on: documents},
	{rule: "mongo-two-instances", at: "ClusterInstance mongo-instance-1", path: "clusterIdentifier", bad: "another", on: documents, given: []edit{remove("ClusterInstance mongo-instance-0")}},
}

package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var mongoExamples = []example{
	{rule: "mongo-audit-log", at: mongoCluster, path: "enabledCloudwatchLogsExports", bad: nil},
	{rule: "mongo-audits", at: "ClusterParameterGroup mongo-parameters", path: "parameters.1.name", bad: nil, on: mongoCluster},
	{rule: "mongo-backups", at: mongoCluster, path: "backupRetentionPeriod", bad: 0.0},
	{rule: "mongo-deletion-protection", at: mongoCluster, path: "deletionProtection", bad: false},
	{rule: "mongo-encrypted", at: mongoCluster, path: "kmsKeyId", bad: nil, also: []string{"key-of-store-rotates @ " + mongoCluster}},
	{rule: "mongo-encrypted", at: mongoCluster, path: "storageEncrypted", bad: false},
	{rule: "mongo-final-snapshot", at: mongoCluster, path: "finalSnapshotIdentifier", bad: nil},
	{rule: "mongo-final-snapshot", at: mongoCluster, path: "skipFinalSnapshot", bad: true, absent: evaluate.Holds},
	{rule: "mongo-instances", at: "ClusterInstance mongo-instance-0", path: "autoMinorVersionUpgrade", bad: false, absent: evaluate.Holds},
	{rule: "mongo-instances", at: "ClusterInstance mongo-instance-0", path: "instanceClass", bad: nil},
	{rule: "mongo-managed-password", at: mongoCluster, path: "manageMasterUserPassword", bad: false},
	{rule: "mongo-managed-password", at: mongoCluster, path: "masterPassword", bad: true, absent: evaluate.Holds},
	{rule: "mongo-subnets-span-zones", at: "SubnetGroup mongo-subnets", path: "subnetIds", bad: nil},
	{rule: "mongo-tls-only", at: "ClusterParameterGroup mongo-parameters", path: "parameters.0", bad: nil, on: mongoCluster},
	{rule: "mongo-version-supported", at: mongoCluster, path: "engineVersion", bad: "3.6.0"},
	{rule: "mongo-two-instances", at: "ClusterInstance mongo-instance-1", path: "clusterIdentifier", bad: "another", on: mongoCluster, given: []edit{remove("ClusterInstance mongo-instance-0")}},
}

package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var mongoExamples = []example{
	{rule: "mongo-audit-log", resource: mongoCluster, path: "enabledCloudwatchLogsExports", bad: nil},
	{rule: "mongo-audits", resource: "ClusterParameterGroup mongo-parameters", path: "parameters.1.name", bad: nil, subject: mongoCluster},
	{rule: "mongo-backups", resource: mongoCluster, path: "backupRetentionPeriod", bad: 0.0},
	{rule: "mongo-deletion-protection", resource: mongoCluster, path: "deletionProtection", bad: false},
	{rule: "mongo-encrypted", resource: mongoCluster, path: "kmsKeyId", bad: nil, alsoBroken: []string{"key-of-store-rotates @ " + mongoCluster}},
	{rule: "mongo-encrypted", resource: mongoCluster, path: "storageEncrypted", bad: false},
	{rule: "mongo-final-snapshot", resource: mongoCluster, path: "finalSnapshotIdentifier", bad: nil},
	{rule: "mongo-final-snapshot", resource: mongoCluster, path: "skipFinalSnapshot", bad: true, ifAbsent: evaluate.Holds},
	{rule: "mongo-instances", resource: "ClusterInstance mongo-instance-0", path: "autoMinorVersionUpgrade", bad: false, ifAbsent: evaluate.Holds},
	{rule: "mongo-instances", resource: "ClusterInstance mongo-instance-0", path: "instanceClass", bad: nil},
	{rule: "mongo-managed-password", resource: mongoCluster, path: "manageMasterUserPassword", bad: false},
	{rule: "mongo-managed-password", resource: mongoCluster, path: "masterPassword", bad: true, ifAbsent: evaluate.Holds},
	{rule: "mongo-subnets-span-zones", resource: "SubnetGroup mongo-subnets", path: "subnetIds", bad: nil},
	{rule: "mongo-tls-only", resource: "ClusterParameterGroup mongo-parameters", path: "parameters.0", bad: nil, subject: mongoCluster},
	{rule: "mongo-version-supported", resource: mongoCluster, path: "engineVersion", bad: "3.6.0"},
	{rule: "mongo-two-instances", resource: "ClusterInstance mongo-instance-1", path: "clusterIdentifier", bad: "another", subject: mongoCluster, preparation: []edit{remove("ClusterInstance mongo-instance-0")}},
}

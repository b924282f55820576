package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var redisExamples = []example{
	{rule: "redis-backups", at: cacheGroup, path: "snapshotRetentionLimit", bad: 0.0},
	{rule: "redis-default-user-replaced", at: "User redis-default", path: "userName", bad: "another", on: "UserGroup redis-users"},
	{rule: "redis-encrypted", at: cacheGroup, path: "kmsKeyId", bad: nil, also: []string{"key-of-store-rotates @ " + cacheGroup}},
	{rule: "redis-encrypted", at: cacheGroup, path: "atRestEncryptionEnabled", bad: false},
	{rule: "redis-failover", at: cacheGroup, path: "automaticFailoverEnabled", bad: false},
	{rule: "redis-failover", at: cacheGroup, path: "multiAzEnabled", bad: false},
	{rule: "redis-failover", at: cacheGroup, path: "replicasPerNodeGroup", bad: 0.0},
	{rule: "redis-minor-upgrades", at: cacheGroup, path: "autoMinorVersionUpgrade", bad: false, absent: evaluate.Holds},
	{rule: "redis-node-type", at: cacheGroup, path: "nodeType", bad: nil},
	{rule: "redis-slow-log", at: cacheGroup, path: "logDeliveryConfigurations.0", bad: nil},
	{rule: "redis-subnets-span-zones", at: "SubnetGroup redis-subnets", path: "subnetIds", bad: nil},
	{rule: "redis-tls-only", at: cacheGroup, path: "transitEncryptionEnabled", bad: false},
	{rule: "redis-tls-only", at: cacheGroup, path: "transitEncryptionMode", bad: "x", absent: evaluate.Holds},
	{rule: "redis-tuned", at: cacheGroup, path: "parameterGroupName", bad: "default.redis7"},
	{rule: "redis-tuned", at: cacheGroup, path: "subnetGroupName", bad: "default"},
	{rule: "redis-tuned", at: cacheGroup, path: "subnetGroupName", bad: nil},
	{rule: "redis-user-not-dangerous", at: "User redis-default", path: "noPasswordRequired", bad: true, absent: evaluate.Holds},
	{rule: "redis-user-not-dangerous", at: "User redis-default", path: "accessString", bad: nil},
	{rule: "redis-users", at: cacheGroup, path: "userGroupIds", bad: nil},
}

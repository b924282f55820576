package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/value"
)

var redisExamples = []example{
	{rule: "redis-backups", at: redisGroup, path: "snapshotRetentionLimit", bad: 0.0},
	{rule: "redis-default-user-replaced", at: "User redis-default", path: "userName", bad: "another", on: "UserGroup redis-users"},
	{rule: "redis-encrypted", at: redisGroup, path: "kmsKeyId", bad: nil, also: []string{"key-of-store-rotates @ " + redisGroup}},
	{rule: "redis-encrypted", at: redisGroup, path: "atRestEncryptionEnabled", bad: false},
	{rule: "redis-failover", at: redisGroup, path: "automaticFailoverEnabled", bad: false},
	{rule: "redis-failover", at: redisGroup, path: "multiAzEnabled", bad: false},
	{rule: "redis-failover", at: redisGroup, path: "replicasPerNodeGroup", bad: 0.0},
	{rule: "redis-minor-upgrades", at: redisGroup, path: "autoMinorVersionUpgrade", bad: false, absent: evaluate.Holds},
	{rule: "redis-node-type", at: redisGroup, path: "nodeType", bad: nil},
	{rule: "redis-slow-log", at: redisGroup, path: "logDeliveryConfigurations.0", bad: nil},
	{rule: "redis-subnets-span-zones", at: "SubnetGroup redis-subnets", path: "subnetIds", bad: nil},
	{rule: "redis-tls-only", at: redisGroup, path: "transitEncryptionEnabled", bad: false},
	{rule: "redis-tls-only", at: redisGroup, path: "transitEncryptionMode", bad: "x", absent: evaluate.Holds},
	{rule: "redis-tuned", at: redisGroup, path: "parameterGroupName", bad: "default.redis7"},
	{rule: "redis-tuned", at: redisGroup, path: "subnetGroupName", bad: "default"},
	{rule: "redis-tuned", at: redisGroup, path: "subnetGroupName", bad: nil},
	{rule: "redis-user-not-dangerous", at: "User redis-default", path: "noPasswordRequired", bad: true, absent: evaluate.Holds},
	{rule: "redis-user-not-dangerous", at: "User redis-default", path: "accessString", bad: nil},
	{rule: "redis-user-password-not-plain", at: "User redis-default", path: "passwords", bad: []any{"in clear text"}, absent: evaluate.Holds},
	{rule: "redis-user-password-not-plain", at: "User redis-default", path: "passwords", bad: []any{value.Secret{Value: "a"}, "in clear text"}, absent: evaluate.Holds},
	{rule: "redis-version-supported", at: redisGroup, path: "engineVersion", bad: "6.2"},
	{rule: "redis-version-supported", at: redisGroup, path: "engine", bad: "valkey", absent: evaluate.Holds},
	{rule: "redis-users", at: redisGroup, path: "userGroupIds", bad: nil},
}

package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/value"
)

var redisExamples = []example{
	{rule: "redis-backups", resource: redisGroup, path: "snapshotRetentionLimit", bad: 0.0},
	{rule: "redis-default-user-replaced", resource: "User redis-default", path: "userName", bad: "another", subject: "UserGroup redis-users"},
	{rule: "redis-encrypted", resource: redisGroup, path: "kmsKeyId", bad: nil, alsoBroken: []string{"key-of-store-rotates @ " + redisGroup}},
	{rule: "redis-encrypted", resource: redisGroup, path: "atRestEncryptionEnabled", bad: false},
	{rule: "redis-failover", resource: redisGroup, path: "automaticFailoverEnabled", bad: false},
	{rule: "redis-failover", resource: redisGroup, path: "multiAzEnabled", bad: false},
	{rule: "redis-failover", resource: redisGroup, path: "replicasPerNodeGroup", bad: 0.0},
	{rule: "redis-minor-upgrades", resource: redisGroup, path: "autoMinorVersionUpgrade", bad: false, ifAbsent: evaluate.Holds},
	{rule: "redis-node-type", resource: redisGroup, path: "nodeType", bad: nil},
	{rule: "redis-slow-log", resource: redisGroup, path: "logDeliveryConfigurations.0", bad: nil},
	{rule: "redis-subnets-span-zones", resource: "SubnetGroup redis-subnets", path: "subnetIds", bad: nil},
	{rule: "redis-tls-only", resource: redisGroup, path: "transitEncryptionEnabled", bad: false},
	{rule: "redis-tls-only", resource: redisGroup, path: "transitEncryptionMode", bad: "x", ifAbsent: evaluate.Holds},
	{rule: "redis-tuned", resource: redisGroup, path: "parameterGroupName", bad: "default.redis7"},
	{rule: "redis-tuned", resource: redisGroup, path: "subnetGroupName", bad: "default"},
	{rule: "redis-tuned", resource: redisGroup, path: "subnetGroupName", bad: nil},
	{rule: "redis-user-not-dangerous", resource: "User redis-default", path: "noPasswordRequired", bad: true, ifAbsent: evaluate.Holds},
	{rule: "redis-user-not-dangerous", resource: "User redis-default", path: "accessString", bad: nil},
	{rule: "redis-user-password-not-plain", resource: "User redis-default", path: "passwords", bad: []any{"in clear text"}, ifAbsent: evaluate.Holds},
	{rule: "redis-user-password-not-plain", resource: "User redis-default", path: "passwords", bad: []any{value.Secret{Value: "a"}, "in clear text"}, ifAbsent: evaluate.Holds},
	{rule: "redis-version-supported", resource: redisGroup, path: "engineVersion", bad: "6.2"},
	{rule: "redis-version-supported", resource: redisGroup, path: "engine", bad: "valkey", ifAbsent: evaluate.Holds},
	{rule: "redis-users", resource: redisGroup, path: "userGroupIds", bad: nil},
}

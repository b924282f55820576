package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var keyExamples = []example{
	{rule: "key-deletion-window", resource: "Key key", path: "deletionWindowInDays", bad: 0.0, ifAbsent: evaluate.Holds},
	{rule: "key-not-public", resource: "Key key", path: "policy", bad: `{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}`, ifAbsent: evaluate.Holds},
	{rule: "key-not-public", resource: "Key key", path: "policy", bad: `{"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*"}}`, ifAbsent: evaluate.Holds},
	{rule: "key-not-public", resource: "Key key", path: "policy", bad: `{"Statement":{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":"kms:*","Resource":"*"}}`, ifAbsent: evaluate.Holds},
	{rule: "key-of-store-rotates", resource: postgresInstance, path: "kmsKeyId", bad: "arn:aws:kms:::key/another"},
	{rule: "key-of-store-rotates", resource: "Key postgres-key", path: "enableKeyRotation", bad: false, subject: postgresInstance, alsoBroken: []string{"key-rotates @ Key postgres-key"}},
	{rule: "key-of-store-rotates", resource: mongoCluster, path: "kmsKeyId", bad: "x"},
	{rule: "key-rotates", resource: "Key key", path: "enableKeyRotation", bad: false},
	{rule: "queue-encrypted", resource: "Queue events", path: "sqsManagedSseEnabled", bad: false},
	{rule: "log-group-encrypted", resource: "LogGroup control-plane", path: "kmsKeyId", bad: nil},
	{rule: "log-group-retention", resource: "LogGroup flow-logs", path: "retentionInDays", bad: 0.0, alsoBroken: []string{"log-group-year @ LogGroup flow-logs"}},
	{rule: "log-group-year", resource: "LogGroup flow-logs", path: "retentionInDays", bad: 90.0},
	{rule: "secret-encrypted", resource: "Secret redis-secret", path: "kmsKeyId", bad: nil},
	{rule: "secret-not-plain", resource: "SecretVersion redis-version-0", path: "secretString", bad: "in clear text", ifAbsent: evaluate.Holds},
	{rule: "secret-recoverable", resource: "Secret redis-secret", path: "recoveryWindowInDays", bad: 0.0, ifAbsent: evaluate.Holds},
}

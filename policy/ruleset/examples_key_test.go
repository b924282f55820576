package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var keyExamples = []example{
	{rule: "key-deletion-window", at: "Key key", path: "deletionWindowInDays", bad: 0.0, absent: evaluate.Holds},
	{rule: "key-not-public", at: "Key key", path: "policy", bad: `{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}`, absent: evaluate.Holds},
	{rule: "key-not-public", at: "Key key", path: "policy", bad: `{"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*"}}`, absent: evaluate.Holds},
	{rule: "key-not-public", at: "Key key", path: "policy", bad: `{"Statement":{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":"kms:*","Resource":"*"}}`, absent: evaluate.Holds},
	{rule: "key-of-store-rotates", at: postgresInstance, path: "kmsKeyId", bad: "arn:aws:kms:::key/another"},
	{rule: "key-of-store-rotates", at: "Key postgres-key", path: "enableKeyRotation", bad: false, on: postgresInstance, also: []string{"key-rotates @ Key postgres-key"}},
	{rule: "key-of-store-rotates", at: mongoCluster, path: "kmsKeyId", bad: "x"},
	{rule: "key-rotates", at: "Key key", path: "enableKeyRotation", bad: false},
	{rule: "queue-encrypted", at: "Queue events", path: "sqsManagedSseEnabled", bad: false},
	{rule: "log-group-encrypted", at: "LogGroup control-plane", path: "kmsKeyId", bad: nil},
	{rule: "log-group-retention", at: "LogGroup flow-logs", path: "retentionInDays", bad: 0.0, also: []string{"log-group-year @ LogGroup flow-logs"}},
	{rule: "log-group-year", at: "LogGroup flow-logs", path: "retentionInDays", bad: 90.0},
	{rule: "secret-encrypted", at: "Secret redis-secret", path: "kmsKeyId", bad: nil},
	{rule: "secret-not-plain", at: "SecretVersion redis-version-0", path: "secretString", bad: "in clear text", absent: evaluate.Holds},
	{rule: "secret-recoverable", at: "Secret redis-secret", path: "recoveryWindowInDays", bad: 0.0, absent: evaluate.Holds},
}

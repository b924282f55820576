package redistuning

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/size"
)

// The expected lines are those of the design document for its memory limit of 4 GiB. They have two
// corrections: the listpack names of Redis 7, and no comment after 10000.
func TestSettingsMatchTheDesignDocument(t *testing.T) {
	m, err := New(Inputs{Memory: size.GiB(4)})
	require.NoError(t, err)
	require.ElementsMatch(t, strings.Split(strings.TrimSpace(`
maxmemory 3gb
maxmemory-policy allkeys-lru
save 900 1 300 10 60 10000
appendonly yes
appendfsync everysec
timeout 0
tcp-keepalive 300
tcp-backlog 511
cluster-enabled yes
cluster-config-file nodes.conf
cluster-node-timeout 5000
hash-max-listpack-entries 512
hash-max-listpack-value 64
list-max-listpack-size -2
list-compress-depth 0
set-max-intset-entries 512
zset-max-listpack-entries 128
zset-max-listpack-value 64
hll-sparse-max-bytes 3000
client-output-buffer-limit normal 0 0 0
client-output-buffer-limit replica 256mb 64mb 60
client-output-buffer-limit pubsub 32mb 8mb 60
notify-keyspace-events Ex
lazyfree-lazy-eviction yes
lazyfree-lazy-expire yes
lazyfree-lazy-server-del yes
slowlog-log-slower-than 10000
slowlog-max-len 128
rename-command FLUSHDB ""
rename-command FLUSHALL ""
rename-command DEBUG ""
rename-command SHUTDOWN ""`), "\n"), strings.Split(strings.TrimSpace(m.File()), "\n"))
}

func TestParametersHaveElastiCachesNamesAndUnits(t *testing.T) {
	m, err := New(Inputs{Memory: size.GiB(4)})
	require.NoError(t, err)
	parameters := map[string]string{}
	for _, p := range m.Parameters() {
		parameters[p.Name()] = p.Value()
	}
	for _, row := range []struct{ reason, name, value string }{
		{"a parameter of the family", "cluster-enabled", "yes"},
		{"ElastiCache's percentage instead of maxmemory", "reserved-memory-percent", "25"},
		{"a separate parameter, in bytes", "client-output-buffer-limit-pubsub-hard-limit", "33554432"},
		{"a separate parameter, in bytes", "client-output-buffer-limit-pubsub-soft-limit", "8388608"},
		{"a separate parameter, in seconds", "client-output-buffer-limit-pubsub-soft-seconds", "60"},
		{"zero means no limit", "client-output-buffer-limit-normal-hard-limit", "0"},
		{"microseconds", "slowlog-log-slower-than", "10000"},
		{"a text without quotation marks", "notify-keyspace-events", "Ex"},
	} {
		t.Run(row.name, func(t *testing.T) { require.Equal(t, row.value, parameters[row.name], row.reason) })
	}
	for _, name := range []string{
		"maxmemory", "save", "appendonly", "appendfsync", "tcp-backlog", "cluster-config-file", "cluster-node-timeout",
		"list-max-listpack-size", "client-output-buffer-limit-replica-hard-limit", "rename-command",
	} {
		require.NotContains(t, parameters, name, "ElastiCache does not allow to change the parameter")
	}
}

func TestEveryNodeTypeHasAModel(t *testing.T) {
	for name := range nodeTypes {
		memory, err := LookupMemory(name)
		require.NoError(t, err)
		_, err = New(Inputs{Memory: memory})
		require.NoError(t, err, "every type has a valid model: %s", name)
	}
	_, err := LookupMemory("cache.m1.small")
	require.ErrorContains(t, err, `"cache.m1.small" must be one of cache.m7g.12xlarge`)
	_, err = New(Inputs{Memory: size.MiB(63)})
	require.ErrorContains(t, err, "is 63Mi, must be 64Mi to 512Gi")
}

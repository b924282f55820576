// Package redistuning computes the settings of a Redis node from its memory. The same model gives
// the file redis.conf and the parameters of an ElastiCache parameter group. The package imports no SDK.
// It owns every setting and every access rule of the platform's Redis.
//
// The settings come from the design document: from its ConfigMap redis-config
// (section "Multi-Layer Caching Strategy") and its script redis-optimization.sh
// (section "Redis Cluster Optimization"). With the design document's memory
// limit of 4 GiB they are its numbers. With less memory the buffers are smaller. With more memory
// they stay the same.
package redistuning

import (
	"fmt"

	"github.com/progressive-framework/platform/components/size"
)

const (
	// Below minMemoryMiB, the server itself needs all of the memory. maxMemoryGiB is more than the
	// memory of the largest node type.
	minMemoryMiB = 64
	maxMemoryGiB = 512

	// reservedPercent is the percentage of the memory that is not for data, but for snapshots
	// (copy-on-write), replication and fragmentation. The design document reserves the same
	// percentage: its maxmemory is 3gb of 4 GiB. 25 is also ElastiCache's default.
	reservedPercent = 25
)

// Inputs are the numbers from which the settings are computed.
type Inputs struct {
	// Memory is the memory of the node, 64 MiB to 512 GiB: the limit of the
	// container, or the memory of the node type.
	Memory size.Size
}

// Model holds the settings of one node.
type Model struct{ settings []setting }

// New computes the settings. It returns an error if Memory is out of range.
func New(in Inputs) (*Model, error) {
	if in.Memory.Less(size.MiB(minMemoryMiB)) || size.GiB(maxMemoryGiB).Less(in.Memory) {
		return nil, fmt.Errorf("tuning: Memory of a Redis node is %s, must be %dMi to %dGi: with less memory, the server itself needs all of it",
			in.Memory, minMemoryMiB, maxMemoryGiB)
	}
	maxMemory := in.Memory.Mul(100 - reservedPercent).Div(100).Truncate(size.MiB(1))
	// Both buffers together are smaller than the reserved memory.
	replicaBuffer := size.Min(size.MiB(256), in.Memory.Div(16)).Truncate(size.MiB(1))
	pubsubBuffer := size.Min(size.MiB(32), in.Memory.Div(128)).Truncate(size.KiB(1))
	return &Model{settings: []setting{
		memorySetting("maxmemory", maxMemory).inClusterOnly(),
		textSetting("maxmemory-policy", "allkeys-lru"),
		integerSetting("reserved-memory-percent", reservedPercent).elastiCacheOnly(),
		enabledSetting("lazyfree-lazy-eviction"),
		enabledSetting("lazyfree-lazy-expire"),
		enabledSetting("lazyfree-lazy-server-del"),

		// ElastiCache uses replicas and snapshots instead of an append-only file.
		textSetting("save", "900 1 300 10 60 10000").inClusterOnly(),
		enabledSetting("appendonly").inClusterOnly(),
		textSetting("appendfsync", "everysec").inClusterOnly(),

		integerSetting("timeout", 0),
		integerSetting("tcp-keepalive", 300),
		integerSetting("tcp-backlog", 511).inClusterOnly(),

		enabledSetting("cluster-enabled"),
		textSetting("cluster-config-file", "nodes.conf").inClusterOnly(),
		integerSetting("cluster-node-timeout", 5000).inClusterOnly(),

		// Redis 7.0 renamed the design document's *-ziplist-* settings. The old names
		// still work as aliases.
		integerSetting("hash-max-listpack-entries", 512),
		integerSetting("hash-max-listpack-value", 64),
		integerSetting("list-max-listpack-size", -2).inClusterOnly(),
		integerSetting("list-compress-depth", 0),
		integerSetting("set-max-intset-entries", 512),
		integerSetting("zset-max-listpack-entries", 128),
		integerSetting("zset-max-listpack-value", 64),
		integerSetting("hll-sparse-max-bytes", 3000),

		outputBufferSetting("normal", size.Size{}, size.Size{}, 0),
		outputBufferSetting("replica", replicaBuffer, replicaBuffer.Div(4), 60).inClusterOnly(),
		outputBufferSetting("pubsub", pubsubBuffer, pubsubBuffer.Div(4), 60),

		textSetting("notify-keyspace-events", "Ex"),
		integerSetting("slowlog-log-slower-than", 10_000), // microseconds: 10 ms
		integerSetting("slowlog-max-len", 128),

		// These commands are disabled for every user.
		disabledCommandSetting("FLUSHDB"), disabledCommandSetting("FLUSHALL"), disabledCommandSetting("DEBUG"), disabledCommandSetting("SHUTDOWN"),
	}}, nil
}

// AccessRules are the permissions of clients, in the syntax of Redis ACLs and of
// ElastiCache's access strings. Clients may run every command except the
// dangerous ones, which can stop, empty or monitor a node. INFO is allowed.
const AccessRules = "on ~* &* +@all -@dangerous +info"

// probeRules are the permissions of the user probe, which has no password.
const probeRules = "on nopass resetkeys resetchannels -@all +ping"

// metricsRules are the permissions of the user metrics: the commands that the collector of
// agents/redisnode sends. The collector reads no key, no setting and no event.
const metricsRules = "on resetkeys resetchannels -@all +ping +info +slowlog|len +slowlog|get +cluster|info"

var (
	// LiveCommand is the liveness probe of the design document. It succeeds on any response,
	// even if the server requires a password or still loads its data.
	LiveCommand = []string{"redis-cli", "ping"}
	// ReadyCommand is the readiness probe. It succeeds only on the response PONG.
	ReadyCommand = []string{"redis-cli", "-e", "--no-auth-warning", "--user", "probe", "--pass", "none", "ping"}
)

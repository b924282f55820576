// Package redistuning turns the memory of a Redis node into its settings: one
// model, rendered as redis.conf and as an ElastiCache parameter group. It is
// pure and owns every number and every access rule of the platform's Redis.
//
// The settings are those of the design document, merged from its ConfigMap
// redis-config (section "Multi-Layer Caching Strategy") and its script
// redis-optimization.sh (section "Redis Cluster Optimization"). At the
// document's limit of 4 GiB a node they are the document's numbers; sizes
// shrink with the memory and do not grow beyond the document's.
package redistuning

import (
	"fmt"

	"github.com/progressive-framework/platform/components/size"
)

const (
	leastMemoryMiB = 64
	mostMemoryGiB  = 512

	// reservedPercent of a node is not for data: copy-on-write of snapshots,
	// replication, fragmentation. The document's maxmemory of 3gb in 4 GiB,
	// and ElastiCache's default.
	reservedPercent = 25
)

// Inputs are what the settings follow from.
type Inputs struct {
	// Memory is the node's: the container's limit, or the node type's. 64 MiB
	// to 512 GiB.
	Memory size.Size
}

// Model holds the settings of one node.
type Model struct{ settings []setting }

// New works the settings out.
func New(in Inputs) (*Model, error) {
	if in.Memory.Less(size.MiB(leastMemoryMiB)) || size.GiB(mostMemoryGiB).Less(in.Memory) {
		return nil, fmt.Errorf("tuning: memory of a Redis node is %s, must be %dMi to %dGi: below, the server's own memory leaves none for data",
			in.Memory, leastMemoryMiB, mostMemoryGiB)
	}
	data := in.Memory.Times(100 - reservedPercent).Over(100).Down(size.MiB(1))
	// Together the buffers stay below the reserve.
	replica := size.Min(size.MiB(256), in.Memory.Over(16)).Down(size.MiB(1))
	pubsub := size.Min(size.MiB(32), in.Memory.Over(128)).Down(size.KiB(1))
	return &Model{settings: []setting{
		memory("maxmemory", data).own(),
		word("maxmemory-policy", "allkeys-lru"),
		number("reserved-memory-percent", reservedPercent).managed(),
		yes("lazyfree-lazy-eviction"),
		yes("lazyfree-lazy-expire"),
		yes("lazyfree-lazy-server-del"),

		// ElastiCache keeps nodes by replicas and snapshots, not by AOF.
		word("save", "900 1 300 10 60 10000").own(),
		yes("appendonly").own(),
		word("appendfsync", "everysec").own(),

		number("timeout", 0),
		number("tcp-keepalive", 300),
		number("tcp-backlog", 511).own(),

		yes("cluster-enabled"),
		word("cluster-config-file", "nodes.conf").own(),
		number("cluster-node-timeout", 5000).own(),

		// The names since 7.0; the document's *-ziplist-* are their aliases.
		number("hash-max-listpack-entries", 512),
		number("hash-max-listpack-value", 64),
		number("list-max-listpack-size", -2).own(),
		number("list-compress-depth", 0),
		number("set-max-intset-entries", 512),
		number("zset-max-listpack-entries", 128),
		number("zset-max-listpack-value", 64),
		number("hll-sparse-max-bytes", 3000),

		buffers("normal", size.Size{}, size.Size{}, 0),
		buffers("replica", replica, replica.Over(4), 60).own(),
		buffers("pubsub", pubsub, pubsub.Over(4), 60),

		word("notify-keyspace-events", "Ex"),
		number("slowlog-log-slower-than", 10_000), // microseconds: 10 ms
		number("slowlog-max-len", 128),

		// For everyone, whatever the access rules say.
		gone("FLUSHDB"), gone("FLUSHALL"), gone("DEBUG"), gone("SHUTDOWN"),
	}}, nil
}

// AccessRules are what clients may do, in the language of Redis' ACLs and of
// ElastiCache's access strings: everything but what can stop, empty or spy on
// a node, and INFO.
const AccessRules = "on ~* &* +@all -@dangerous +info"

// probeRules are what a probe without a password may do.
const probeRules = "on nopass resetkeys resetchannels -@all +ping"

var (
	// LiveCommand is the document's probe: any answer is a sign of life, also
	// that of a server that asks for a password or loads its data.
	LiveCommand = []string{"redis-cli", "ping"}
	// ReadyCommand fails unless the answer is PONG.
	ReadyCommand = []string{"redis-cli", "-e", "--no-auth-warning", "--user", "probe", "--pass", "none", "ping"}
)

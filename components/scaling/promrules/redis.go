package promrules

import (
	"fmt"
	"slices"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
)

// RedisStatefulSet is the name of the StatefulSet of Redis.
const RedisStatefulSet = "redis-cluster"

// redisNodes is the design document's number of Redis nodes.
const redisNodes = 6

// redisAlerts returns the alerts about the values that the design document's Redis monitor prints:
// the memory, its fragmentation, and the slow log.
func redisAlerts(in Input) []alert {
	if !slices.Contains(in.Stores, RedisStatefulSet) {
		return nil
	}
	seriesExpr := func(name string) string { return fmt.Sprintf("redis_%s{job=%q}", name, StoresJob) }
	return []alert{{
		name: "RedisNodesDown", severity: Ticket, service: RedisStatefulSet,
		value: fmt.Sprintf("(sum(%s) or vector(0))", seriesExpr("up")), compare: "<", limit: redisNodes, forDuration: 5 * time.Minute,
		summary: fmt.Sprintf("fewer than %d nodes answer; a shard that has no replica loses its keys if its primary fails", redisNodes),
	}, {
		name: "RedisFragmented", severity: Ticket, service: RedisStatefulSet,
		value: fmt.Sprintf("max(%s)", seriesExpr("mem_fragmentation_ratio")), compare: ">", limit: scaling.MaxFragmentation, forDuration: sustained,
		// An almost empty node has a high ratio without a problem, so the node must be half full.
		condition: fmt.Sprintf("on () max(%s / %s) > 0.5", seriesExpr("memory_used_bytes"), seriesExpr("memory_max_bytes")),
		summary:   fmt.Sprintf("a node uses more than %v times the memory of its data", scaling.MaxFragmentation),
	}, {
		name: "RedisSlow", severity: Ticket, service: RedisStatefulSet,
		value: fmt.Sprintf("max(delta(%s[15m]))", seriesExpr("slowlog_last_id")), compare: ">", limit: scaling.MaxSlowCommands,
		summary: fmt.Sprintf("a node had more than %d slow commands in 15 minutes", scaling.MaxSlowCommands),
	}}
}

package diagnose

import (
	"fmt"

	"github.com/progressive-framework/platform/components/scaling"
)

const (
	// maxEvicted is the highest number of keys that all nodes together may evict in the window.
	maxEvicted = 100
	// slotCount is the number of slots of a Redis cluster (Redis' cluster specification).
	slotCount = 16384
)

// redisFindings judges all Redis nodes in the cluster, although the script of the design document
// reads node 0 only.
func redisFindings(o objects, m metrics) (findings []Finding, figures []Figure) {
	next := o.kubectlCommand("get pods -l app=" + redisApp + " -o wide")
	for _, s := range o.statefulSets {
		if desiredNodes := replicasOrDefault(s.Spec.Replicas); s.Name == redisApp && s.Status.ReadyReplicas < desiredNodes {
			findings = append(findings, Finding{
				Name: "redis-node-down", Where: "statefulset/" + s.Name, Evidence: fmt.Sprintf("%d of %d nodes are ready", s.Status.ReadyReplicas, desiredNodes), Threshold: fmt.Sprintf("%d nodes", desiredNodes),
				Cause: "a node has ended or does not join the cluster; a replica of its shard serves the requests", Fix: "docs/runbooks/alerts.md#redisnodesdown", Next: next,
			})
		}
	}
	var hits, misses, evicted, used, maxMemory float64
	nodes := m.podsOfApp(redisApp)
	allRecent := len(nodes) > 0
	for _, p := range nodes {
		hits, misses = hits+p.sum("redis_keyspace_hits_total", nil), misses+p.sum("redis_keyspace_misses_total", nil)
		evicted, used, maxMemory = evicted+p.sum("redis_evicted_keys_total", nil), used+p.sum("redis_memory_used_bytes", nil), maxMemory+p.sum("redis_memory_max_bytes", nil)
		allRecent = allRecent && p.recent
		findings = append(findings, o.redisNodeFindings(p)...)
	}
	if len(nodes) == 0 {
		return findings, nil
	}
	figures = append(figures, Figure{Database, "Redis, all nodes", fmt.Sprintf("%d nodes, hit rate %.0f %% of %.0f reads %s, %.0f keys evicted, %.0f of %.0f MiB used",
		len(nodes), 100*hits/max(hits+misses, 1), hits+misses, nodes[0].period(), evicted, used/(1<<20), maxMemory/(1<<20))})
	if allRecent && evicted > maxEvicted {
		findings = append(findings, Finding{
			Name: "redis-evicting", Where: "statefulset/" + redisApp, Evidence: fmt.Sprintf("%.0f keys were evicted %s; %.0f of %.0f MiB are used", evicted, nodes[0].period(), used/(1<<20), maxMemory/(1<<20)),
			Threshold: fmt.Sprintf("%d keys", maxEvicted), Cause: "the working set does not fit into Redis' memory", Fix: "raise redis.memoryMiB, or use a larger instance class", Next: "pf watch redis",
		})
	}
	return findings, figures
}

// redisNodeFindings judges one node: its shard, its replication, its slow commands and its memory.
func (o objects) redisNodeFindings(p podMetrics) (findings []Finding) {
	where, next := "pod/"+p.pod, o.kubectlCommand("get pods -l app="+redisApp+" -o wide")
	if state, exists := p.value("redis_cluster_state"); exists && state == 0 {
		served, _ := p.value("redis_cluster_slots_ok")
		findings = append(findings, Finding{
			Name: "redis-primary-lost", Where: where, Evidence: fmt.Sprintf("the node sees %.0f of %d slots served, and serves none itself", served, slotCount), Threshold: fmt.Sprintf("%d slots", slotCount),
			Cause: "a shard has lost its primary, and no replica has taken over", Fix: "wait a few seconds for the failover; if it does not happen, restart the pods of the shard: docs/faults.md", Next: next,
		})
	}
	if up, exists := p.value("redis_master_link_up"); exists && up == 0 {
		findings = append(findings, Finding{
			Name: "redis-replica-behind", Where: where, Evidence: "the replica is not connected to its primary", Threshold: "connected",
			Cause: "its primary is down, or the replica is copying all data", Fix: "if it lasts for minutes, restart the replica", Next: o.kubectlCommand("logs --since=10m " + p.pod),
		})
	}
	if slow, exists := p.value("redis_slowlog_last_id"); exists && p.recent && slow > scaling.MaxSlowCommands {
		last, _ := p.value("redis_last_slow_execution_duration_seconds")
		findings = append(findings, Finding{
			Name: "redis-slow-commands", Where: where, Evidence: fmt.Sprintf("%.0f slow commands %s, the last of %s", slow, p.period(), formatMilliseconds(last)), Threshold: fmt.Sprintf("%d", scaling.MaxSlowCommands),
			Cause: "commands over many keys, or too little CPU", Fix: "docs/runbooks/alerts.md#redisslow", Next: o.kubectlCommand("exec " + p.pod + " -c redis -- redis-cli SLOWLOG GET 5"),
		})
	}
	ratio, _ := p.value("redis_mem_fragmentation_ratio")
	if memory := p.sum("redis_memory_max_bytes", nil); ratio > scaling.MaxFragmentation && p.sum("redis_memory_used_bytes", nil) > memory/2 && memory > 0 {
		findings = append(findings, Finding{
			Name: "redis-fragmented", Where: where, Evidence: fmt.Sprintf("its memory is %.2f times its data", ratio), Threshold: fmt.Sprint(scaling.MaxFragmentation),
			Cause: "values that change their size leave gaps in Redis' memory", Fix: "docs/runbooks/alerts.md#redisfragmented", Next: "pf watch redis",
		})
	}
	return findings
}

// poolLimit returns the share of max_connections that the services may use.
func poolLimit() scaling.Percent { return scaling.DesignThresholds().Database.ConnectionPool }

// replicasOrDefault returns the number of pods of a spec. For nil it returns the default of
// Kubernetes, 1.
func replicasOrDefault(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

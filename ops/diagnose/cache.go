package diagnose

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/progressive-framework/platform/components/scaling"
)

const (
	// minReads is the fewest reads for which a hit rate is judged.
	minReads = 1000
	// minHitRate is the lowest hit rate in percent. The design document prints the rate without a
	// threshold. Below 50 %, most reads cost a request to Redis and the work as well.
	minHitRate = 50
	// maxCacheErrors is the highest share, in percent, of failed commands.
	maxCacheErrors = 1
)

// cacheNamespace identifies the values of one strategy in one tier of the services' cache.
type cacheNamespace struct{ strategy, tier string }

// cacheFindings judges each strategy and tier of the cache, summed over all pods of the services.
func cacheFindings(o objects, m metrics) (findings []Finding, figures []Figure) {
	type counts struct{ hits, misses, errors float64 }
	namespaces := map[cacheNamespace]counts{}
	period := ""
	for _, service := range scaling.Services() {
		for _, pod := range m.podsOfApp(service.Name) {
			period = pod.period()
			for _, sample := range pod.samples {
				namespace := cacheNamespace{sample.labels["strategy"], sample.labels["tier"]}
				count := namespaces[namespace]
				switch sample.name {
				case "application_cache_hits_total":
					count.hits += sample.value
				case "application_cache_misses_total":
					count.misses += sample.value
				case "application_cache_errors_total":
					count.errors += sample.value
				default:
					continue
				}
				namespaces[namespace] = count
			}
		}
	}
	for _, namespace := range slices.SortedFunc(maps.Keys(namespaces), func(a, b cacheNamespace) int {
		return cmp.Or(cmp.Compare(a.strategy, b.strategy), cmp.Compare(a.tier, b.tier))
	}) {
		count := namespaces[namespace]
		reads, where := count.hits+count.misses, namespace.strategy+" in "+namespace.tier
		if reads+count.errors == 0 {
			continue
		}
		rate := 100 * count.hits / max(reads, 1)
		figures = append(figures, Figure{Cache, where, fmt.Sprintf("%.0f %% of %.0f reads %s found a value, %.0f commands failed", rate, reads, period, count.errors)})
		// A service reads Redis only if its local tier does not have the value. If the local tier
		// serves most reads, the other reads often find no value in Redis. The local tier is small,
		// so it may often have no value. So cache-cold compares the hits of both tiers with all
		// reads.
		local := namespaces[cacheNamespace{namespace.strategy, "local"}].hits
		allReads := local + reads
		allRate := 100 * (local + count.hits) / max(allReads, 1)
		if namespace.tier == "redis" && reads >= minReads && allRate < minHitRate {
			findings = append(findings, Finding{
				Check: Cache, Name: "cache-cold", Where: where, Evidence: fmt.Sprintf("%.0f %% of %.0f reads %s found a value", allRate, allReads, period), Threshold: fmt.Sprintf("%d %%", minHitRate),
				Cause: "Redis was emptied or evicts keys, or the same requests do not come again", Fix: "after a restart of Redis, wait; otherwise raise redis.memoryMiB or use a larger instance class", Next: "pf watch redis",
			})
		}
		if share := 100 * count.errors / (reads + count.errors); reads+count.errors >= minReads && share > maxCacheErrors {
			findings = append(findings, Finding{
				Check: Cache, Name: "cache-failing", Where: where, Evidence: fmt.Sprintf("%.1f %% of %.0f commands %s failed", share, reads+count.errors, period), Threshold: fmt.Sprintf("%d %%", maxCacheErrors),
				Cause: "a Redis node is down or slow, so the circuit breaker of the cache is open", Fix: "wait for the failover to the replica; docs/faults.md has the steps", Next: o.kubectlCommand("get pods -l app=redis-cluster"),
			})
		}
	}
	return findings, figures
}

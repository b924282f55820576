package diagnose

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/progressive-framework/platform/components/scaling"
)

const (
	// minReads is the least number of reads that a hit rate is computed of.
	minReads = 1000
	// minHitRate is the hit rate in percent under which a cache does little. The
	// document shows the rate and has no threshold; below it, most reads cost a
	// trip to Redis and the work.
	minHitRate = 50
	// maxCacheErrors is the share in percent of failed commands.
	maxCacheErrors = 1
)

// space is a strategy and a tier of the services' cache.
type space struct{ strategy, tier string }

// cacheFindings are those of each strategy and tier, summed over the services' pods.
func cacheFindings(o objects, m metrics) (list []Finding, figures []Figure) {
	type counts struct{ hits, misses, errors float64 }
	spaces := map[space]counts{}
	since := ""
	for _, service := range scaling.Services() {
		for _, p := range m.withApp(service.Name) {
			since = p.since()
			for _, s := range p.samples {
				k := space{s.labels["strategy"], s.labels["tier"]}
				c := spaces[k]
				switch s.name {
				case "application_cache_hits_total":
					c.hits += s.value
				case "application_cache_misses_total":
					c.misses += s.value
				case "application_cache_errors_total":
					c.errors += s.value
				default:
					continue
				}
				spaces[k] = c
			}
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(spaces), func(a, b space) int { return cmp.Or(cmp.Compare(a.strategy, b.strategy), cmp.Compare(a.tier, b.tier)) }) {
		c := spaces[k]
		reads, where := c.hits+c.misses, k.strategy+" in "+k.tier
		if reads+c.errors == 0 {
			continue
		}
		rate := 100 * c.hits / max(reads, 1)
		figures = append(figures, Figure{Cache, where, fmt.Sprintf("%.0f %% of %.0f reads %s found a value, %.0f commands failed", rate, reads, since, c.errors)})
		// The local tier is small: what it misses, Redis has.
		if k.tier == "redis" && reads >= minReads && rate < minHitRate {
			list = append(list, Finding{
				Check: Cache, Name: "cache-cold", Where: where, Evidence: fmt.Sprintf("%.0f %% of %.0f reads %s found a value", rate, reads, since), Threshold: fmt.Sprintf("%d %%", minHitRate),
				Cause: "Redis was emptied or evicts, or the requests do not repeat", Fix: "wait after a restart; else raise redis.memoryMiB or the instance class", Next: "pf watch redis",
			})
		}
		if share := 100 * c.errors / (reads + c.errors); reads+c.errors >= minReads && share > maxCacheErrors {
			list = append(list, Finding{
				Check: Cache, Name: "cache-failing", Where: where, Evidence: fmt.Sprintf("%.1f %% of %.0f commands %s failed", share, reads+c.errors, since), Threshold: fmt.Sprintf("%d %%", maxCacheErrors),
				Cause: "a Redis node is down or slow, so that the breaker of the cache is open", Fix: "docs/faults.md; a lost primary is replaced by its replica", Next: o.kubectl("get pods -l app=redis-cluster"),
			})
		}
	}
	return list, figures
}

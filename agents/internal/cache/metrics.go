package cache

import (
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Values of the label "tier".
const (
	tierLocal = "local"
	tierRedis = "redis"
)

// The names of hits and misses are from the design document (dashboard panel "Cache
// Performance"). The design document has no metric of errors.
var (
	labels     = []string{"strategy", "tier"}
	hitsDesc   = prometheus.NewDesc("application_cache_hits_total", "Reads that found a value in the tier.", labels, nil)
	missesDesc = prometheus.NewDesc("application_cache_misses_total", "Reads that found no value in the tier.", labels, nil)
	errorsDesc = prometheus.NewDesc("application_cache_errors_total", "Commands that failed, were rejected by the open breaker, or returned invalid data.", labels, nil)
)

// stripeCount is the number of stripes of a counter. Cores write different
// stripes, because a contended atomic costs more than a local hit.
const stripeCount = 16

// counter is a counter in several stripes. Its value is the sum of the stripes.
type counter [stripeCount]struct {
	_ [stripeSize - 8]byte // padding, so that stripes do not share a cache line
	n atomic.Uint64        // 8 bytes
}

// stripeSize is the size of a stripe in bytes: two cache lines of 64 bytes, because
// processors fetch two neighbouring lines together.
const stripeSize = 128

// increment adds one to the counter.
func (c *counter) increment() {
	s := stripePool.Get().(*stripe)
	c[*s%stripeCount].n.Add(1)
	stripePool.Put(s)
}

// stripePool usually returns the stripe that the current core used last, because a
// sync.Pool caches items by core. A random stripe would often be in the cache of
// another core.
var (
	stripePool = sync.Pool{New: func() any { s := stripe(nextStripe.Add(1)); return &s }}
	nextStripe atomic.Uint32
)

// stripe is the index of a stripe. It is used modulo stripeCount.
type stripe uint32

// total returns the sum of all stripes.
func (c *counter) total() (sum uint64) {
	for i := range c {
		sum += c[i].n.Load()
	}
	return sum
}

// counters counts the hits, misses and errors of one Namespace.
type counters struct {
	localHits, localMisses, redisHits, redisMisses, redisErrors counter
}

// counts are the values of counters at one time.
type counts struct{ localHits, localMisses, redisHits, redisMisses, redisErrors uint64 }

// read returns the current values of all five counters.
func (c *counters) read() counts {
	return counts{c.localHits.total(), c.localMisses.total(), c.redisHits.total(), c.redisMisses.total(), c.redisErrors.total()}
}

// Describe implements prometheus.Collector.
func (c *Cache) Describe(out chan<- *prometheus.Desc) {
	out <- hitsDesc
	out <- missesDesc
	out <- errorsDesc
}

// Collect implements prometheus.Collector. Every strategy in use has its series
// from the start, because rate() needs a first sample.
func (c *Cache) Collect(out chan<- prometheus.Metric) {
	type strategyCounts struct {
		counts
		local bool // whether the strategy has a local tier
	}
	sums := map[string]strategyCounts{} // by the name of the strategy
	for _, n := range *c.namespaces.Load() {
		counted, strategy := n.readCounts(), n.strategy()
		total := sums[strategy.Name]
		total.local = strategy.Local
		total.localHits += counted.localHits
		total.localMisses += counted.localMisses
		total.redisHits += counted.redisHits
		total.redisMisses += counted.redisMisses
		total.redisErrors += counted.redisErrors
		sums[strategy.Name] = total
	}
	sendCounter := func(desc *prometheus.Desc, value uint64, strategy, tier string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value), strategy, tier)
	}
	for strategy, total := range sums {
		if total.local {
			sendCounter(hitsDesc, total.localHits, strategy, tierLocal)
			sendCounter(missesDesc, total.localMisses, strategy, tierLocal)
		}
		sendCounter(hitsDesc, total.redisHits, strategy, tierRedis)
		sendCounter(missesDesc, total.redisMisses, strategy, tierRedis)
		sendCounter(errorsDesc, total.redisErrors, strategy, tierRedis)
	}
}

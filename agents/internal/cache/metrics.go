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

// The names of hits and misses are from the design document (dashboard panel
// "Cache Performance"). The errors are an addition.
var (
	labels     = []string{"strategy", "tier"}
	hitsDesc   = prometheus.NewDesc("application_cache_hits_total", "Reads that found a value in the tier.", labels, nil)
	missesDesc = prometheus.NewDesc("application_cache_misses_total", "Reads that found no value in the tier.", labels, nil)
	errorsDesc = prometheus.NewDesc("application_cache_errors_total", "Commands that failed, were rejected by the open breaker, or returned invalid data.", labels, nil)
)

// stripeCount is the number of stripes of a counter. Cores write different
// stripes, because a contended atomic costs more than a local hit.
const stripeCount = 16

type counter [stripeCount]struct {
	_ [cacheLines - 8]byte // padding, so that stripes do not share a cache line
	n atomic.Uint64
}

// cacheLines is two cache lines of 64 bytes, which processors fetch together.
const cacheLines = 128

func (c *counter) add() {
	s := stripePool.Get().(*stripe)
	c[*s%stripeCount].n.Add(1)
	stripePool.Put(s)
}

// stripePool returns the stripe of the current core, because a sync.Pool caches items
// by core. With a random stripe, another core would often have written the stripe last.
var (
	stripePool = sync.Pool{New: func() any { s := stripe(nextStripe.Add(1)); return &s }}
	nextStripe atomic.Uint32
)

type stripe uint32

func (c *counter) total() (sum uint64) {
	for i := range c {
		sum += c[i].n.Load()
	}
	return sum
}

// meters are the counters of one Namespace.
type meters struct {
	localHits, localMisses, redisHits, redisMisses, redisErrors counter
}

type counts struct{ localHits, localMisses, redisHits, redisMisses, redisErrors uint64 }

func (m *meters) read() counts {
	return counts{m.localHits.total(), m.localMisses.total(), m.redisHits.total(), m.redisMisses.total(), m.redisErrors.total()}
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
	type sum struct {
		counts
		local bool
	}
	sums := map[string]sum{}
	for _, s := range *c.namespaces.Load() {
		n, strategy := s.count(), s.strategy()
		t := sums[strategy.Name]
		t.local = strategy.Local
		t.localHits += n.localHits
		t.localMisses += n.localMisses
		t.redisHits += n.redisHits
		t.redisMisses += n.redisMisses
		t.redisErrors += n.redisErrors
		sums[strategy.Name] = t
	}
	send := func(desc *prometheus.Desc, value uint64, strategy, tier string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value), strategy, tier)
	}
	for name, t := range sums {
		if t.local {
			send(hitsDesc, t.localHits, name, tierLocal)
			send(missesDesc, t.localMisses, name, tierLocal)
		}
		send(hitsDesc, t.redisHits, name, tierRedis)
		send(missesDesc, t.redisMisses, name, tierRedis)
		send(errorsDesc, t.redisErrors, name, tierRedis)
	}
}

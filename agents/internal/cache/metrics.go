package cache

import (
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// The labels' values of a tier.
const (
	tierLocal = "local"
	tierRedis = "redis"
)

// The metrics' names are the seed's (its dashboard's panel "Cache
// Performance"), with a third for errors.
var (
	labels     = []string{"strategy", "tier"}
	hitsDesc   = prometheus.NewDesc("application_cache_hits_total", "Reads that a tier answered.", labels, nil)
	missesDesc = prometheus.NewDesc("application_cache_misses_total", "Reads that a tier did not answer.", labels, nil)
	errorsDesc = prometheus.NewDesc("application_cache_errors_total", "Commands that failed, were not tried while the breaker was open, or answered nonsense.", labels, nil)
)

// stripes keep the cores from writing one cache line: a local hit costs less
// than a contended atomic.
const stripes = 16

type counter [stripes]struct {
	_ [line - 8]byte // before, so that what precedes a counter is not written with it
	n atomic.Uint64
}

// line is two cache lines of 64 bytes, which processors fetch together.
const line = 128

func (c *counter) add() {
	s := homes.Get().(*stripe)
	c[*s%stripes].n.Add(1)
	homes.Put(s)
}

// homes gives a goroutine the stripe of the core that it runs on, because a
// sync.Pool keeps what was put for that core. A stripe taken at random would as
// often as not have been written last by another core.
var (
	homes = sync.Pool{New: func() any { s := stripe(made.Add(1)); return &s }}
	made  atomic.Uint32
)

type stripe uint32

func (c *counter) total() (sum uint64) {
	for i := range c {
		sum += c[i].n.Load()
	}
	return sum
}

// meters are the counters of one Space.
type meters struct {
	localHits, localMisses, redisHits, redisMisses, redisErrors counter
}

type counts struct{ localHits, localMisses, redisHits, redisMisses, redisErrors uint64 }

func (m *meters) read() counts {
	return counts{m.localHits.total(), m.localMisses.total(), m.redisHits.total(), m.redisMisses.total(), m.redisErrors.total()}
}

// Describe is prometheus.Collector's.
func (c *Cache) Describe(out chan<- *prometheus.Desc) {
	out <- hitsDesc
	out <- missesDesc
	out <- errorsDesc
}

// Collect is prometheus.Collector's. Every strategy in use has its series from
// the start, so that a rate has a first point.
func (c *Cache) Collect(out chan<- prometheus.Metric) {
	type sum struct {
		counts
		local bool
	}
	sums := map[string]sum{}
	for _, s := range *c.spaces.Load() {
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

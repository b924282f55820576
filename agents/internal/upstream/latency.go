package upstream

import (
	"slices"
	"sync"
	"time"
)

const (
	// sample is the number of latest answers of which the percentile is taken.
	sample = 128
	// warm is the number of answers before which there is no percentile.
	warm = 20
	// sortEvery is after how many answers the percentile is computed again;
	// sorting at each would cost more than it gains.
	sortEvery = 16
)

// latency keeps the p95 of an upstream's latest good answers.
type latency struct {
	mu     sync.Mutex
	ring   [sample]time.Duration
	seen   int
	p95    time.Duration
	sorted int // value of seen at the last sort
}

func (l *latency) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring[l.seen%sample] = d
	l.seen++
	if l.seen >= warm && (l.p95 == 0 || l.seen-l.sorted >= sortEvery) {
		held := slices.Sorted(slices.Values(l.ring[:min(l.seen, sample)]))
		l.p95, l.sorted = held[len(held)*95/100], l.seen
	}
}

// percentile95 is zero until there are warm answers.
func (l *latency) percentile95() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.p95
}

// budget allows a second try for one request in ten: each request earns a tenth
// of one, and at most burst are saved.
type budget struct {
	mu     sync.Mutex
	tenths int
}

const burst = 10

func (b *budget) earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tenths = min(b.tenths+1, 10*burst)
}

func (b *budget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tenths < 10 {
		return false
	}
	b.tenths -= 10
	return true
}

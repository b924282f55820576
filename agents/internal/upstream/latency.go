package upstream

import (
	"slices"
	"sync"
	"time"
)

const (
	// recentCount is the number of responses from which the percentile is computed.
	recentCount = 128
	// minSamples is the number of responses before the first percentile.
	minSamples = 20
	// sortEvery is the number of responses between two computations of the
	// percentile. Sorting after each response would cost more than it gains.
	sortEvery = 16
)

// latency computes the p95 of an upstream's recent good responses.
type latency struct {
	mu    sync.Mutex
	ring  [recentCount]time.Duration
	count int // the number of all responses so far
	p95   time.Duration
	// countAtSort is the value of count at the last computation of the percentile.
	countAtSort int
}

// add adds the duration of a good response.
func (l *latency) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring[l.count%recentCount] = d
	l.count++
	isSortDue := l.p95 == 0 || l.count-l.countAtSort >= sortEvery
	if l.count >= minSamples && isSortDue {
		durations := slices.Sorted(slices.Values(l.ring[:min(l.count, recentCount)]))
		l.p95, l.countAtSort = durations[len(durations)*95/100], l.count
	}
}

// percentile95 returns the p95. It is zero before minSamples responses.
func (l *latency) percentile95() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.p95
}

// budget allows a second attempt for one request in ten. Each request adds a tenth of an
// attempt to the budget.
type budget struct {
	mu     sync.Mutex
	tenths int // the available second attempts, in tenths of an attempt
}

// maxBudget is the maximum budget, in attempts.
const maxBudget = 10

// earn adds a tenth of an attempt, for one request.
func (b *budget) earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tenths = min(b.tenths+1, 10*maxBudget)
}

// spend takes one attempt from the budget. It returns false if the budget is less than one attempt.
func (b *budget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tenths < 10 {
		return false
	}
	b.tenths -= 10
	return true
}

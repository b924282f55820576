package load

import (
	"slices"
	"sync"
	"time"
)

// InterAgentLatencies collects how long the agents take to respond to mca. It reads these durations
// from the responses of mca. A cached response repeats an earlier coordination, so each ID counts
// once. InterAgentLatencies is safe for concurrent use.
type InterAgentLatencies struct {
	mu        sync.Mutex
	seen      map[string]bool
	latencies []time.Duration
}

// Instrument returns a copy of the request Coordinate. The Check of the copy also collects the
// durations.
func (l *InterAgentLatencies) Instrument(r Request) Request {
	check := r.Check
	r.Check = func(user string, body []byte) error {
		if err := check(user, body); err != nil {
			return err
		}
		return decodeAndCheck(body, func(c coordination) error {
			l.add(c)
			return nil
		})
	}
	return r
}

// add adds the durations of a coordination. A coordination from the cache was added before and does
// not count.
func (l *InterAgentLatencies) add(c coordination) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen[c.ID] {
		return
	}
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	l.seen[c.ID] = true
	for _, agent := range c.Agents {
		l.latencies = append(l.latencies, time.Duration(agent.DurationMS)*time.Millisecond)
	}
}

// Result returns the collected durations. elapsed is the time in which they were collected.
func (l *InterAgentLatencies) Result(elapsed time.Duration) Result {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Result{Latencies: slices.Sorted(slices.Values(l.latencies)), Elapsed: elapsed}
}

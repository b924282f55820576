package load

import (
	"slices"
	"sync"
	"time"
)

// InterAgent collects how long the agents take to respond to mca. It reads these durations from the
// responses of mca. A cached response repeats an earlier coordination, so each ID counts once.
// InterAgent is safe for concurrent use.
type InterAgent struct {
	mu        sync.Mutex
	seen      map[string]bool
	latencies []time.Duration
}

// Instrument returns a copy of the request Coordinate. The Check of the copy also collects the
// durations.
func (i *InterAgent) Instrument(r Request) Request {
	check := r.Check
	r.Check = func(user string, body []byte) error {
		if err := check(user, body); err != nil {
			return err
		}
		return decodeAndCheck(body, func(c coordination) error {
			i.add(c)
			return nil
		})
	}
	return r
}

// add adds the durations of a coordination. A coordination from the cache was added before and does
// not count.
func (i *InterAgent) add(c coordination) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.seen[c.ID] {
		return
	}
	if i.seen == nil {
		i.seen = map[string]bool{}
	}
	i.seen[c.ID] = true
	for _, agent := range c.Agents {
		i.latencies = append(i.latencies, time.Duration(agent.DurationMS)*time.Millisecond)
	}
}

// Result returns the collected durations. elapsed is the time in which they were collected.
func (i *InterAgent) Result(elapsed time.Duration) Result {
	i.mu.Lock()
	defer i.mu.Unlock()
	return Result{Latencies: slices.Sorted(slices.Values(i.latencies)), Elapsed: elapsed}
}

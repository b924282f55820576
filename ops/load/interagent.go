package load

import (
	"slices"
	"sync"
	"time"
)

// InterAgent collects the durations of the agents' responses to mca, in milliseconds, from the
// reports of coordinations. A cached coordination repeats its report, so each id counts once. It is
// safe for concurrent use.
type InterAgent struct {
	mu        sync.Mutex
	seen      map[string]bool
	latencies []time.Duration
}

// Watch returns the request Coordinate with a Check that also collects the durations.
func (i *InterAgent) Watch(r Request) Request {
	check := r.Check
	r.Check = func(user string, body []byte) error {
		if err := check(user, body); err != nil {
			return err
		}
		return decode(body, func(c coordination) error {
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

// Result returns the durations that were collected in the elapsed time.
func (i *InterAgent) Result(elapsed time.Duration) Result {
	i.mu.Lock()
	defer i.mu.Unlock()
	return Result{Latencies: slices.Sorted(slices.Values(i.latencies)), Elapsed: elapsed}
}

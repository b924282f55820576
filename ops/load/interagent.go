package load

import (
	"slices"
	"sync"
	"time"
)

// InterAgent collects how long the agents took to answer mca, as coordinations
// report it in whole milliseconds. A coordination from the cache repeats its
// report, so each is collected once, by its id. It is safe for use by several
// goroutines.
type InterAgent struct {
	mu        sync.Mutex
	seen      map[string]bool
	latencies []time.Duration
}

// Watch returns the Coordinate request r with a Check that also collects.
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

// Result is what was collected in that time.
func (i *InterAgent) Result(elapsed time.Duration) Result {
	i.mu.Lock()
	defer i.mu.Unlock()
	return Result{Latencies: slices.Sorted(slices.Values(i.latencies)), Elapsed: elapsed}
}

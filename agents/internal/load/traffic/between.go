package traffic

import (
	"slices"
	"sync"
	"time"

	"github.com/progressive-framework/platform/agents/internal/load"
)

// Between collects how long the agents took to answer mca, as coordinations
// report it in whole milliseconds; of each coordination once, as one from the
// cache says it again. It is safe for use by several goroutines.
type Between struct {
	mu   sync.Mutex
	seen map[string]bool
	took []time.Duration
}

// Watch returns the request with a Check that collects as well.
func (b *Between) Watch(r Request) Request {
	check := r.Check
	r.Check = func(user string, body []byte) error {
		if err := check(user, body); err != nil {
			return err
		}
		return decoded(body, func(a coordination) error {
			b.add(a)
			return nil
		})
	}
	return r
}

func (b *Between) add(a coordination) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen[a.ID] {
		return
	}
	if b.seen == nil {
		b.seen = map[string]bool{}
	}
	b.seen[a.ID] = true
	for _, agent := range a.Agents {
		b.took = append(b.took, time.Duration(agent.DurationMS)*time.Millisecond)
	}
}

// Result is what was collected in that time.
func (b *Between) Result(over time.Duration) load.Result {
	b.mu.Lock()
	defer b.mu.Unlock()
	return load.Result{Took: slices.Sorted(slices.Values(b.took)), Over: over}
}

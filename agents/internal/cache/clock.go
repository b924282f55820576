package cache

import (
	"context"
	"sync/atomic"
	"time"
)

// clock counts the time since its start, in steps of tick. The local tier uses it,
// because a call of time.Now would take as long as the rest of a hit.
type clock struct{ nanos atomic.Int64 }

// tick is the time between two updates of the clock. So the local tier may keep a value for
// one tick longer than its TTL. The shortest TTL is 600 ticks.
const tick = 100 * time.Millisecond

// run updates the clock until ctx ends.
func (c *clock) run(ctx context.Context) {
	start := time.Now()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			c.nanos.Store(int64(now.Sub(start)))
		}
	}
}

// now returns the time since the start of the clock.
func (c *clock) now() time.Duration { return time.Duration(c.nanos.Load()) }

package cache

import (
	"context"
	"sync/atomic"
	"time"
)

// clock counts the time since its start for the local tier. time.Now would take
// as long as the rest of a hit, so one goroutine calls it for all.
type clock struct{ nanos atomic.Int64 }

// tick is the largest delay of the clock. So the local tier may keep a value
// this much longer than its TTL; the shortest TTL is 600 times as long.
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

func (c *clock) now() time.Duration { return time.Duration(c.nanos.Load()) }

package cache

import (
	"context"
	"sync/atomic"
	"time"
)

// clock tells the local tiers how long it has run. To read the machine's clock
// would take as long as the rest of a hit, so one goroutine does it for all.
type clock struct{ nanos atomic.Int64 }

// tick is how late the clock may be, and so how long the local tier may keep a
// value beyond its TTL; the shortest TTL is 600 times as long.
const tick = 100 * time.Millisecond

// run moves the clock until ctx ends.
func (c *clock) run(ctx context.Context) {
	began := time.Now()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			c.nanos.Store(int64(now.Sub(began)))
		}
	}
}

func (c *clock) now() time.Duration { return time.Duration(c.nanos.Load()) }

package provider

import (
	"context"
	"time"
)

// parentCheck is the interval of the check that the engine still runs. A killed engine
// can't stop its plugins, and the SDK's own check takes five minutes.
const parentCheck = time.Second

// untilOrphaned returns a context that ends with ctx, or when the process gets another
// parent because its parent died. parent returns the id of the current parent.
func untilOrphaned(ctx context.Context, parent func() int, interval time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	first := parent()
	go func() {
		defer cancel()
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for parent() == first {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return ctx, cancel
}

package provider

import (
	"context"
	"time"
)

// parentCheck is how often the plugin checks that its engine still runs. A killed
// engine can't stop its plugins, and the SDK's own check takes five minutes.
const parentCheck = time.Second

// untilOrphaned returns a context that ends with ctx, or when the process gets
// another parent because its parent died.
func untilOrphaned(ctx context.Context, parent func() int, every time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	first := parent()
	go func() {
		defer cancel()
		tick := time.NewTicker(every)
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

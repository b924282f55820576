package provider

import (
	"context"
	"time"
)

// parentCheck is how often the plugin looks whether its engine still lives. An
// engine that is killed cannot stop its plugins, and the SDK's own check
// notices it only after five minutes.
const parentCheck = time.Second

// untilOrphaned returns a context that ends when ctx does, or when the process
// gets another parent because the one that started it has died.
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

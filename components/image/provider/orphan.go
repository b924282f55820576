package provider

import (
	"context"
	"time"
)

// parentCheckInterval is the interval of the check that the engine still runs. A killed engine
// can't stop its plugins, and the SDK's own check takes five minutes.
const parentCheckInterval = time.Second

// cancelWhenOrphaned returns a context that ends with ctx, or when the process gets another
// parent because its parent died. parentID returns the process id of the current parent.
func cancelWhenOrphaned(ctx context.Context, parentID func() int, interval time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	initialID := parentID()
	go func() {
		defer cancel()
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for parentID() == initialID {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}()
	return ctx, cancel
}

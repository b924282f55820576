package load

import (
	"context"
	"sync"
	"time"
)

// Stream is one kind of request at its own pace.
type Stream struct {
	Name string
	// Limit is what the p95 is held against; zero where there is none.
	Limit time.Duration
	Shape Shape
	Send  func(ctx context.Context, n int) error
}

// RunAll runs the streams at once and returns their results in their order.
func RunAll(ctx context.Context, streams []Stream) []Result {
	results := make([]Result, len(streams))
	var all sync.WaitGroup
	for i, s := range streams {
		all.Go(func() { results[i] = Run(ctx, s.Shape, s.Send) })
	}
	all.Wait()
	return results
}

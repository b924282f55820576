package database

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// depth is how many items may wait, and how many are done together at most;
	// more are dropped.
	depth = 256
	// gather is how long the first item waits for others: under load many share
	// the cost of one. With depth it is 50,000 items a second.
	gather = 5 * time.Millisecond
	// timeout bounds the work on one gathering, and on the last ones together.
	timeout = time.Second
)

// Writer writes items in the background, such as a record of an answer: those that
// have gathered together, each time within a limit of time, and dropped rather than
// waited for. It is safe for use by several goroutines.
type Writer[T any] struct {
	what string
	work func(context.Context, []T) error
	log  *slog.Logger

	mu      sync.RWMutex // held for reading by Do, for writing by Close
	closing bool
	waiting chan T
	ended   chan struct{}
	limit   atomic.Pointer[context.Context] // of the last items

	done, dropped, failed atomic.Uint64
}

// WriterCounts is what became of the items.
type WriterCounts struct {
	Done    uint64 `json:"done"`
	Dropped uint64 `json:"dropped"`
	Failed  uint64 `json:"failed"`
}

// NewWriter returns a Writer that runs until Close. What is waiting together is given
// to one call of work, whose error counts for all of it; what names it in the
// log.
func NewWriter[T any](ctx context.Context, what string, work func(context.Context, []T) error, log *slog.Logger) *Writer[T] {
	w := &Writer[T]{what: what, work: work, log: log, waiting: make(chan T, depth), ended: make(chan struct{})}
	go w.run(ctx)
	return w
}

// Do has the item worked on soon, or drops it when too many wait, and reports
// which.
func (w *Writer[T]) Do(item T) (taken bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if !w.closing {
		select {
		case w.waiting <- item:
			return true
		default:
		}
	}
	w.dropped.Add(1)
	return false
}

// Counts returns the counts of this moment.
func (w *Writer[T]) Counts() WriterCounts {
	return WriterCounts{w.done.Load(), w.dropped.Load(), w.failed.Load()}
}

// Close does what waits, for a second at most.
func (w *Writer[T]) Close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	w.limit.Store(&ctx)
	w.mu.Lock()
	if !w.closing {
		w.closing = true
		close(w.waiting)
	}
	w.mu.Unlock()
	<-w.ended
}

func (w *Writer[T]) run(ctx context.Context) {
	defer close(w.ended)
	for first := range w.waiting {
		items := w.together(first)
		limit := ctx
		if last := w.limit.Load(); last != nil {
			limit = *last
		}
		if err := w.one(limit, items); err != nil {
			w.failed.Add(uint64(len(items)))
			w.log.WarnContext(ctx, w.what+" failed", "items", len(items), "error", err)
			continue
		}
		w.done.Add(uint64(len(items)))
	}
}

// together returns the first item and what comes soon after it.
func (w *Writer[T]) together(first T) []T {
	items := []T{first}
	enough := time.After(gather)
	for len(items) < depth {
		select {
		case next, open := <-w.waiting:
			if !open {
				return items
			}
			items = append(items, next)
		case <-enough:
			return items
		}
	}
	return items
}

// one turns a panic into an error: it happens in a goroutine of ours, where no
// server would catch it.
func (w *Writer[T]) one(ctx context.Context, items []T) (err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return w.work(ctx, items)
}

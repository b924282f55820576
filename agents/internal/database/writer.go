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
	// queueSize is the maximum number of queued items, and of items in one batch. When
	// the queue is full, items are dropped.
	queueSize = 256
	// batchDelay is how long the first item of a batch waits for other items, so that they
	// share one write. It allows about 50,000 items a second: queueSize / batchDelay.
	batchDelay = 5 * time.Millisecond
	// writeTimeout bounds the write of one batch, and all writes of Close together.
	writeTimeout = time.Second
)

// Writer writes items in the background, such as records of responses. It writes them
// in batches with a timeout. When the queue is full, it drops new items, so that
// callers never wait. It is safe for concurrent use.
type Writer[T any] struct {
	operation string
	write     func(context.Context, []T) error
	log       *slog.Logger

	mu       sync.RWMutex // Enqueue holds the read lock, Close the write lock: no item is sent on a closed queue
	closing  bool
	queue    chan T
	stopped  chan struct{}
	closeCtx atomic.Pointer[context.Context] // set by Close: the context of all later writes

	written, dropped, failed atomic.Uint64
}

// WriterCounts are the numbers of written, dropped and failed items.
type WriterCounts struct {
	Written uint64 `json:"done"`
	Dropped uint64 `json:"dropped"`
	Failed  uint64 `json:"failed"`
}

// NewWriter returns a Writer that runs until Close. It calls write with batches;
// an error means that all items of the batch failed. operation is the name of
// write in the log.
func NewWriter[T any](ctx context.Context, operation string, write func(context.Context, []T) error, log *slog.Logger) *Writer[T] {
	w := &Writer[T]{operation: operation, write: write, log: log, queue: make(chan T, queueSize), stopped: make(chan struct{})}
	go w.run(ctx)
	return w
}

// Enqueue queues the item and returns true. It drops the item and returns false
// when the queue is full or the Writer is closed.
func (w *Writer[T]) Enqueue(item T) (queued bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if !w.closing {
		select {
		case w.queue <- item:
			return true
		default:
		}
	}
	w.dropped.Add(1)
	return false
}

// Counts returns how many items were written, dropped and failed since NewWriter.
func (w *Writer[T]) Counts() WriterCounts {
	return WriterCounts{w.written.Load(), w.dropped.Load(), w.failed.Load()}
}

// Close writes the queued items, for at most a second. Items that are not written in
// this time count as failed.
func (w *Writer[T]) Close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	w.closeCtx.Store(&ctx)
	w.mu.Lock()
	if !w.closing {
		w.closing = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.stopped
}

// run writes the queued items in batches until the queue is closed and empty. If the
// write of a batch fails, run counts its items as failed and does not write them
// again.
func (w *Writer[T]) run(ctx context.Context) {
	defer close(w.stopped)
	for first := range w.queue {
		items := w.nextBatch(first)
		writeCtx := ctx
		if closeCtx := w.closeCtx.Load(); closeCtx != nil {
			writeCtx = *closeCtx
		}
		if err := w.writeBatch(writeCtx, items); err != nil {
			w.failed.Add(uint64(len(items)))
			w.log.WarnContext(ctx, w.operation+" failed", "items", len(items), "error", err)
			continue
		}
		w.written.Add(uint64(len(items)))
	}
}

// nextBatch returns the first item and the items that are queued within batchDelay
// after it, at most queueSize.
func (w *Writer[T]) nextBatch(first T) []T {
	items := []T{first}
	delay := time.After(batchDelay)
	for len(items) < queueSize {
		select {
		case next, open := <-w.queue:
			if !open {
				return items
			}
			items = append(items, next)
		case <-delay:
			return items
		}
	}
	return items
}

// writeBatch calls w.write with a timeout. It converts a panic to an error. The HTTP
// server recovers panics only in the goroutines of requests, so a panic here would end
// the process.
func (w *Writer[T]) writeBatch(ctx context.Context, items []T) (err error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return w.write(ctx, items)
}

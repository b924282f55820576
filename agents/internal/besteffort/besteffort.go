// Package besteffort does small jobs after an answer was given, such as keeping
// a record of it: one at a time, each bounded, and given up rather than waited
// for. It owns the waiting and the counts; what a job does is its caller's.
package besteffort

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
	// depth is how many jobs may wait; more are dropped.
	depth = 256
	// timeout bounds one job, and the last ones together.
	timeout = time.Second
)

// Worker is safe for use by several goroutines.
type Worker struct {
	what string
	log  *slog.Logger

	mu      sync.RWMutex // held for reading by Do, for writing by Close
	closing bool
	waiting chan func(context.Context) error
	ended   chan struct{}
	limit   atomic.Pointer[context.Context] // of the last jobs

	done, dropped, failed atomic.Uint64
}

// Counts is what became of the jobs.
type Counts struct {
	Done    uint64 `json:"done"`
	Dropped uint64 `json:"dropped"`
	Failed  uint64 `json:"failed"`
}

// New returns a Worker that runs until Close; what names its jobs in the log.
func New(ctx context.Context, what string, log *slog.Logger) *Worker {
	w := &Worker{what: what, log: log, waiting: make(chan func(context.Context) error, depth), ended: make(chan struct{})}
	go w.run(ctx)
	return w
}

// Do has the job done soon, or drops it when too many wait, and reports which.
func (w *Worker) Do(job func(context.Context) error) (taken bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if !w.closing {
		select {
		case w.waiting <- job:
			return true
		default:
		}
	}
	w.dropped.Add(1)
	return false
}

// Counts returns the counts of this moment.
func (w *Worker) Counts() Counts {
	return Counts{w.done.Load(), w.dropped.Load(), w.failed.Load()}
}

// Close does what waits, for a second at most.
func (w *Worker) Close(ctx context.Context) {
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

func (w *Worker) run(ctx context.Context) {
	defer close(w.ended)
	for job := range w.waiting {
		limit := ctx
		if last := w.limit.Load(); last != nil {
			limit = *last
		}
		if err := w.one(limit, job); err != nil {
			w.failed.Add(1)
			w.log.WarnContext(ctx, w.what+" failed", "error", err)
			continue
		}
		w.done.Add(1)
	}
}

// one turns a panic into an error: it happens in a goroutine of ours, where no
// server would catch it.
func (w *Worker) one(ctx context.Context, job func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return job(ctx)
}

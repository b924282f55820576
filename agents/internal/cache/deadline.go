package cache

import (
	"context"
	"sync/atomic"
	"time"
)

// deadlines limits the time of commands without a timer for each. All commands that start in
// one period share a context. The context ends one period after the last command may start. So
// a command has at least one period and at most two.
type deadlines struct {
	period  time.Duration
	base    context.Context // ends with the Cache
	current atomic.Pointer[window]
}

// window is one period.
type window struct {
	ctx context.Context // shared by the commands of the period
	end time.Time       // later commands need the next window
}

// context returns the shared context of the current period.
func (d *deadlines) context() context.Context {
	now := time.Now()
	if w := d.current.Load(); w != nil && now.Before(w.end) {
		return w.ctx
	}
	// Two goroutines may both create one. Both are valid.
	ctx, cancel := context.WithTimeout(d.base, 2*d.period)
	context.AfterFunc(ctx, cancel)
	d.current.Store(&window{ctx, now.Add(d.period)})
	return ctx
}

package cache

import (
	"context"
	"sync/atomic"
	"time"
)

// deadlines limits the time of commands. All commands that start in one period
// share a context, which ends one period later. So a command has one to two
// periods, and needs neither a timer nor an allocation.
type deadlines struct {
	period  time.Duration
	base    context.Context // ends with the Cache
	current atomic.Pointer[window]
}

type window struct {
	ctx context.Context // shared by the commands of one period
	end time.Time
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

package cache

import (
	"context"
	"sync/atomic"
	"time"
)

// deadlines bounds commands in time without a timer for each: all that begin
// within one period share a context that ends a period later. So a command has
// from one to two times the period, and costs no allocation; a caller who
// leaves earlier waits no longer than that.
type deadlines struct {
	period  time.Duration
	base    context.Context // the life of the Cache, from New
	current atomic.Pointer[window]
}

type window struct {
	ctx   context.Context // shared by the commands of one period
	until time.Time
}

func (d *deadlines) context() context.Context {
	now := time.Now()
	if w := d.current.Load(); w != nil && now.Before(w.until) {
		return w.ctx
	}
	// Two at once may both make one; both serve.
	ctx, cancel := context.WithTimeout(d.base, 2*d.period)
	context.AfterFunc(ctx, cancel)
	d.current.Store(&window{ctx, now.Add(d.period)})
	return ctx
}

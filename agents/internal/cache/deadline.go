package cache

import (
	"context"
	"sync/atomic"
	"time"
)

// deadlines limits the time of commands without one timer for each command. All commands that
// start in one period share a context. The context ends two periods after its first command
// starts. So the time limit of a command is between one and two periods.
type deadlines struct {
	period  time.Duration
	parent  context.Context // ends when the Cache is closed
	current atomic.Pointer[window]
}

// window is one period of deadlines.
type window struct {
	ctx context.Context // shared by the commands of the period
	end time.Time       // commands that start later use the next window
}

// context returns the shared context of the current period.
func (d *deadlines) context() context.Context {
	now := time.Now()
	if w := d.current.Load(); w != nil && now.Before(w.end) {
		return w.ctx
	}
	// Two goroutines may each create a context. Both contexts are valid.
	ctx, cancel := context.WithTimeout(d.parent, 2*d.period)
	context.AfterFunc(ctx, cancel) // the context ends by its timeout; only go vet needs this use of cancel
	d.current.Store(&window{ctx, now.Add(d.period)})
	return ctx
}

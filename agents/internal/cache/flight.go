package cache

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
)

// flight runs one load for all concurrent callers of a key. The load is canceled when
// its last caller gives up. golang.org/x/sync/singleflight has no such cancellation.
type flight[K comparable, V any] struct {
	mu    sync.Mutex
	calls map[K]*call[V]
}

// call is a running load and its result.
type call[V any] struct {
	loaded  chan struct{} // closed when value and err are set
	value   V
	err     error
	waiting int // the number of waiting callers; guarded by flight.mu
	cancel  context.CancelFunc
}

// do calls load once for all concurrent callers of the key, and returns its result to each
// caller. A caller stops waiting when its own ctx ends. The context of load has the values of
// the first caller's context, and is canceled when the last caller gives up. After a successful
// load, the callers get the value first, and then finish runs. A call that begins before finish
// ends gets the same value. A call after an error starts a new load.
func (f *flight[K, V]) do(ctx context.Context, key K, load func(context.Context) (V, error), finish func(V)) (V, error) {
	f.mu.Lock()
	if f.calls == nil {
		f.calls = map[K]*call[V]{}
	}
	c, ok := f.calls[key]
	if !ok {
		detached, cancel := context.WithCancel(context.WithoutCancel(ctx)) //nolint:gosec // the last waiting caller calls it
		c = &call[V]{loaded: make(chan struct{}), cancel: cancel}
		f.calls[key] = c
		go f.run(detached, key, c, load, finish)
	}
	c.waiting++
	f.mu.Unlock()

	select {
	case <-c.loaded:
		f.leave(key, c, false)
		return c.value, c.err
	case <-ctx.Done():
		f.leave(key, c, true)
		var zero V
		return zero, ctx.Err()
	}
}

// leave removes a caller from the number of waiting callers. If the last caller gives up, the
// load is canceled and removed, so that the next caller does not join it.
func (f *flight[K, V]) leave(key K, c *call[V], gaveUp bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.waiting--
	if c.waiting == 0 && gaveUp {
		c.cancel()
		f.removeLocked(key, c)
	}
}

// removeLocked makes later callers of the key start a new load. f.mu must be held.
func (f *flight[K, V]) removeLocked(key K, c *call[V]) {
	if f.calls[key] == c {
		delete(f.calls, key)
	}
}

// run calls load, gives its result to all waiting callers, and then calls
// finish with the value.
func (f *flight[K, V]) run(ctx context.Context, key K, c *call[V], load func(context.Context) (V, error), finish func(V)) {
	defer c.cancel()
	lockAndRemove := func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.removeLocked(key, c)
	}
	c.value, c.err = callWithRecover(ctx, load)
	if c.err != nil {
		lockAndRemove() // before callers get the error, so that later callers start a new load
		close(c.loaded)
		return
	}
	defer lockAndRemove()
	close(c.loaded)
	finish(c.value)
}

// callWithRecover calls load and converts a panic of load to an error. The load runs in its own
// goroutine, and a panic there would end the process.
func callWithRecover[V any](ctx context.Context, load func(context.Context) (V, error)) (value V, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic in a cache load: %v\n%s", cause, debug.Stack())
		}
	}()
	return load(ctx)
}

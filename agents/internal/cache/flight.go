package cache

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
)

// flight lets one call load what many want. golang.org/x/sync/singleflight
// does not end a load that nobody waits for any more, and its load dies with
// the first caller's context or, detached, outlives them all.
type flight[K comparable, V any] struct {
	mu    sync.Mutex
	calls map[K]*call[V]
}

type call[V any] struct {
	loaded  chan struct{} // closed when value and err are set
	value   V
	err     error
	waiting int // guarded by flight.mu
	cancel  context.CancelFunc
}

// do returns what load returns, for this key, to all who ask while it runs.
// Each waits no longer than their own ctx; load has the first one's values
// without its end, and is cancelled when the last has left. finish runs after
// all have a value; who comes before it ends gets the same value. An error is
// nobody's who asks after it was given.
func (f *flight[K, V]) do(ctx context.Context, key K, load func(context.Context) (V, error), finish func(V)) (V, error) {
	f.mu.Lock()
	if f.calls == nil {
		f.calls = map[K]*call[V]{}
	}
	c, ok := f.calls[key]
	if !ok {
		detached, cancel := context.WithCancel(context.WithoutCancel(ctx)) //nolint:gosec // the last who waits calls it
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
		var none V
		return none, ctx.Err()
	}
}

// leave counts one who waits no more. When the last gives up, the load is
// cancelled and forgotten, so that the next who asks does not join it.
func (f *flight[K, V]) leave(key K, c *call[V], gaveUp bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.waiting--
	if c.waiting == 0 && gaveUp {
		c.cancel()
		f.forget(key, c)
	}
}

// forget is called with f.mu held.
func (f *flight[K, V]) forget(key K, c *call[V]) {
	if f.calls[key] == c {
		delete(f.calls, key)
	}
}

func (f *flight[K, V]) run(ctx context.Context, key K, c *call[V], load func(context.Context) (V, error), finish func(V)) {
	defer c.cancel()
	forget := func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.forget(key, c)
	}
	c.value, c.err = guarded(ctx, load)
	if c.err != nil {
		forget() // before anybody hears of it: who asks after an error asks anew
		close(c.loaded)
		return
	}
	defer forget()
	close(c.loaded)
	finish(c.value)
}

// guarded turns a panic into an error: it happens in a goroutine of ours, where
// no server would catch it.
func guarded[V any](ctx context.Context, load func(context.Context) (V, error)) (value V, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic in a load for the cache: %v\n%s", cause, debug.Stack())
		}
	}()
	return load(ctx)
}

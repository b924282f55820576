// Package cache is the seed's CacheManager in Go: values of one type under
// typed keys, in a local tier and in a Redis Cluster, by the seed's five
// strategies. It owns both tiers, the events that end values in every process,
// and the metrics of hits, misses and errors.
//
// A cache makes things faster and is never needed: when Redis is away, frozen
// or full of nonsense, reads are misses, loads go on, and a breaker keeps the
// cost of asking in vain at microseconds.
//
// Values are shared by all who get them and must not be changed. After an event
// no reader in the same process gets an older value; one in another process may
// for the milliseconds that the event travels, or, where the event is lost with
// the connection, until Redis is heard again or the TTL ends.
package cache

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
)

// Cache is what the Spaces of one process share: the connection to Redis, the
// events and the metrics. It is a prometheus.Collector, and safe for use by
// several goroutines.
type Cache struct {
	redis  *redis
	clock  clock
	log    *slog.Logger
	origin string // tells one's own events from others'
	stop   context.CancelFunc
	work   sync.WaitGroup // what outlives the call that began it
	spaces atomic.Pointer[[]space]
	adding sync.Mutex
	heard  atomic.Bool // the subscription to events stands
}

// space is what the events and the metrics know of a Space.
type space interface {
	strategy() Strategy
	prefix() string
	drop(ids []string) // of the local tier; none means all
	count() counts
}

// New returns a Cache. Redis is sought in the background, so that a service
// starts without it; ctx ends that, as Close does.
func New(ctx context.Context, cfg Config, log *slog.Logger) (*Cache, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	c := &Cache{redis: newRedis(ctx, cfg), log: log, origin: newOrigin(), stop: stop}
	c.spaces.Store(&[]space{})
	c.work.Go(func() { c.clock.run(ctx) })
	if len(cfg.Addresses) > 0 {
		c.work.Go(func() { c.redis.connect(ctx, log, c.listen) })
	}
	return c, nil
}

// Close ends the background work and the connections. A value that is just on
// its way to Redis may not arrive, as is any cache's right.
func (c *Cache) Close() {
	c.stop()
	c.work.Wait()
	c.redis.close()
}

// Connected reports whether Redis answers for every slot and events are heard,
// as far as the last word goes. It is for a status page: readiness must not
// depend on a cache.
func (c *Cache) Connected() bool { return c.heard.Load() && !c.redis.open() }

// Publish ends values in every process: those of the ids under every strategy
// that the event belongs to, or, with no id, all of them. The local tier has
// let go when Publish returns. An error says that other processes or Redis may
// keep a value until its TTL ends; what was published must not fail for it.
func (c *Cache) Publish(ctx context.Context, event Event, ids ...string) error {
	var errs []error
	done := []string{}
	for _, s := range c.listeners(event) {
		errs = append(errs, c.end(ctx, s, ids))
		done = append(done, s.prefix())
	}
	// Last, so that nobody who hears it finds the old value in Redis.
	errs = append(errs, c.redis.publish(message{Event: event, IDs: ids, Origin: c.origin, Done: done}))
	return errors.Join(errs...)
}

// end takes values out of both tiers. The local tier is dropped before, so
// that loads under way are not kept in Redis after its deletion, and again
// after, because it may have been filled from Redis meanwhile.
func (c *Cache) end(ctx context.Context, s space, ids []string) error {
	s.drop(ids)
	defer s.drop(ids)
	if len(ids) == 0 {
		return c.redis.deletePrefix(ctx, s.prefix())
	}
	var errs []error
	for _, id := range ids {
		errs = append(errs, c.redis.delete(s.prefix()+id))
	}
	return errors.Join(errs...)
}

func (c *Cache) listeners(event Event) (listening []space) {
	for _, s := range *c.spaces.Load() {
		if s.strategy().endedBy(event) {
			listening = append(listening, s)
		}
	}
	return listening
}

func (c *Cache) add(s space) {
	c.adding.Lock()
	defer c.adding.Unlock()
	grown := append([]space{s}, *c.spaces.Load()...)
	c.spaces.Store(&grown)
}

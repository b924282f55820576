// Package cache is the design document's CacheManager in Go. It stores values
// of one type under typed keys in two tiers: local memory and a Redis Cluster.
// It has the design document's five strategies. It owns both tiers, the events
// that invalidate values in every process, and the metrics of hits, misses and
// errors.
//
// A service works without its cache. If Redis is down, frozen or has invalid
// data, reads are misses and loads continue. A circuit breaker keeps the cost
// of failed commands at microseconds.
//
// Cached values are shared and must not be changed. After an event no reader in the
// same process gets an older value. Other processes may return an older value until
// they receive the event. If the event is lost with the connection, they may return an
// older value until they are subscribed again, or until the TTL ends.
package cache

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
)

// Cache is what the namespaces of one process share: the Redis connection, the
// events and the metrics. It is a prometheus.Collector, and safe for concurrent
// use.
type Cache struct {
	redis      *redis
	clock      clock
	log        *slog.Logger
	origin     string // identifies this process' own events
	stop       context.CancelFunc
	background sync.WaitGroup
	namespaces atomic.Pointer[[]namespace]
	addMu      sync.Mutex  // held by addNamespace
	subscribed atomic.Bool // whether this process receives the events
}

// namespace is the part of a Namespace that events and metrics need.
type namespace interface {
	strategy() Strategy
	prefix() string
	drop(ids []string) // removes these ids from the local tier; no ids means all
	readCounts() counts
}

// New returns a Cache. It connects to Redis in the background, so that a service
// starts without Redis. The background work ends with ctx or Close.
func New(ctx context.Context, cfg Config, log *slog.Logger) (*Cache, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	c := &Cache{redis: newRedis(ctx, cfg), log: log, origin: newOrigin(), stop: stop}
	c.namespaces.Store(&[]namespace{})
	c.background.Go(func() { c.clock.run(ctx) })
	if len(cfg.Addresses) > 0 {
		c.background.Go(func() { c.redis.connect(ctx, log, c.subscribe) })
	}
	return c, nil
}

// Close ends the background work and the connections. A write to Redis in
// flight may be lost.
func (c *Cache) Close() {
	c.stop()
	c.background.Wait()
	c.redis.close()
}

// IsConnected reports whether all circuit breakers are closed and this process is subscribed
// to the events. It is for a status page only: a service must be ready without its cache.
func (c *Cache) IsConnected() bool { return c.subscribed.Load() && !c.redis.anyBreakerOpen() }

// Publish invalidates values in every process, for each strategy that has the
// event. Without ids it invalidates all values of these strategies. When Publish
// returns, this process has no old value. On an error, other processes or Redis
// may keep an old value until its TTL ends. The caller logs the error and
// continues.
func (c *Cache) Publish(ctx context.Context, event Event, ids ...string) error {
	var errs []error
	deletedPrefixes := []string{}
	for _, n := range c.affectedNamespaces(event) {
		errs = append(errs, c.invalidate(ctx, n, ids))
		deletedPrefixes = append(deletedPrefixes, n.prefix())
	}
	// The event is published last, so that its receivers find no old value in Redis.
	errs = append(errs, c.redis.publish(message{Event: event, IDs: ids, Origin: c.origin, DeletedPrefixes: deletedPrefixes}))
	return errors.Join(errs...)
}

// invalidate deletes values from both tiers. It drops them from the local tier twice,
// before and after the deletion in Redis. The first drop makes running loads stale, so
// that they do not write an old value to Redis after the deletion. The second drop
// removes values that were copied from Redis before the deletion.
func (c *Cache) invalidate(ctx context.Context, n namespace, ids []string) error {
	n.drop(ids)
	defer n.drop(ids)
	if len(ids) == 0 {
		return c.redis.deletePrefix(ctx, n.prefix())
	}
	var errs []error
	for _, id := range ids {
		errs = append(errs, c.redis.delete(n.prefix()+id))
	}
	return errors.Join(errs...)
}

// affectedNamespaces returns the namespaces that the event invalidates.
func (c *Cache) affectedNamespaces(event Event) (affected []namespace) {
	for _, n := range *c.namespaces.Load() {
		if n.strategy().isInvalidatedBy(event) {
			affected = append(affected, n)
		}
	}
	return affected
}

// addNamespace registers a namespace for events and metrics. Readers of namespaces need no
// lock, so addNamespace replaces the list instead of changing it.
func (c *Cache) addNamespace(n namespace) {
	c.addMu.Lock()
	defer c.addMu.Unlock()
	all := append([]namespace{n}, *c.namespaces.Load()...)
	c.namespaces.Store(&all)
}

package cache

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// Namespace is the keys with one prefix and values of one type, such as plans under
// "nutrition:plan:". K prevents a mix-up of key types, such as a user's id and a
// template's.
type Namespace[K ~string, V any] struct {
	cache     *Cache
	rule      Strategy
	keyPrefix string
	local     *otter.Cache[K, entry[V]] // nil unless the strategy is Local
	loads     flight[epochKey[K], V]
	meters    meters
	// epoch counts the events of this Namespace. A load or read that began
	// before an event must not be cached after it.
	epoch atomic.Uint64
}

// entry is a value in the local tier.
type entry[V any] struct {
	value   V
	expires time.Duration // on the Cache's clock
	cost    uint32
}

// epochKey is a key at an epoch. A caller after an event must not join a load from
// before it.
type epochKey[K ~string] struct {
	key   K
	epoch uint64
}

// overhead estimates the memory of an entry besides its bytes: otter's node,
// the map's slot, and the headers of key and value. It is on the large side.
const overhead = 200

// NewNamespace adds a Namespace whose keys in Redis begin with prefix, such as
// "workout:template:". localBytes bounds the local tier by the encoded size of its
// values. It must be above zero for a Local strategy.
func NewNamespace[K ~string, V any](c *Cache, strategy Strategy, prefix string, localBytes uint64) (*Namespace[K, V], error) {
	for _, other := range *c.namespaces.Load() {
		if other.prefix() == prefix {
			return nil, fmt.Errorf("cache: two namespaces have the prefix %q: give each its own", prefix)
		}
	}
	s := &Namespace[K, V]{cache: c, rule: strategy, keyPrefix: prefix}
	if strategy.Local {
		if localBytes == 0 {
			return nil, fmt.Errorf("cache: localBytes of namespace %q is 0, must be above 0 for a local strategy", prefix)
		}
		var err error
		s.local, err = otter.New(&otter.Options[K, entry[V]]{
			MaximumWeight: localBytes,
			Weigher:       func(_ K, e entry[V]) uint32 { return e.cost },
		})
		if err != nil {
			return nil, fmt.Errorf("cache: local tier of %q: %w", prefix, err)
		}
	}
	c.add(s)
	return s, nil
}

// Get returns a cached value. It waits for Redis at most twice the Timeout, and
// not at all after the end of ctx.
func (s *Namespace[K, V]) Get(ctx context.Context, key K) (value V, ok bool) {
	if value, ok = s.getLocal(key); ok {
		return value, true
	}
	return s.getRedis(ctx, key, s.epoch.Load())
}

// Set caches a value in both tiers, within twice the Timeout. It returns no
// error, because a value that is not cached is loaded again.
func (s *Namespace[K, V]) Set(key K, value V) {
	epoch := s.epoch.Load()
	s.setRedis(key, s.setLocal(key, value, epoch), epoch)
}

// Load returns a cached value. Otherwise it calls load once for all concurrent
// callers and caches the result. An error goes to all of them and is not
// cached. load's context ends when no caller waits any more.
func (s *Namespace[K, V]) Load(ctx context.Context, key K, load func(context.Context) (V, error)) (V, error) {
	if value, ok := s.getLocal(key); ok {
		return value, nil
	}
	epoch := s.epoch.Load()
	if s.local == nil {
		// A hit in Redis does not need the flight.
		if value, ok := s.getRedis(ctx, key, epoch); ok {
			return value, nil
		}
	}
	var data []byte // the encoded value, if it is new
	return s.loads.do(ctx, epochKey[K]{key, epoch}, func(ctx context.Context) (V, error) {
		// Another call may have finished meanwhile.
		if s.local != nil {
			if value, ok := s.lookup(key); ok {
				return value, nil
			}
		}
		if value, ok := s.getRedis(ctx, key, epoch); ok {
			return value, nil
		}
		value, err := load(ctx)
		if err == nil {
			data = s.setLocal(key, value, epoch)
		}
		return value, err
	}, func(V) { s.setRedis(key, data, epoch) })
}

// Invalidate deletes one value from this process and from Redis. Only Publish
// reaches the local tiers of other processes.
func (s *Namespace[K, V]) Invalidate(ctx context.Context, key K) error {
	return s.cache.invalidate(ctx, s, []string{string(key)})
}

func (s *Namespace[K, V]) getLocal(key K) (value V, ok bool) {
	if s.local == nil {
		return value, false
	}
	if value, ok = s.lookup(key); !ok {
		s.meters.localMisses.add()
		return value, false
	}
	s.meters.localHits.add()
	return value, true
}

// lookup returns an unexpired value of the local tier. An expired value stays until
// it is replaced or evicted. If otter expired it, each hit would read the machine's
// clock and take up to three times as long.
func (s *Namespace[K, V]) lookup(key K) (value V, ok bool) {
	e, ok := s.local.GetIfPresent(key)
	if !ok || e.expires <= s.cache.clock.now() {
		return value, false
	}
	return e.value, true
}

func (s *Namespace[K, V]) getRedis(ctx context.Context, key K, epoch uint64) (value V, ok bool) {
	if ctx.Err() != nil {
		return value, false
	}
	data, err := s.cache.redis.get(s.keyPrefix + string(key))
	if err == nil {
		var expires time.Time
		if value, expires, err = decode[V](data); err == nil {
			// At most the strategy's TTL, because the writer's clock may be
			// wrong.
			if left := min(time.Until(expires), s.rule.TTL); left > 0 {
				s.meters.redisHits.add()
				s.storeLocal(key, entry[V]{value, s.cache.clock.now() + left, cost(key, data)}, epoch)
				return value, true
			}
			err = errNotFound
		}
	}
	s.countMiss(err)
	var zero V
	return zero, false
}

func (s *Namespace[K, V]) countMiss(err error) {
	switch {
	case errors.Is(err, errNoRedis): // without Redis there is no tier to count
	case errors.Is(err, errNotFound):
		s.meters.redisMisses.add()
	default:
		s.meters.redisMisses.add()
		s.meters.redisErrors.add()
	}
}

// setLocal stores a new value in the local tier and returns its encoding for Redis,
// or nil if it cannot be encoded.
func (s *Namespace[K, V]) setLocal(key K, value V, epoch uint64) []byte {
	data, err := encode(value, time.Now().Add(s.rule.TTL))
	if err != nil {
		s.meters.redisErrors.add()
		s.cache.log.Error("value not cached", "strategy", s.rule.Name, "error", err)
		return nil
	}
	s.storeLocal(key, entry[V]{value, s.cache.clock.now() + s.rule.TTL, cost(key, data)}, epoch)
	return data
}

// storeLocal stores an entry unless an event has come since epoch. An event
// increments the epoch before it drops. So either this call sees the new epoch, or
// the drop comes after its Set.
func (s *Namespace[K, V]) storeLocal(key K, e entry[V], epoch uint64) {
	if s.local == nil {
		return
	}
	// otter 2.3.0 does not evict for entries that are overwritten before its
	// maintenance has seen them. It then stays above its bound. After an
	// Invalidate every Set counts as an insert (TestLocalTierIsBounded).
	s.local.Invalidate(key)
	s.local.Set(key, e)
	if s.epoch.Load() != epoch {
		s.local.Invalidate(key)
	}
}

// setRedis stores an encoded value in Redis unless an event has come since epoch.
func (s *Namespace[K, V]) setRedis(key K, data []byte, epoch uint64) {
	if data == nil || s.epoch.Load() != epoch {
		return
	}
	name := s.keyPrefix + string(key)
	err := s.cache.redis.set(name, data, s.rule.TTL)
	if err == nil && s.epoch.Load() != epoch {
		err = s.cache.redis.delete(name)
	}
	if err != nil && !errors.Is(err, errNoRedis) {
		s.meters.redisErrors.add()
	}
}

func cost[K ~string](key K, data []byte) uint32 { return uint32(overhead + len(key) + len(data)) }

func (s *Namespace[K, V]) strategy() Strategy { return s.rule }
func (s *Namespace[K, V]) prefix() string     { return s.keyPrefix }
func (s *Namespace[K, V]) count() counts      { return s.meters.read() }

func (s *Namespace[K, V]) drop(ids []string) {
	s.epoch.Add(1)
	switch {
	case s.local == nil:
	case len(ids) == 0:
		s.local.InvalidateAll()
	default:
		for _, id := range ids {
			s.local.Invalidate(K(id))
		}
	}
}

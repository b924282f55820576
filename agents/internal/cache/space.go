package cache

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// Space is one family of keys with values of one type, such as
// "nutrition:plan:" with plans. K keeps a user's id from being taken for a
// template's.
type Space[K ~string, V any] struct {
	cache  *Cache
	rule   Strategy
	before string
	local  *otter.Cache[K, entry[V]] // nil unless the strategy is Local
	loads  flight[asked[K], V]
	meters meters
	// epoch counts the events of this Space. What was begun before an event is
	// not kept after it.
	epoch atomic.Uint64
}

// entry is a value of the local tier.
type entry[V any] struct {
	value V
	until time.Duration // on the Cache's clock
	cost  uint32
}

// asked is a key at an epoch: who asks after an event must not join a load
// that began before it.
type asked[K ~string] struct {
	key   K
	epoch uint64
}

// overhead is what an entry costs beside its bytes: otter's node, the map's
// slot, the headers of key and value. An estimate, on the large side.
const overhead = 200

// NewSpace adds a Space whose keys in Redis begin with prefix, such as
// "workout:template:". localBytes bounds the local tier, by the encoded size
// of its values; it must be above zero for a Local strategy.
func NewSpace[K ~string, V any](c *Cache, strategy Strategy, prefix string, localBytes uint64) (*Space[K, V], error) {
	for _, other := range *c.spaces.Load() {
		if other.prefix() == prefix {
			return nil, fmt.Errorf("cache: two spaces have the prefix %q: give each its own", prefix)
		}
	}
	s := &Space[K, V]{cache: c, rule: strategy, before: prefix}
	if strategy.Local {
		if localBytes == 0 {
			return nil, fmt.Errorf("cache: space %q has no bytes for its local tier: give it some", prefix)
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

// Get returns a value that is cached. It asks Redis for no longer than twice
// the Timeout, and not at all when ctx has ended.
func (s *Space[K, V]) Get(ctx context.Context, key K) (value V, ok bool) {
	if value, ok = s.fromLocal(key); ok {
		return value, true
	}
	return s.fromRedis(ctx, key, s.epoch.Load())
}

// Set caches a value in both tiers, within twice the Timeout. It has no error:
// a value that can't be cached is loaded again.
func (s *Space[K, V]) Set(key K, value V) {
	epoch := s.epoch.Load()
	s.toRedis(key, s.toLocal(key, value, epoch), epoch)
}

// Load returns a value that is cached, or loads it once for all who ask for it
// meanwhile and caches it. An error of load goes to all of them and is not
// cached. load's context ends when nobody waits any more.
func (s *Space[K, V]) Load(ctx context.Context, key K, load func(context.Context) (V, error)) (V, error) {
	if value, ok := s.fromLocal(key); ok {
		return value, nil
	}
	epoch := s.epoch.Load()
	if s.local == nil {
		// Hits of Redis need not meet.
		if value, ok := s.fromRedis(ctx, key, epoch); ok {
			return value, nil
		}
	}
	var text []byte // for Redis, when the value is new
	return s.loads.do(ctx, asked[K]{key, epoch}, func(ctx context.Context) (V, error) {
		// An earlier flight may have landed since we looked.
		if s.local != nil {
			if value, ok := s.kept(key); ok {
				return value, nil
			}
		}
		if value, ok := s.fromRedis(ctx, key, epoch); ok {
			return value, nil
		}
		value, err := load(ctx)
		if err == nil {
			text = s.toLocal(key, value, epoch)
		}
		return value, err
	}, func(V) { s.toRedis(key, text, epoch) })
}

// Invalidate takes one value from both tiers, here and in Redis; other
// processes' local tiers are reached by Publish.
func (s *Space[K, V]) Invalidate(ctx context.Context, key K) error {
	return s.cache.end(ctx, s, []string{string(key)})
}

func (s *Space[K, V]) fromLocal(key K) (value V, ok bool) {
	if s.local == nil {
		return value, false
	}
	if value, ok = s.kept(key); !ok {
		s.meters.localMisses.add()
		return value, false
	}
	s.meters.localHits.add()
	return value, true
}

// kept returns what the local tier has. A value that has ended stays there until
// it is replaced or its room is needed: were otter to end it, each hit would
// look at the machine's clock and more, and take up to three times as long.
func (s *Space[K, V]) kept(key K) (value V, ok bool) {
	e, ok := s.local.GetIfPresent(key)
	if !ok || e.until <= s.cache.clock.now() {
		return value, false
	}
	return e.value, true
}

func (s *Space[K, V]) fromRedis(ctx context.Context, key K, epoch uint64) (value V, ok bool) {
	if ctx.Err() != nil {
		return value, false
	}
	text, err := s.cache.redis.get(s.before + string(key))
	if err == nil {
		var until time.Time
		if value, until, err = decode[V](text); err == nil {
			// No longer than the strategy allows, whatever the writer's clock said.
			if left := min(time.Until(until), s.rule.TTL); left > 0 {
				s.meters.redisHits.add()
				s.keep(key, entry[V]{value, s.cache.clock.now() + left, cost(key, text)}, epoch)
				return value, true
			}
			err = errNone
		}
	}
	s.missed(err)
	var none V
	return none, false
}

func (s *Space[K, V]) missed(err error) {
	switch {
	case errors.Is(err, errNoRedis):
	case errors.Is(err, errNone):
		s.meters.redisMisses.add()
	default:
		s.meters.redisMisses.add()
		s.meters.redisErrors.add()
	}
}

// toLocal keeps a fresh value here and returns it as Redis has it, nil when it
// can't be encoded.
func (s *Space[K, V]) toLocal(key K, value V, epoch uint64) []byte {
	text, err := encode(value, time.Now().Add(s.rule.TTL))
	if err != nil {
		s.meters.redisErrors.add()
		s.cache.log.Error("a value can't be cached", "strategy", s.rule.Name, "error", err)
		return nil
	}
	s.keep(key, entry[V]{value, s.cache.clock.now() + s.rule.TTL, cost(key, text)}, epoch)
	return text
}

// keep puts an entry into the local tier unless an event has come since. An
// event counts the epoch up before it drops; so either we see the count or its
// drop comes after our set.
func (s *Space[K, V]) keep(key K, e entry[V], epoch uint64) {
	if s.local == nil {
		return
	}
	// otter 2.3.0 does not evict for entries that are overwritten before its
	// maintenance has seen them, and stays above its bound for good; taken out
	// first, every set is a counted insert (TestTheLocalTierIsBounded).
	s.local.Invalidate(key)
	s.local.Set(key, e)
	if s.epoch.Load() != epoch {
		s.local.Invalidate(key)
	}
}

// toRedis does the same in Redis.
func (s *Space[K, V]) toRedis(key K, text []byte, epoch uint64) {
	if text == nil || s.epoch.Load() != epoch {
		return
	}
	name := s.before + string(key)
	err := s.cache.redis.set(name, text, s.rule.TTL)
	if err == nil && s.epoch.Load() != epoch {
		err = s.cache.redis.delete(name)
	}
	if err != nil && !errors.Is(err, errNoRedis) {
		s.meters.redisErrors.add()
	}
}

func cost[K ~string](key K, text []byte) uint32 { return uint32(overhead + len(key) + len(text)) }

func (s *Space[K, V]) strategy() Strategy { return s.rule }
func (s *Space[K, V]) prefix() string     { return s.before }
func (s *Space[K, V]) count() counts      { return s.meters.read() }

func (s *Space[K, V]) drop(ids []string) {
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

package cache

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// Namespace caches values of type V under keys with one prefix, such as plans under
// "nutrition:plan:". The key type K prevents the use of a wrong kind of key, such as a
// user's id for a template.
type Namespace[K ~string, V any] struct {
	cache         *Cache
	cacheStrategy Strategy
	keyPrefix     string
	local         *otter.Cache[K, entry[V]] // nil unless the strategy is Local
	loads         flight[epochKey[K], V]
	counters      counters
	// epoch counts the events that have invalidated values of this Namespace. If it changes
	// during a load or a read, the value may be old and must not be cached.
	epoch atomic.Uint64
}

// entry is a value in the local tier.
type entry[V any] struct {
	value   V
	expires time.Duration // on the Cache's clock
	cost    uint32        // estimated memory in bytes
}

// epochKey identifies a load: the key, and the epoch in which the load began. A caller after
// an event has a newer epoch, so it does not join a load that began before the event.
type epochKey[K ~string] struct {
	key   K
	epoch uint64
}

// entryOverhead is the estimated memory of an entry in bytes, without key and value. It
// is for otter's node, the map's slot, and the headers of key and value. The estimate is
// high on purpose, so that the local tier stays below its bound.
const entryOverhead = 200

// NewNamespace adds a Namespace to the cache. Its keys in Redis begin with prefix, such as
// "workout:template:". localBytes is the maximum size of its local tier. For a Local strategy
// it must be above zero. The size of a value is the size of its encoding.
func NewNamespace[K ~string, V any](c *Cache, strategy Strategy, prefix string, localBytes uint64) (*Namespace[K, V], error) {
	for _, other := range *c.namespaces.Load() {
		if other.prefix() == prefix {
			return nil, fmt.Errorf("cache: two namespaces have the prefix %q: give each its own", prefix)
		}
	}
	n := &Namespace[K, V]{cache: c, cacheStrategy: strategy, keyPrefix: prefix}
	if strategy.Local {
		if localBytes == 0 {
			return nil, fmt.Errorf("cache: localBytes of namespace %q is 0, must be above 0 for a local strategy", prefix)
		}
		var err error
		n.local, err = otter.New(&otter.Options[K, entry[V]]{
			MaximumWeight: localBytes,
			Weigher:       func(_ K, e entry[V]) uint32 { return e.cost },
		})
		if err != nil {
			return nil, fmt.Errorf("cache: create the local tier of namespace %q: %w", prefix, err)
		}
	}
	c.addNamespace(n)
	return n, nil
}

// Get returns a cached value. It waits for Redis at most twice the Timeout. If ctx has ended,
// it reads only the local tier.
func (n *Namespace[K, V]) Get(ctx context.Context, key K) (value V, ok bool) {
	if value, ok = n.getLocal(key); ok {
		return value, true
	}
	return n.getRedis(ctx, key, n.epoch.Load())
}

// Set caches a value in both tiers, within twice the Timeout. It returns no
// error, because a value that is not cached is loaded again.
func (n *Namespace[K, V]) Set(key K, value V) {
	epoch := n.epoch.Load()
	n.setRedis(key, n.setLocal(key, value, epoch), epoch)
}

// Load returns a cached value. If there is none, it calls load once for all concurrent
// callers and caches the result. An error of load is returned to all these callers and
// is not cached. The context of load ends when no caller waits any more.
func (n *Namespace[K, V]) Load(ctx context.Context, key K, load func(context.Context) (V, error)) (V, error) {
	if value, ok := n.getLocal(key); ok {
		return value, nil
	}
	epoch := n.epoch.Load()
	readFromRedis := n.getRedis // for sharedLoad
	if n.local == nil {
		// A hit in Redis needs no load. So Redis is read before the load is shared.
		if value, ok := n.getRedis(ctx, key, epoch); ok {
			return value, nil
		}
		readFromRedis = n.readRedis // the call of getRedis above has already counted a read
	}
	var data []byte // the encoded value, if it is new
	sharedLoad := func(ctx context.Context) (V, error) {
		// A concurrent call may have stored the value since the lookup above.
		if n.local != nil {
			if value, ok := n.lookup(key); ok {
				return value, nil
			}
		}
		if value, ok := readFromRedis(ctx, key, epoch); ok {
			return value, nil
		}
		value, err := load(ctx)
		if err == nil {
			data = n.setLocal(key, value, epoch)
		}
		return value, err
	}
	storeInRedis := func(V) { n.setRedis(key, data, epoch) }
	return n.loads.do(ctx, epochKey[K]{key, epoch}, sharedLoad, storeInRedis)
}

// Invalidate deletes one value from this process and from Redis. Only Publish
// reaches the local tiers of other processes.
func (n *Namespace[K, V]) Invalidate(ctx context.Context, key K) error {
	return n.cache.invalidate(ctx, n, []string{string(key)})
}

// getLocal returns a value of the local tier.
func (n *Namespace[K, V]) getLocal(key K) (value V, ok bool) {
	if n.local == nil {
		return value, false
	}
	if value, ok = n.lookup(key); !ok {
		n.counters.localMisses.increment()
		return value, false
	}
	n.counters.localHits.increment()
	return value, true
}

// lookup returns an unexpired value of the local tier. An expired value stays in memory until it
// is replaced or evicted. The library otter could remove expired values. But then each hit would
// read the machine's clock and take up to three times as long.
func (n *Namespace[K, V]) lookup(key K) (value V, ok bool) {
	e, ok := n.local.GetIfPresent(key)
	if !ok || e.expires <= n.cache.clock.now() {
		return value, false
	}
	return e.value, true
}

// getRedis returns a value of Redis. It counts the read as a hit or as a miss.
func (n *Namespace[K, V]) getRedis(ctx context.Context, key K, epoch uint64) (value V, ok bool) {
	if ctx.Err() != nil {
		return value, false
	}
	value, err := n.copyFromRedis(key, epoch)
	if err != nil {
		n.countMiss(err)
		return value, false
	}
	n.counters.redisHits.increment()
	return value, true
}

// readRedis returns a value of Redis without counting the read.
func (n *Namespace[K, V]) readRedis(ctx context.Context, key K, epoch uint64) (value V, ok bool) {
	if ctx.Err() != nil {
		return value, false
	}
	value, err := n.copyFromRedis(key, epoch)
	return value, err == nil
}

// copyFromRedis returns a value of Redis. It also copies the value to the local tier, unless an
// event has invalidated values since that epoch. The error is errNotFound, errNoRedis, errNotConnected, an error
// of Redis, or an error of the decoder.
func (n *Namespace[K, V]) copyFromRedis(key K, epoch uint64) (V, error) {
	var zero V
	data, err := n.cache.redis.get(n.keyPrefix + string(key))
	if err != nil {
		return zero, err
	}
	value, expires, err := decode[V](data)
	if err != nil {
		return zero, err
	}
	// The remaining lifetime is limited to the strategy's TTL, because the writer's clock may
	// be wrong.
	remaining := min(time.Until(expires), n.cacheStrategy.TTL)
	if remaining <= 0 {
		return zero, errNotFound
	}
	n.storeLocal(key, entry[V]{value, n.cache.clock.now() + remaining, estimateCost(key, data)}, epoch)
	return value, nil
}

// countMiss counts a read of Redis that failed with err: as a miss, and also as an error
// unless the key was absent.
func (n *Namespace[K, V]) countMiss(err error) {
	switch {
	case errors.Is(err, errNoRedis): // a miss is not counted if there is no Redis tier
	case errors.Is(err, errNotFound):
		n.counters.redisMisses.increment()
	default:
		n.counters.redisMisses.increment()
		n.counters.redisErrors.increment()
	}
}

// setLocal stores a new value in the local tier, if there is one. It returns the encoded
// value for Redis, or nil if the value cannot be encoded.
func (n *Namespace[K, V]) setLocal(key K, value V, epoch uint64) []byte {
	data, err := encode(value, time.Now().Add(n.cacheStrategy.TTL))
	if err != nil {
		n.counters.redisErrors.increment()
		n.cache.log.Error("value not cached", "strategy", n.cacheStrategy.Name, "error", err)
		return nil
	}
	n.storeLocal(key, entry[V]{value, n.cache.clock.now() + n.cacheStrategy.TTL, estimateCost(key, data)}, epoch)
	return data
}

// storeLocal stores an entry unless an event has invalidated values since epoch. An event
// increments the epoch before it drops entries. So either this call reads the new
// epoch, or the event drops the entry after this call's Set.
func (n *Namespace[K, V]) storeLocal(key K, e entry[V], epoch uint64) {
	if n.local == nil {
		return
	}
	// otter 2.3.0 evicts nothing for an entry that is overwritten before otter's maintenance
	// has seen it. The cache then stays above its bound. So each Set follows an Invalidate,
	// and otter treats the Set as an insert (TestLocalTierIsBounded).
	n.local.Invalidate(key)
	n.local.Set(key, e)
	if n.epoch.Load() != epoch {
		n.local.Invalidate(key)
	}
}

// setRedis stores an encoded value in Redis, unless data is nil or an event has invalidated
// values since epoch. If an event comes during the write, setRedis deletes the value again.
func (n *Namespace[K, V]) setRedis(key K, data []byte, epoch uint64) {
	if data == nil || n.epoch.Load() != epoch {
		return
	}
	redisKey := n.keyPrefix + string(key)
	err := n.cache.redis.set(redisKey, data, n.cacheStrategy.TTL)
	if err == nil && n.epoch.Load() != epoch {
		err = n.cache.redis.delete(redisKey)
	}
	if err != nil && !errors.Is(err, errNoRedis) {
		n.counters.redisErrors.increment()
	}
}

// estimateCost returns the estimated memory of an entry in bytes.
func estimateCost[K ~string](key K, data []byte) uint32 {
	return uint32(entryOverhead + len(key) + len(data))
}

func (n *Namespace[K, V]) strategy() Strategy { return n.cacheStrategy }
func (n *Namespace[K, V]) prefix() string     { return n.keyPrefix }
func (n *Namespace[K, V]) readCounts() counts { return n.counters.read() }

// drop removes values from the local tier: those with the ids, or all if there are no
// ids. It starts a new epoch, so running loads are not cached.
func (n *Namespace[K, V]) drop(ids []string) {
	n.epoch.Add(1)
	switch {
	case n.local == nil: // there is no local tier, so only the epoch changes
	case len(ids) == 0:
		n.local.InvalidateAll()
	default:
		for _, id := range ids {
			n.local.Invalidate(K(id))
		}
	}
}

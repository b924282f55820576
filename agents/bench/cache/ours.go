package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/progressive-framework/platform/agents/internal/cache"
)

// ours is this process' cache, with a Space for each tier, and the library of
// its local tier alone.
type ours struct {
	cache              *cache.Cache
	local, full, redis *cache.Space[userID, *plan]
	library            *otter.Cache[userID, *plan]
}

const (
	localBytes = 64 << 20
	// fullBytes holds all plans, but is more than half full of them: then otter
	// keeps count of the reads, as it must to evict, and is slower.
	fullBytes = 640 << 10
	// planBytes is what a Space counts for a plan, about.
	planBytes = 470
)

func newOurs(ctx context.Context, addresses []string) (_ *ours, err error) {
	o := &ours{}
	// Longer than the services', so that a busy machine makes no miss.
	cfg := cache.Config{Addresses: addresses, Timeout: 2 * time.Second}
	if o.cache, err = cache.New(ctx, cfg, slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	if o.local, err = cache.NewSpace[userID, *plan](o.cache, cache.NutritionData, "ours:local:", localBytes); err != nil {
		return nil, err
	}
	if o.full, err = cache.NewSpace[userID, *plan](o.cache, cache.NutritionData, "ours:full:", fullBytes); err != nil {
		return nil, err
	}
	if o.redis, err = cache.NewSpace[userID, *plan](o.cache, cache.UserSession, "ours:redis:", 0); err != nil {
		return nil, err
	}
	o.library, err = otter.New(&otter.Options[userID, *plan]{
		MaximumWeight: fullBytes, Weigher: func(userID, *plan) uint32 { return planBytes },
		ExpiryCalculator: otter.ExpiryWriting[userID, *plan](cache.NutritionData.TTL),
	})
	if err != nil {
		return nil, err
	}
	for !o.cache.Connected() {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
	for _, user := range users {
		plan := planOf(user)
		o.local.Set(user, plan)
		o.full.Set(user, plan)
		o.redis.Set(user, plan)
		o.library.Set(user, plan)
	}
	return o, nil
}

func (o *ours) contestants(ctx context.Context) []contestant {
	compare := func(name string, workers, batch int, get func(userID) bool) contestant {
		return contestant{name, func(each time.Duration) (int, error) { return hits(workers, batch, each, get) }}
	}
	return []contestant{
		compare(localLibrary, cores, localBatch, func(user userID) bool { _, ok := o.library.GetIfPresent(user); return ok }),
		compare(localOurs, cores, localBatch, func(user userID) bool { _, ok := o.local.Get(ctx, user); return ok }),
		compare(localFull, cores, localBatch, func(user userID) bool { _, ok := o.full.Get(ctx, user); return ok }),
		compare(redisOurs, inFlight, redisBatch, func(user userID) bool { _, ok := o.redis.Get(ctx, user); return ok }),
	}
}

// hits counts what get answers to so many workers, each asking again when it
// has its answer. They look at the clock after so many answers as batch says.
func hits(workers, batch int, each time.Duration, get func(userID) bool) (int, error) {
	var (
		total  atomic.Int64
		missed atomic.Bool
		all    sync.WaitGroup
		end    = time.Now().Add(each)
	)
	for worker := range workers {
		all.Go(func() {
			count := 0
			for time.Now().Before(end) {
				for range batch {
					if !get(users[(worker*97+count)%len(users)]) {
						missed.Store(true)
						return
					}
					count++
				}
			}
			total.Add(int64(count))
		})
	}
	all.Wait()
	if missed.Load() {
		return 0, errors.New("a miss")
	}
	return int(total.Load()), nil
}

// loads counts the loads when a crowd wants one value that nobody has.
func (o *ours) loads(ctx context.Context) (float64, error) {
	const user = "nobody"
	var (
		count atomic.Int64
		all   sync.WaitGroup
		begin = make(chan struct{})
		errs  = make([]error, crowd)
	)
	for i := range crowd {
		all.Go(func() {
			<-begin
			_, errs[i] = o.local.Load(ctx, user, func(context.Context) (*plan, error) {
				count.Add(1)
				time.Sleep(time.Millisecond)
				return planOf(user), nil
			})
		})
	}
	close(begin)
	all.Wait()
	return float64(count.Load()), errors.Join(append(errs, o.local.Invalidate(ctx, user))...)
}

package cache

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/progressive-framework/platform/agents/internal/testservers"
)

// benchKeys have the form of the design document's keys.
var benchKeys = func() []userID {
	keys := make([]userID, 1024)
	for i := range keys {
		keys[i] = userID(fmt.Sprintf("user-%d", i))
	}
	return keys
}()

// measureHits calls get for one key after another, and reports the hits per second.
// inFlight calls run at the same time for each core.
func measureHits(b *testing.B, inFlight int, get func(userID) bool) {
	b.Helper()
	b.SetParallelism(inFlight)
	var start atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := int(start.Add(97)); pb.Next(); i++ { // each goroutine begins with another key
			if !get(benchKeys[i%len(benchKeys)]) {
				b.Error("cache miss")
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "hits/s")
}

// BenchmarkLocalHit measures hits in the local tier. The goal is 0.8 of the rate of the
// library alone ("raw") in the same run.
func BenchmarkLocalHit(b *testing.B) {
	c, err := New(b.Context(), Config{Timeout: time.Second}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	plans, err := NewNamespace[userID, *plan](c, NutritionData, "bench:", 16<<20)
	if err != nil {
		b.Fatal(err)
	}
	library := otter.Must(&otter.Options[userID, *plan]{
		MaximumWeight: 16 << 20, Weigher: func(userID, *plan) uint32 { return 300 },
		ExpiryCalculator: otter.ExpiryWriting[userID, *plan](time.Hour),
	})
	for _, key := range benchKeys {
		plans.Set(key, &plan{Name: "x"})
		library.Set(key, &plan{Name: "x"})
	}
	b.Run("raw", func(b *testing.B) {
		measureHits(b, 1, func(key userID) bool { _, ok := library.GetIfPresent(key); return ok })
	})
	b.Run("Get", func(b *testing.B) {
		ctx := b.Context()
		measureHits(b, 1, func(key userID) bool { _, ok := plans.Get(ctx, key); return ok })
	})
	b.Run("Load", func(b *testing.B) {
		ctx := b.Context()
		load := func(context.Context) (*plan, error) { return nil, fmt.Errorf("cache miss") }
		measureHits(b, 1, func(key userID) bool { _, err := plans.Load(ctx, key, load); return err == nil })
	})
}

// BenchmarkRedisHit measures hits in Redis with three primaries and values of about 300
// bytes. On two cores it has 64 reads in flight. "raw" is the client without decoding.
func BenchmarkRedisHit(b *testing.B) {
	const inFlight = 32 // concurrent reads for each of two cores
	plans, err := NewNamespace[userID, plan](newConnectedCache(b, cluster), APIResponse, "bench:", 0)
	if err != nil {
		b.Fatal(err)
	}
	for _, key := range benchKeys {
		plans.Set(key, plan{Name: strings.Repeat("x", 250), Days: []int{1, 2, 3, 4, 5, 6, 7}, CreatedAt: time.Now()})
	}
	client := *plans.cache.redis.client.Load()
	b.Run("raw", func(b *testing.B) {
		ctx := b.Context()
		measureHits(b, inFlight, func(key userID) bool {
			_, err := client.Do(ctx, client.B().Get().Key("bench:"+string(key)).Build()).AsBytes()
			return err == nil
		})
	})
	b.Run("Get", func(b *testing.B) {
		ctx := b.Context()
		measureHits(b, inFlight, func(key userID) bool { _, ok := plans.Get(ctx, key); return ok })
	})
}

// BenchmarkDeadRedis measures a read while the breaker is open.
func BenchmarkDeadRedis(b *testing.B) {
	r, err := testservers.StartRedis(b.Context(), 0)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	plans, err := NewNamespace[userID, plan](newConnectedCache(b, r), APIResponse, "bench:", 0)
	if err != nil {
		b.Fatal(err)
	}
	for node := range 3 {
		if err := r.Kill(node); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		plans.Get(b.Context(), "user-1")
	}
}

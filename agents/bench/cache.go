package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/progressive-framework/platform/agents/internal/cache"
	"github.com/progressive-framework/platform/agents/internal/testservers"
)

const (
	// cacheCores is how many processors our cache gets. A process of Node uses
	// one, and the goals are about one process.
	cacheCores = 2
	// redisReads is how many reads of Redis are in flight; bench.js has as many.
	redisReads = 64
)

//go:embed node/package.json node/package-lock.json node/cachemanager.js node/bench.js
var cacheManager embed.FS

type userID string

// day is a day of a user's plan, some 300 bytes as JSON.
type day struct {
	UserID string `json:"userId"`
	Meals  []meal `json:"meals"`
}

type meal struct {
	Food  string  `json:"food"`
	Grams int     `json:"grams"`
	Kcal  float64 `json:"kcal"`
}

// rates are the hits per second of the local tier and of Redis.
type rates struct{ Local, Redis float64 }

// compareCaches measures our cache and the design document's CacheManager in
// turn, on one Redis Cluster of three masters, with the same values.
func compareCaches(ctx context.Context, each time.Duration, rounds int) (err error) {
	runtime.GOMAXPROCS(cacheCores)
	cluster, err := testservers.StartRedis(ctx, 0)
	if err != nil {
		return err
	}
	defer cluster.Close()
	dir, err := os.MkdirTemp("", "cache-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.CopyFS(dir, cacheManager); err != nil {
		return err
	}
	addresses, values := cluster.Addresses(), map[userID]*day{}
	for i := range 1024 { // within both local tiers, and on every master
		id := userID(fmt.Sprintf("user-%d", i))
		values[id] = &day{string(id), []meal{
			{"Oats, rolled, dry", 80, 303.2}, {"Yogurt, Greek, plain, low fat", 150, 109.5}, {"Lentils, cooked", 250, 290},
			{"Rice, brown, cooked", 200, 246}, {"Salmon, Atlantic, raw", 150, 312}, {"Broccoli, raw", 200, 68},
		}}
	}
	node := func(stdin any, name string, args ...string) ([]byte, error) {
		text, err := json.Marshal(stdin)
		if err != nil {
			return nil, err
		}
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir, cmd.Stdin, cmd.Stderr = filepath.Join(dir, "node"), bytes.NewReader(text), os.Stderr
		cmd.Env = append(os.Environ(), "NODE_ENV=production", "REDIS_ADDRESSES="+strings.Join(addresses, ","))
		out, err := cmd.Output()
		if err != nil {
			err = fmt.Errorf("%s: %w: install Debian's nodejs and npm if they are missing", name, err)
		}
		return out, err
	}
	if _, err := node(nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"); err != nil {
		return err
	}
	own, closeCache, err := newCache(ctx, addresses, values)
	if err != nil {
		return err
	}
	defer closeCache()
	ours, theirs := make([]rates, rounds), make([]rates, rounds)
	for i := range rounds {
		if ours[i], err = own(each); err != nil {
			return err
		}
		out, err := node(values, "node", "bench.js", fmt.Sprint(each.Milliseconds()), fmt.Sprint(redisReads))
		if err == nil {
			err = json.Unmarshal(out, &theirs[i])
		}
		if err != nil {
			return err
		}
	}
	fmt.Printf("| hits/s, median of %d | this cache | the document's CacheManager | ratio | goal |\n|---|---:|---:|---:|---|\n", rounds)
	for _, row := range []struct {
		name string
		rate func(rates) float64
		goal float64
	}{{"local", func(r rates) float64 { return r.Local }, 5}, {"Redis", func(r rates) float64 { return r.Redis }, 2.5}} {
		a, b := row.rate(median(ours, row.rate)), row.rate(median(theirs, row.rate))
		fmt.Printf("| %s | %.0f | %.0f | %.2f | at least %g%s |\n", row.name, a, b, a/b, row.goal, missed(a/b >= row.goal))
	}
	return nil
}

// newCache returns what measures our cache with these values.
func newCache(ctx context.Context, addresses []string, values map[userID]*day) (measure func(time.Duration) (rates, error), end func(), err error) {
	// Longer than the services' timeout: a busy machine must not cause a miss.
	c, err := cache.New(ctx, cache.Config{Addresses: addresses, Timeout: 2 * time.Second}, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, err
	}
	local, err := cache.NewSpace[userID, *day](c, cache.NutritionData, "bench:local:", 64<<20)
	if err != nil {
		return nil, nil, err
	}
	redis, err := cache.NewSpace[userID, *day](c, cache.UserSession, "bench:redis:", 0)
	for err == nil && !c.Connected() {
		time.Sleep(time.Millisecond)
		err = ctx.Err()
	}
	if err != nil {
		return nil, nil, err
	}
	var ids []userID
	for id, value := range values {
		local.Set(id, value)
		redis.Set(id, value)
		ids = append(ids, id)
	}
	return func(each time.Duration) (r rates, err error) {
		if r.Local, err = hits(ids, cacheCores, 64, each, func(id userID) bool { _, ok := local.Get(ctx, id); return ok }); err != nil {
			return r, err
		}
		r.Redis, err = hits(ids, redisReads, 1, each, func(id userID) bool { _, ok := redis.Get(ctx, id); return ok })
		return r, err
	}, c.Close, nil
}

// hits is the rate of that many workers, each of which reads its next value
// when it has one, and the clock after every batch.
func hits(ids []userID, workers, batch int, each time.Duration, get func(userID) bool) (perSecond float64, err error) {
	var (
		total, misses atomic.Int64
		all           sync.WaitGroup
		start         = time.Now()
	)
	for worker := range workers {
		all.Go(func() {
			count := 0
			for time.Since(start) < each {
				for range batch {
					if !get(ids[(worker*97+count)%len(ids)]) {
						misses.Add(1)
					}
					count++
				}
			}
			total.Add(int64(count))
		})
	}
	all.Wait()
	if n := misses.Load(); n > 0 {
		return 0, fmt.Errorf("%d of %d values were not in the cache", n, total.Load())
	}
	return float64(total.Load()) / time.Since(start).Seconds(), nil
}

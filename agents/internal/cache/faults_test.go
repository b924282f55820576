package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/testservers"
)

// newRedisCluster starts a cluster. The test may stop its nodes.
func newRedisCluster(t *testing.T, replicas int) *testservers.Redis {
	t.Helper()
	r, err := testservers.StartRedis(t.Context(), replicas)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

// requireLoads calls Load for n keys, which have slots on all primaries. No call may
// fail.
func requireLoads(t *testing.T, plans *Namespace[userID, plan], n int) {
	t.Helper()
	for i := range n {
		value, err := plans.Load(t.Context(), userID(fmt.Sprint("k", i)), func(context.Context) (plan, error) { return plan{Name: "loaded"}, nil })
		require.NoError(t, err)
		require.Equal(t, "loaded", value.Name)
	}
}

// loadUntilBreakerOpens loads until the breaker of the key's slots is open.
func loadUntilBreakerOpens(t *testing.T, plans *Namespace[userID, plan], key userID) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := plans.Load(t.Context(), key, func(context.Context) (plan, error) { return plan{}, nil })
		require.NoError(t, err)
		_, err = plans.cache.redis.get(plans.keyPrefix + string(key))
		return errors.Is(err, gobreaker.ErrOpenState)
	}, eventTimeout, time.Millisecond)
}

func TestLoadsSucceedWhileAllOfRedisIsDown(t *testing.T) {
	r := newRedisCluster(t, 0)
	plans := newPlans(t, newConnectedCache(t, r), APIResponse)
	requireLoads(t, plans, 200)
	for node := range 3 {
		require.NoError(t, r.Kill(node))
	}
	requireLoads(t, plans, 200)
	loadUntilBreakerOpens(t, plans, "k0")
	require.Error(t, plans.cache.Publish(t.Context(), DataUpdate, "k0"), "other processes may not have received the event")

	for node := range 3 {
		require.NoError(t, r.Restart(node))
	}
	require.NoError(t, r.WaitHealthy(t.Context()))
	plans.Set("back", plan{})
	require.Eventually(t, func() bool {
		plans.Set("back", plan{Name: "here"})
		value, ok := plans.Get(t.Context(), "back")
		return ok && value.Name == "here"
	}, eventTimeout, 10*time.Millisecond, "the breaker closes again")
}

// TestLoadsSucceedWhileRedisIsFrozen freezes all primaries. Their connections stay open, so
// every command waits for its timeout.
func TestLoadsSucceedWhileRedisIsFrozen(t *testing.T) {
	r := newRedisCluster(t, 0)
	c := newConnectedCache(t, r)
	c.redis.deadlines.period = 20 * time.Millisecond
	plans := newPlans(t, c, APIResponse)
	requireLoads(t, plans, 50)
	var thaws []func() error
	for node := range 3 {
		thaw, err := r.Freeze(node)
		require.NoError(t, err)
		thaws = append(thaws, thaw)
	}
	loadUntilBreakerOpens(t, plans, "k0")
	for _, thaw := range thaws {
		require.NoError(t, thaw())
	}
	require.Eventually(t, func() bool {
		plans.Set("k0", plan{Name: "here"})
		value, ok := plans.Get(t.Context(), "k0")
		return ok && value.Name == "here"
	}, eventTimeout, 10*time.Millisecond)
}

// TestLoadsSucceedWhileOneMasterIsDown checks that values on the other primaries are still
// found.
func TestLoadsSucceedWhileOneMasterIsDown(t *testing.T) {
	r := newRedisCluster(t, 0)
	_, err := r.Do(t.Context(), 1, "CONFIG", "SET", "cluster-require-full-coverage", "no")
	require.NoError(t, err)
	_, err = r.Do(t.Context(), 2, "CONFIG", "SET", "cluster-require-full-coverage", "no")
	require.NoError(t, err)
	plans := newPlans(t, newConnectedCache(t, r), APIResponse)
	for i := range 300 {
		plans.Set(userID(fmt.Sprint("k", i)), plan{Name: "loaded"})
	}
	require.NoError(t, r.Kill(0))
	requireLoads(t, plans, 300)
	requireLoads(t, plans, 300)
	found := 0
	for i := range 300 {
		if _, ok := plans.Get(t.Context(), userID(fmt.Sprint("k", i))); ok {
			found++
		}
	}
	require.Greater(t, found, 150, "two of three primaries have about 200 of the 300 values")
}

// TestLoadsSucceedDuringFailover kills a primary while loads run. No load may fail, and
// after the failover all keys must be cached again.
func TestLoadsSucceedDuringFailover(t *testing.T) {
	r := newRedisCluster(t, 1)
	plans := newPlans(t, newConnectedCache(t, r), APIResponse)
	requireLoads(t, plans, 200)
	require.NoError(t, r.Kill(0))
	loads := 0
	require.Eventually(t, func() bool {
		requireLoads(t, plans, 200)
		loads += 200
		for i := range 200 {
			if _, ok := plans.Get(t.Context(), userID(fmt.Sprint("k", i))); !ok {
				return false
			}
		}
		return true
	}, testservers.StartTimeout, 10*time.Millisecond)
	t.Logf("%d loads until all keys were cached again, 0 failed", loads)
}

func TestPasswordFileIsUsed(t *testing.T) {
	r := newRedisCluster(t, 0)
	for node := range 3 {
		_, err := r.Do(t.Context(), node, "CONFIG", "SET", "requirepass", "p-1")
		require.NoError(t, err)
	}
	file := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(file, []byte("p-1\n"), 0o600))
	c, err := New(t.Context(), Config{Addresses: r.Addresses(), PasswordFile: file, Timeout: 2 * time.Second}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	require.Eventually(t, c.IsConnected, eventTimeout, time.Millisecond)
	plans := newPlans(t, c, APIResponse)
	plans.Set("u", plan{Name: "here"})
	_, ok := plans.Get(t.Context(), "u")
	require.True(t, ok)
	noPassword := newCache(t, r.Addresses())
	requireLoads(t, newPlans(t, noPassword, APIResponse), 5)
	require.False(t, noPassword.IsConnected())
}

func TestCacheConnectsWhenRedisStartsLater(t *testing.T) {
	r := newRedisCluster(t, 0)
	for node := range 3 {
		require.NoError(t, r.Kill(node))
	}
	c := newCache(t, r.Addresses())
	plans := newPlans(t, c, APIResponse)
	requireLoads(t, plans, 10)
	require.False(t, c.IsConnected())
	for node := range 3 {
		require.NoError(t, r.Restart(node))
	}
	require.Eventually(t, c.IsConnected, eventTimeout, 10*time.Millisecond)
	require.NoError(t, r.WaitHealthy(t.Context()))
	require.Eventually(t, func() bool {
		plans.Set("k", plan{Name: "here"})
		_, ok := plans.Get(t.Context(), "k")
		return ok
	}, eventTimeout, 10*time.Millisecond)
}

func TestLocalTierWorksWithoutRedis(t *testing.T) {
	c := newCache(t, nil)
	plans := newPlans(t, c, NutritionData)
	plans.Set("u", plan{Name: "here"})
	value, ok := plans.Get(t.Context(), "u")
	require.True(t, ok)
	require.Equal(t, "here", value.Name)
	require.NoError(t, c.Publish(t.Context(), NutritionDBUpdate))
	_, ok = plans.Get(t.Context(), "u")
	require.False(t, ok)
	require.Zero(t, plans.counters.read().redisErrors)
}

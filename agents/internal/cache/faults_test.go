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

// own starts a cluster to be mistreated.
func own(t *testing.T, replicas int) *testservers.Redis {
	t.Helper()
	r, err := testservers.StartRedis(t.Context(), replicas)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

// served counts loads that fail over all slots; none may.
func served(t *testing.T, s *Space[userID, plan], n int) {
	t.Helper()
	for i := range n {
		got, err := s.Load(t.Context(), userID(fmt.Sprint("k", i)), func(context.Context) (plan, error) { return plan{Name: "loaded"}, nil })
		require.NoError(t, err)
		require.Equal(t, "loaded", got.Name)
	}
}

// cutOff loads until Redis is not even asked any more for this key.
func cutOff(t *testing.T, s *Space[userID, plan], key userID) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := s.Load(t.Context(), key, func(context.Context) (plan, error) { return plan{}, nil })
		require.NoError(t, err)
		_, err = s.cache.redis.get(s.before + string(key))
		return errors.Is(err, gobreaker.ErrOpenState)
	}, patience, time.Millisecond)
}

func TestAllOfRedisDies(t *testing.T) {
	r := own(t, 0)
	s := plans(t, process(t, r), APIResponse)
	served(t, s, 200)
	for node := range 3 {
		require.NoError(t, r.Kill(node))
	}
	served(t, s, 200)
	cutOff(t, s, "k0")
	require.Error(t, s.cache.Publish(t.Context(), DataUpdate, "k0"), "others may not have heard")

	for node := range 3 {
		require.NoError(t, r.Restart(node))
	}
	require.NoError(t, r.Whole(t.Context()))
	s.Set("back", plan{})
	require.Eventually(t, func() bool {
		s.Set("back", plan{Name: "here"})
		got, ok := s.Get(t.Context(), "back")
		return ok && got.Name == "here"
	}, patience, 10*time.Millisecond, "the breaker tries again")
}

// TestRedisFreezes: the worst death, in which nothing is refused.
func TestRedisFreezes(t *testing.T) {
	r := own(t, 0)
	c := process(t, r)
	c.redis.deadlines.period = 20 * time.Millisecond
	s := plans(t, c, APIResponse)
	served(t, s, 50)
	var thaws []func() error
	for node := range 3 {
		thaw, err := r.Freeze(node)
		require.NoError(t, err)
		thaws = append(thaws, thaw)
	}
	cutOff(t, s, "k0")
	for _, thaw := range thaws {
		require.NoError(t, thaw())
	}
	require.Eventually(t, func() bool {
		s.Set("k0", plan{Name: "here"})
		got, ok := s.Get(t.Context(), "k0")
		return ok && got.Name == "here"
	}, patience, 10*time.Millisecond)
}

// TestOneMasterDies: the others' values are still found, and nothing fails.
func TestOneMasterDies(t *testing.T) {
	r := own(t, 0)
	_, err := r.Do(t.Context(), 1, "CONFIG", "SET", "cluster-require-full-coverage", "no")
	require.NoError(t, err)
	_, err = r.Do(t.Context(), 2, "CONFIG", "SET", "cluster-require-full-coverage", "no")
	require.NoError(t, err)
	s := plans(t, process(t, r), APIResponse)
	for i := range 300 {
		s.Set(userID(fmt.Sprint("k", i)), plan{Name: "loaded"})
	}
	require.NoError(t, r.Kill(0))
	served(t, s, 300)
	served(t, s, 300)
	found := 0
	for i := range 300 {
		if _, ok := s.Get(t.Context(), userID(fmt.Sprint("k", i))); ok {
			found++
		}
	}
	require.Greater(t, found, 150, "two masters of three hold some 200")
}

// TestAReplicaTakesOver: a primary is killed under load; no load fails, and all
// keys are cached again without any doing of ours.
func TestAReplicaTakesOver(t *testing.T) {
	r := own(t, 1)
	s := plans(t, process(t, r), APIResponse)
	served(t, s, 200)
	require.NoError(t, r.Kill(0))
	loads := 0
	require.Eventually(t, func() bool {
		served(t, s, 200)
		loads += 200
		for i := range 200 {
			if _, ok := s.Get(t.Context(), userID(fmt.Sprint("k", i))); !ok {
				return false
			}
		}
		return true
	}, testservers.StartTimeout, 10*time.Millisecond)
	t.Logf("%d loads from the kill to the last key's return, 0 failed", loads)
}

func TestAPasswordFromAFile(t *testing.T) {
	r := own(t, 0)
	for node := range 3 {
		_, err := r.Do(t.Context(), node, "CONFIG", "SET", "requirepass", "p-1")
		require.NoError(t, err)
	}
	file := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(file, []byte("p-1\n"), 0o600))
	c, err := New(t.Context(), Config{Addresses: r.Addresses(), PasswordFile: file, Timeout: 2 * time.Second}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	require.Eventually(t, c.Connected, patience, time.Millisecond)
	s := plans(t, c, APIResponse)
	s.Set("u", plan{Name: "here"})
	_, ok := s.Get(t.Context(), "u")
	require.True(t, ok)
	stranger := unconnected(t, r.Addresses())
	served(t, plans(t, stranger, APIResponse), 5)
	require.False(t, stranger.Connected())
}

func TestRedisComesLater(t *testing.T) {
	r := own(t, 0)
	for node := range 3 {
		require.NoError(t, r.Kill(node))
	}
	c := unconnected(t, r.Addresses())
	s := plans(t, c, APIResponse)
	served(t, s, 10)
	require.False(t, c.Connected())
	for node := range 3 {
		require.NoError(t, r.Restart(node))
	}
	require.Eventually(t, c.Connected, patience, 10*time.Millisecond)
	require.NoError(t, r.Whole(t.Context()))
	require.Eventually(t, func() bool {
		s.Set("k", plan{Name: "here"})
		_, ok := s.Get(t.Context(), "k")
		return ok
	}, patience, 10*time.Millisecond)
}

func TestWithoutRedisThereIsTheLocalTier(t *testing.T) {
	c := unconnected(t, nil)
	s := plans(t, c, NutritionData)
	s.Set("u", plan{Name: "here"})
	got, ok := s.Get(t.Context(), "u")
	require.True(t, ok)
	require.Equal(t, "here", got.Name)
	require.NoError(t, c.Publish(t.Context(), NutritionDBUpdate))
	_, ok = s.Get(t.Context(), "u")
	require.False(t, ok)
	require.Zero(t, s.meters.read().redisErrors)
}

package cache

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConcurrentMissesShareOneLoad(t *testing.T) {
	for _, strategy := range []Strategy{NutritionData, APIResponse} { // with and without a local tier
		t.Run(strategy.Name, func(t *testing.T) {
			plans := newPlans(t, newConnectedCache(t, cluster), strategy)
			var (
				loads atomic.Int64
				start = make(chan struct{})
				wg    sync.WaitGroup
			)
			for range 1000 {
				wg.Go(func() {
					<-start
					value, err := plans.Load(t.Context(), "u", func(context.Context) (plan, error) {
						loads.Add(1)
						time.Sleep(time.Millisecond)
						return plan{Name: "one"}, nil
					})
					if err != nil || value.Name != "one" {
						t.Errorf("Load returned %v, %v", value, err)
					}
				})
			}
			close(start)
			wg.Wait()
			require.EqualValues(t, 1, loads.Load())
			require.Zero(t, plans.counters.read().redisErrors, "misses are not Redis errors")
		})
	}
}

// TestLoadsOfDifferentKeysRunConcurrently starts two loads that wait for each other. The
// loads end only if they run at the same time.
func TestLoadsOfDifferentKeysRunConcurrently(t *testing.T) {
	plans := newPlans(t, newConnectedCache(t, cluster), NutritionData)
	var bothStarted, wg sync.WaitGroup
	bothStarted.Add(2)
	for _, key := range []userID{"a", "b"} {
		wg.Go(func() {
			_, err := plans.Load(t.Context(), key, func(context.Context) (plan, error) {
				bothStarted.Done()
				bothStarted.Wait()
				return plan{}, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestLoadContinuesWhenTheFirstCallerGivesUp(t *testing.T) {
	plans := newPlans(t, newConnectedCache(t, cluster), NutritionData)
	type traceKey struct{}
	firstCtx, cancel := context.WithCancel(context.WithValue(t.Context(), traceKey{}, "trace"))
	started, finish := make(chan struct{}), make(chan struct{})
	var loads atomic.Int64
	load := func(ctx context.Context) (plan, error) {
		loads.Add(1)
		close(started)
		<-finish
		if ctx.Value(traceKey{}) != "trace" {
			return plan{}, errors.New("the load's context has lost the caller's values")
		}
		return plan{Name: "done"}, ctx.Err()
	}
	firstErr := make(chan error, 1)
	go func() { _, err := plans.Load(firstCtx, "u", load); firstErr <- err }()
	<-started
	secondErr := make(chan error, 1)
	go func() { _, err := plans.Load(t.Context(), "u", load); secondErr <- err }()
	require.Eventually(t, func() bool {
		plans.loads.mu.Lock()
		defer plans.loads.mu.Unlock()
		c := plans.loads.calls[epochKey[userID]{"u", plans.epoch.Load()}]
		return c != nil && c.waiting == 2
	}, eventTimeout, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-firstErr, context.Canceled)
	close(finish)
	require.NoError(t, <-secondErr)
	require.EqualValues(t, 1, loads.Load())
}

func TestLoadWithoutCallersIsCanceled(t *testing.T) {
	plans := newPlans(t, newConnectedCache(t, cluster), NutritionData)
	ctx, cancel := context.WithCancel(t.Context())
	canceled := make(chan struct{})
	go func() {
		_, _ = plans.Load(ctx, "u", func(ctx context.Context) (plan, error) {
			cancel()
			<-ctx.Done()
			close(canceled)
			return plan{}, ctx.Err()
		})
	}()
	<-canceled
	value, err := plans.Load(t.Context(), "u", func(context.Context) (plan, error) { return plan{Name: "new"}, nil })
	require.NoError(t, err, "a later call does not join the canceled load")
	require.Equal(t, "new", value.Name)
}

func TestFailuresAreNotCached(t *testing.T) {
	plans := newPlans(t, newConnectedCache(t, cluster), NutritionData)
	fault := errors.New("fault")
	_, err := plans.Load(t.Context(), "u", func(context.Context) (plan, error) { return plan{}, fault })
	require.ErrorIs(t, err, fault)
	_, err = plans.Load(t.Context(), "u", func(context.Context) (plan, error) { panic("the cause") })
	require.ErrorContains(t, err, "the cause", "a panic in the load's goroutine must not end the process")
	require.ErrorContains(t, err, "load_test.go")
	value, err := plans.Load(t.Context(), "u", func(context.Context) (plan, error) { return plan{Name: "good"}, nil })
	require.NoError(t, err)
	require.Equal(t, "good", value.Name)
}

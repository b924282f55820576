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

func TestAThousandMissesAreOneLoad(t *testing.T) {
	for _, strategy := range []Strategy{NutritionData, APIResponse} { // with and without a local tier
		t.Run(strategy.Name, func(t *testing.T) {
			s := plans(t, process(t, cluster), strategy)
			var (
				loads atomic.Int64
				start = make(chan struct{})
				all   sync.WaitGroup
			)
			for range 1000 {
				all.Go(func() {
					<-start
					got, err := s.Load(t.Context(), "u", func(context.Context) (plan, error) {
						loads.Add(1)
						time.Sleep(time.Millisecond)
						return plan{Name: "one"}, nil
					})
					if err != nil || got.Name != "one" {
						t.Errorf("got %v, %v", got, err)
					}
				})
			}
			close(start)
			all.Wait()
			require.EqualValues(t, 1, loads.Load())
			require.Zero(t, s.meters.read().redisErrors, "a thousand misses are no reason to doubt Redis")
		})
	}
}

// TestKeysDoNotWaitForEachOther: two loads that only end when both have begun.
func TestKeysDoNotWaitForEachOther(t *testing.T) {
	s := plans(t, process(t, cluster), NutritionData)
	var both, all sync.WaitGroup
	both.Add(2)
	for _, key := range []userID{"a", "b"} {
		all.Go(func() {
			_, err := s.Load(t.Context(), key, func(context.Context) (plan, error) {
				both.Done()
				both.Wait()
				return plan{}, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestALoadOutlivesWhoBeganIt(t *testing.T) {
	s := plans(t, process(t, cluster), NutritionData)
	type value struct{}
	first, leave := context.WithCancel(context.WithValue(t.Context(), value{}, "trace"))
	began, finish := make(chan struct{}), make(chan struct{})
	var loads atomic.Int64
	load := func(ctx context.Context) (plan, error) {
		loads.Add(1)
		close(began)
		<-finish
		if ctx.Value(value{}) != "trace" {
			return plan{}, errors.New("the context's values are lost")
		}
		return plan{Name: "done"}, ctx.Err()
	}
	gaveUp := make(chan error, 1)
	go func() { _, err := s.Load(first, "u", load); gaveUp <- err }()
	<-began
	second := make(chan error, 1)
	go func() { _, err := s.Load(t.Context(), "u", load); second <- err }()
	require.Eventually(t, func() bool {
		s.loads.mu.Lock()
		defer s.loads.mu.Unlock()
		c := s.loads.calls[asked[userID]{"u", s.epoch.Load()}]
		return c != nil && c.waiting == 2
	}, patience, time.Millisecond)
	leave()
	require.ErrorIs(t, <-gaveUp, context.Canceled)
	close(finish)
	require.NoError(t, <-second)
	require.EqualValues(t, 1, loads.Load())
}

func TestALoadThatNobodyWaitsForEnds(t *testing.T) {
	s := plans(t, process(t, cluster), NutritionData)
	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		_, _ = s.Load(ctx, "u", func(ctx context.Context) (plan, error) {
			leave()
			<-ctx.Done()
			close(ended)
			return plan{}, ctx.Err()
		})
	}()
	<-ended
	got, err := s.Load(t.Context(), "u", func(context.Context) (plan, error) { return plan{Name: "anew"}, nil })
	require.NoError(t, err, "who comes later does not join the load that was given up")
	require.Equal(t, "anew", got.Name)
}

func TestFailuresAreNotCached(t *testing.T) {
	s := plans(t, process(t, cluster), NutritionData)
	fault := errors.New("fault")
	_, err := s.Load(t.Context(), "u", func(context.Context) (plan, error) { return plan{}, fault })
	require.ErrorIs(t, err, fault)
	_, err = s.Load(t.Context(), "u", func(context.Context) (plan, error) { panic("the cause") })
	require.ErrorContains(t, err, "the cause", "a panic in our goroutine must not end the process")
	require.ErrorContains(t, err, "load_test.go")
	got, err := s.Load(t.Context(), "u", func(context.Context) (plan, error) { return plan{Name: "good"}, nil })
	require.NoError(t, err)
	require.Equal(t, "good", got.Name)
}

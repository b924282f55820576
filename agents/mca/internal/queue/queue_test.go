package queue

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// queued enters from a goroutine of its own and returns when it waits.
func queued(ctx context.Context, t *testing.T, q *Queue, p Priority, then func(leave func(), err error)) {
	t.Helper()
	before := q.Counts().Queued
	go func() { then(q.Enter(ctx, p)) }()
	require.Eventually(t, func() bool { return q.Counts().Queued == before+1 }, 5*time.Second, 50*time.Microsecond)
}

func TestTheImportantGoFirstAndTheFirstComeFirst(t *testing.T) {
	q := New(1, 6)
	leave, err := q.Enter(t.Context(), Low)
	require.NoError(t, err)
	order := make(chan string, 6)
	for _, one := range []struct {
		name     string
		priority Priority
	}{{"low 1", Low}, {"normal 1", Normal}, {"high 1", High}, {"normal 2", Normal}, {"high 2", High}, {"low 2", Low}} {
		queued(t.Context(), t, q, one.priority, func(leave func(), _ error) {
			order <- one.name
			leave()
		})
	}
	require.Equal(t, Counts{Active: 1, Limit: 1, Queued: 6, Depth: 6}, q.Counts())
	_, err = q.Enter(t.Context(), High)
	require.ErrorIs(t, err, ErrFull, "even for the important")
	leave()
	var got []string
	for range 6 {
		got = append(got, <-order)
	}
	require.Equal(t, []string{"high 1", "high 2", "normal 1", "normal 2", "low 1", "low 2"}, got)
	require.Eventually(t, func() bool { return q.Counts().Active == 0 }, 5*time.Second, time.Millisecond)
}

func TestWhoGoesAwayLeavesTheQueue(t *testing.T) {
	q := New(1, 1)
	leave, err := q.Enter(t.Context(), Normal)
	require.NoError(t, err)
	ctx, away := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	queued(ctx, t, q, Normal, func(_ func(), err error) { ended <- err })
	away()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.Equal(t, Counts{Active: 1, Limit: 1, Queued: 0, Depth: 1}, q.Counts(), "its place in the queue is free")
	_, err = q.Enter(ctx, High)
	require.ErrorIs(t, err, context.Canceled, "a request that nobody waits for takes no place")
	leave()
	require.Zero(t, q.Counts().Active)
}

// TestNoPlaceIsLostOrDoubled: whatever is cancelled when, never more than the
// limit work, and in the end every place is free again.
func TestNoPlaceIsLostOrDoubled(t *testing.T) {
	const limit, depth, callers, rounds = 3, 5, 24, 300
	q := New(limit, depth)
	var (
		working, served, full, left atomic.Int64
		all                         sync.WaitGroup
	)
	for range callers {
		all.Go(func() {
			for range rounds {
				ctx, cancel := context.WithTimeout(t.Context(), rand.N(200*time.Microsecond))
				leave, err := q.Enter(ctx, Priority(rand.IntN(int(priorities))))
				switch {
				case err == nil:
					if now := working.Add(1); now > limit {
						t.Errorf("%d work at once", now)
					}
					time.Sleep(rand.N(20 * time.Microsecond))
					working.Add(-1)
					leave()
					served.Add(1)
				case errors.Is(err, ErrFull):
					full.Add(1)
				default:
					left.Add(1)
				}
				cancel()
			}
		})
	}
	all.Wait()
	require.Equal(t, Counts{Limit: limit, Depth: depth}, q.Counts())
	require.EqualValues(t, callers*rounds, served.Load()+full.Load()+left.Load())
	t.Logf("%d served, %d refused, %d left", served.Load(), full.Load(), left.Load())
}

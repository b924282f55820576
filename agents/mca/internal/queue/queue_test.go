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

// enqueue calls Enter in a goroutine, and returns when the request is queued. The goroutine
// calls onEntered with the result of Enter.
func enqueue(ctx context.Context, t *testing.T, q *Queue, p Priority, onEntered func(leave func(), err error)) {
	t.Helper()
	queuedBefore := q.Counts().Queued
	go func() { onEntered(q.Enter(ctx, p)) }()
	require.Eventually(t, func() bool { return q.Counts().Queued == queuedBefore+1 }, 5*time.Second, 50*time.Microsecond)
}

func TestQueueServesByPriorityThenInOrder(t *testing.T) {
	q := New(1, 6)
	leave, err := q.Enter(t.Context(), Low)
	require.NoError(t, err)
	order := make(chan string, 6)
	for _, request := range []struct {
		name     string
		priority Priority
	}{{"low 1", Low}, {"normal 1", Normal}, {"high 1", High}, {"normal 2", Normal}, {"high 2", High}, {"low 2", Low}} {
		enqueue(t.Context(), t, q, request.priority, func(leave func(), _ error) {
			order <- request.name
			leave()
		})
	}
	require.Equal(t, Counts{Active: 1, Limit: 1, Queued: 6, Depth: 6}, q.Counts())
	_, err = q.Enter(t.Context(), High)
	require.ErrorIs(t, err, ErrFull, "a full queue also rejects requests of high priority")
	leave()
	var served []string
	for range 6 {
		served = append(served, <-order)
	}
	require.Equal(t, []string{"high 1", "high 2", "normal 1", "normal 2", "low 1", "low 2"}, served)
	require.Eventually(t, func() bool { return q.Counts().Active == 0 }, 5*time.Second, time.Millisecond)
}

func TestCanceledRequestLeavesTheQueue(t *testing.T) {
	q := New(1, 1)
	leave, err := q.Enter(t.Context(), Normal)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	enterErr := make(chan error, 1)
	enqueue(ctx, t, q, Normal, func(_ func(), err error) { enterErr <- err })
	cancel()
	require.ErrorIs(t, <-enterErr, context.Canceled)
	require.Equal(t, Counts{Active: 1, Limit: 1, Queued: 0, Depth: 1}, q.Counts(), "its queue entry is removed")
	_, err = q.Enter(ctx, High)
	require.ErrorIs(t, err, context.Canceled, "a canceled request takes no slot")
	leave()
	require.Zero(t, q.Counts().Active)
}

// TestSlotsAreNeitherLostNorDuplicated cancels requests at random. Never more than limit
// requests may be active, and in the end every slot must be free.
func TestSlotsAreNeitherLostNorDuplicated(t *testing.T) {
	const limit, depth, callers, rounds = 3, 5, 24, 300
	q := New(limit, depth)
	var (
		active, served, rejected, canceled atomic.Int64
		wg                                 sync.WaitGroup
	)
	for range callers {
		wg.Go(func() {
			for range rounds {
				ctx, cancel := context.WithTimeout(t.Context(), rand.N(200*time.Microsecond))
				leave, err := q.Enter(ctx, Priority(rand.IntN(int(priorityCount))))
				switch {
				case err == nil:
					if count := active.Add(1); count > limit {
						t.Errorf("%d active requests", count)
					}
					time.Sleep(rand.N(20 * time.Microsecond))
					active.Add(-1)
					leave()
					served.Add(1)
				case errors.Is(err, ErrFull):
					rejected.Add(1)
				default:
					canceled.Add(1)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	require.Equal(t, Counts{Limit: limit, Depth: depth}, q.Counts())
	require.EqualValues(t, callers*rounds, served.Load()+rejected.Load()+canceled.Load())
	t.Logf("%d served, %d rejected, %d canceled", served.Load(), rejected.Load(), canceled.Load())
}

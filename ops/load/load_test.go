package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestStallShowsInLatency: one connection sends ten requests a second, and the first response takes
// a second. Nine requests are due in that second. Their latency includes the wait.
func TestStallShowsInLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Stream{Shape: Shape{Connections: 1, PerSecond: 10, Duration: 2 * time.Second}, Send: func(_ context.Context, n int) error {
			if n == 0 {
				time.Sleep(time.Second)
			}
			return nil
		}}
		r := s.Run(t.Context())
		require.Equal(t, 20, r.Sent(), "each is sent, even if late")
		require.Equal(t, 10., r.PerSecond())
		require.Equal(t, time.Second, r.Percentile(100))
		require.Equal(t, 100*time.Millisecond, r.Latencies[10], "the last waiting request was due just before the end of the stall")
		require.Zero(t, r.Percentile(50), "no latency after the stall")
	})
}

// TestDeadServerEndsLoad: no request gets a response, and waiting requests do
// not extend the load.
func TestDeadServerEndsLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := Stream{Shape: Shape{Connections: 2, PerSecond: 100, Duration: 5 * time.Second}, Send: func(ctx context.Context, _ int) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		r := s.Run(t.Context())
		require.Equal(t, Reasons{"no response within 10s": 500}, r.Failed)
		require.LessOrEqual(t, time.Since(start), 5*time.Second+Timeout)
		require.Zero(t, r.Percentile(95))
	})
}

func TestClosedLoopSendsAfterTheResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		inFlight, highest := 0, 0
		s := Stream{Shape: Shape{Connections: 4, WarmUp: time.Second, Duration: 2 * time.Second}, Send: func(context.Context, int) error {
			mu.Lock()
			inFlight++
			highest = max(highest, inFlight)
			mu.Unlock()
			time.Sleep(10 * time.Millisecond)
			mu.Lock()
			inFlight--
			mu.Unlock()
			return nil
		}}
		r := s.Run(t.Context())
		require.Equal(t, 4, highest)
		require.Equal(t, 4*200, r.Sent(), "the warm-up is not counted")
		require.InDelta(t, 400, r.PerSecond(), 1)
		require.Equal(t, 10*time.Millisecond, r.Percentile(99))
	})
}

func TestInterruptedLoadReturnsResultSoFar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 950*time.Millisecond)
		defer cancel()
		s := Stream{Shape: Shape{Connections: 1, PerSecond: 10, Duration: time.Hour}, Send: func(ctx context.Context, n int) error {
			if n == 9 {
				<-ctx.Done() // canceled
			}
			return ctx.Err()
		}}
		r := s.Run(ctx)
		require.Len(t, r.Latencies, 9)
		require.Empty(t, r.Failed, "a canceled request has not failed")
		require.Equal(t, 950*time.Millisecond, r.Elapsed)
	})
}

func TestReasonsAreListed(t *testing.T) {
	require.Equal(t, "2 times: a; 1 times: b", Reasons{"b": 1, "a": 2}.String())
}

func TestReasonsAreBounded(t *testing.T) {
	var reasons Reasons
	for i := range 10 * maxReasons {
		reasons.Add(fmt.Sprint(i))
	}
	require.Len(t, reasons, maxReasons+1)
	require.Equal(t, 10*maxReasons, reasons.Total())
	require.Equal(t, "connection refused", failureReason(fmt.Errorf("dial 127.0.0.1:50123: %w", errors.New("connection refused"))), "without the port, which differs each time")
}

func TestPercentilesAreTheNearestRank(t *testing.T) {
	var r Result
	for i := range 20 {
		r.Latencies = append(r.Latencies, time.Duration(i+1))
	}
	for p, want := range map[int]time.Duration{0: 1, 5: 1, 50: 10, 95: 19, 99: 20, 100: 20} {
		require.Equal(t, want, r.Percentile(p), p)
	}
	require.Zero(t, Result{}.Percentile(99))
	require.Equal(t, 5, r.CountSlower(15), "those that took 16 to 20")
	require.Zero(t, r.CountSlower(20))
}

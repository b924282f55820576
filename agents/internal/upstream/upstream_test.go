package upstream

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/telemetry"
)

// eventTimeout bounds the wait for an event. In a passing test the event comes much earlier.
const eventTimeout = 20 * time.Second

// newClient returns a client of a server with this handler. It sends no second attempt while
// the first one runs, unless the test sets Client.after.
func newClient(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The server notices a disconnect only after it has read the body.
		_, _ = io.Copy(io.Discard, r.Body)
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	u, err := New("npa", server.URL, &telemetry.Tracing{})
	require.NoError(t, err)
	t.Cleanup(u.CloseIdleConnections)
	c := NewClient(u)
	c.after = func(time.Duration, func()) func() bool { return func() bool { return true } } // never calls the function
	return c
}

// post sends a small request.
func (c *Client) post(t *testing.T) (Response, error) {
	t.Helper()
	return c.Post(t.Context(), "/plan", http.Header{}, []byte(`{}`))
}

func TestBaseURLMustBeSchemeAndHost(t *testing.T) {
	for base, valid := range map[string]bool{
		"http://npa-service": true, "https://npa.example.com:8443/": true, "npa-service": false, "http://": false, "http://npa/api": false,
	} {
		_, err := New("npa", base, &telemetry.Tracing{})
		require.Equal(t, valid, err == nil, base)
	}
}

func TestBreakerOpensAndClosesAfterRecovery(t *testing.T) {
	var requests atomic.Int64
	var broken atomic.Bool
	c := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	require.Equal(t, "closed", c.Upstream().BreakerState())
	broken.Store(true)
	for range minRequests {
		_, err := c.post(t)
		require.Error(t, err)
	}
	require.Equal(t, "open", c.Upstream().BreakerState())
	requestsBefore := requests.Load()
	for range 100 {
		_, err := c.post(t)
		require.ErrorIs(t, err, ErrOpen)
	}
	require.Equal(t, requestsBefore, requests.Load(), "an open breaker sends nothing")
	broken.Store(false)
	require.Eventually(t, func() bool {
		_, err := c.post(t)
		return err == nil && c.Upstream().BreakerState() == "closed"
	}, eventTimeout, 10*time.Millisecond, "probes close the breaker")
}

func TestCanceledRequestsDoNotOpenTheBreaker(t *testing.T) {
	c := newClient(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for range 2 * minRequests {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		time.AfterFunc(time.Millisecond, cancel)
		_, err := c.Post(ctx, "/", http.Header{}, nil)
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Equal(t, "closed", c.Upstream().BreakerState())
}

// TestClientErrorsAreResponses checks that a response 4xx does not open the breaker, and
// that the request is not sent again.
func TestClientErrorsAreResponses(t *testing.T) {
	var requests atomic.Int64
	c := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.WriteHeader(http.StatusUnprocessableEntity)
	})
	for range 2 * minRequests {
		response, err := c.post(t)
		require.NoError(t, err)
		require.Equal(t, http.StatusUnprocessableEntity, response.Status)
	}
	require.EqualValues(t, 2*minRequests, requests.Load())
	require.Equal(t, "closed", c.Upstream().BreakerState())
}

// TestSlowResponseIsHedged lets the first attempt hang. The response of the second attempt must
// count.
func TestSlowResponseIsHedged(t *testing.T) {
	var hangNext atomic.Bool // whether the next request hangs
	hanging := make(chan struct{})
	c := newClient(t, func(_ http.ResponseWriter, r *http.Request) {
		if hangNext.CompareAndSwap(true, false) {
			close(hanging)
			<-r.Context().Done()
		}
	})
	for range minSamples + 10 { // enough for a percentile and one second attempt
		response, err := c.post(t)
		require.NoError(t, err)
		require.False(t, response.Hedged)
	}
	c.after = func(d time.Duration, second func()) func() bool {
		require.GreaterOrEqual(t, d, minHedgeDelay, "fast services are not hedged at their p95")
		go func() {
			<-hanging // otherwise the second attempt could be the one that hangs
			second()
		}()
		return func() bool { return false }
	}
	hangNext.Store(true)
	response, err := c.post(t)
	require.NoError(t, err, "the test would hang without the second attempt")
	require.True(t, response.Hedged)
}

// TestSecondAttemptCountsWhenTheFirstAttemptFails lets the first attempt fail while the second one runs.
// The result of the second attempt must count.
func TestSecondAttemptCountsWhenTheFirstAttemptFails(t *testing.T) {
	for _, row := range []struct {
		reason       string
		secondStatus int
	}{{"the second attempt succeeds", http.StatusOK}, {"the second attempt fails too", http.StatusBadGateway}} {
		t.Run(row.reason, func(t *testing.T) {
			var requests atomic.Int64
			firstReceived, secondReceived := make(chan struct{}), make(chan struct{})
			c := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
				switch requests.Add(1) {
				case 1:
					close(firstReceived)
					<-secondReceived
					w.WriteHeader(http.StatusInternalServerError)
				case 2:
					close(secondReceived)
					time.Sleep(20 * time.Millisecond) // the first attempt fails in this time
					w.WriteHeader(row.secondStatus)
				}
			})
			for range minSamples + 10 {
				c.latency.add(time.Millisecond)
				c.budget.earn()
			}
			c.after = func(_ time.Duration, second func()) func() bool {
				go func() {
					<-firstReceived // otherwise the second attempt could arrive first
					second()
				}()
				return func() bool { return false }
			}
			response, err := c.post(t)
			require.EqualValues(t, 2, requests.Load(), "there is no third attempt")
			require.True(t, response.Hedged)
			require.Equal(t, row.secondStatus != http.StatusOK, err != nil, "%v", err)
		})
	}
}

// TestHedgesStayWithinTheBudget checks that at most a tenth of the requests is sent twice,
// even if every response is slow.
func TestHedgesStayWithinTheBudget(t *testing.T) {
	const calls = 500
	var requests atomic.Int64
	c := newClient(t, func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	c.after = func(_ time.Duration, second func()) func() bool {
		go second()
		return func() bool { return false }
	}
	for range calls {
		_, err := c.post(t)
		require.NoError(t, err)
	}
	require.LessOrEqual(t, requests.Load(), int64(calls+calls/10))
}

// TestSecondAttemptFixesFailuresWithinTheBudget lets 30 % of the attempts fail. The budget allows
// 10 % more requests, so at most a third of the failures can be fixed.
func TestSecondAttemptFixesFailuresWithinTheBudget(t *testing.T) {
	const calls = 1000
	var requests atomic.Int64
	c := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1)%10 < 3 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	failed := 0
	for range calls {
		if _, err := c.post(t); err != nil {
			failed++
		}
	}
	require.LessOrEqual(t, requests.Load(), int64(calls+calls/10))
	require.Less(t, failed, calls*28/100, "without second attempts, 30 % of the calls fail")
	t.Logf("%d of %d failed, %d requests", failed, calls, requests.Load())
}

func TestPercentileIsComputedFromRecentResponses(t *testing.T) {
	var l latency
	for i := range minSamples - 1 {
		l.add(time.Duration(i))
	}
	require.Zero(t, l.percentile95(), "no percentile yet")
	for i := range recentCount {
		l.add(time.Duration(i) * time.Millisecond)
	}
	require.InDelta(t, 121, l.percentile95().Milliseconds(), sortEvery, "the 95th percentile of 0, 1, … %d ms: 128*95/100 = 121", recentCount-1)
}

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

// soon bounds what must happen at some time; no test waits for it.
const soon = 20 * time.Second

func client(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Read to the end, or the server would not see that the client leaves.
		_, _ = io.Copy(io.Discard, r.Body)
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	u, err := New("npa", server.URL, &telemetry.Tracing{})
	require.NoError(t, err)
	t.Cleanup(u.CloseIdleConnections)
	c := NewClient(u)
	c.after = func(time.Duration, func()) func() bool { return func() bool { return true } } // no answer is late unless the test says so
	return c
}

func (c *Client) ask(t *testing.T) (Answer, error) {
	t.Helper()
	return c.Post(t.Context(), "/plan", http.Header{}, []byte(`{}`))
}

func TestBaseURLs(t *testing.T) {
	for base, good := range map[string]bool{
		"http://npa-service": true, "https://npa.example.com:8443/": true, "npa-service": false, "http://": false, "http://npa/api": false,
	} {
		_, err := New("npa", base, &telemetry.Tracing{})
		require.Equal(t, good, err == nil, base)
	}
}

func TestTheBreakerOpensAndLetsTheServiceRecover(t *testing.T) {
	var asked atomic.Int64
	var broken atomic.Bool
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	require.Equal(t, "closed", c.Upstream().Breaker())
	broken.Store(true)
	for range enough {
		_, err := c.ask(t)
		require.Error(t, err)
	}
	require.Equal(t, "open", c.Upstream().Breaker())
	before := asked.Load()
	for range 100 {
		_, err := c.ask(t)
		require.ErrorIs(t, err, ErrOpen)
	}
	require.Equal(t, before, asked.Load(), "while it is open nothing is sent")
	broken.Store(false)
	require.Eventually(t, func() bool {
		_, err := c.ask(t)
		return err == nil && c.Upstream().Breaker() == "closed"
	}, soon, 10*time.Millisecond, "probes find it well")
}

func TestWhoLeavesDoesNotOpenTheBreaker(t *testing.T) {
	c := client(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for range 2 * enough {
		ctx, leave := context.WithTimeout(t.Context(), time.Minute)
		time.AfterFunc(time.Millisecond, leave)
		_, err := c.Post(ctx, "/", http.Header{}, nil)
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Equal(t, "closed", c.Upstream().Breaker())
}

// TestAClientsMistakeIsAnAnswer: 4xx neither opens the breaker nor is asked
// again.
func TestAClientsMistakeIsAnAnswer(t *testing.T) {
	var asked atomic.Int64
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusUnprocessableEntity)
	})
	for range 2 * enough {
		answer, err := c.ask(t)
		require.NoError(t, err)
		require.Equal(t, http.StatusUnprocessableEntity, answer.Status)
	}
	require.EqualValues(t, 2*enough, asked.Load())
	require.Equal(t, "closed", c.Upstream().Breaker())
}

// TestALateAnswerIsHedged: one try hangs, the other one answers.
func TestALateAnswerIsHedged(t *testing.T) {
	var hang atomic.Bool
	c := client(t, func(_ http.ResponseWriter, r *http.Request) {
		if hang.CompareAndSwap(true, false) {
			<-r.Context().Done()
		}
	})
	for range warm + 10 { // the percentile is known and a second try earned
		answer, err := c.ask(t)
		require.NoError(t, err)
		require.False(t, answer.Hedged)
	}
	c.after = func(d time.Duration, second func()) func() bool {
		require.GreaterOrEqual(t, d, soonest, "a twentieth of answers in microseconds is not late")
		go second()
		return func() bool { return false }
	}
	hang.Store(true)
	answer, err := c.ask(t)
	require.NoError(t, err, "the test would hang without the second try")
	require.True(t, answer.Hedged)
}

// TestALateAnswerThatFails leaves the word to the second try.
func TestALateAnswerThatFails(t *testing.T) {
	for _, row := range []struct {
		reason string
		second int
	}{{"which is good", http.StatusOK}, {"which fails as well", http.StatusBadGateway}} {
		t.Run(row.reason, func(t *testing.T) {
			var asked atomic.Int64
			secondAsked := make(chan struct{})
			c := client(t, func(w http.ResponseWriter, _ *http.Request) {
				switch asked.Add(1) {
				case 1:
					<-secondAsked
					w.WriteHeader(http.StatusInternalServerError)
				case 2:
					close(secondAsked)
					time.Sleep(20 * time.Millisecond) // the first fails meanwhile
					w.WriteHeader(row.second)
				}
			})
			for range warm + 10 {
				c.latency.add(time.Millisecond)
				c.budget.earn()
			}
			c.after = func(_ time.Duration, second func()) func() bool { return time.AfterFunc(time.Millisecond, second).Stop }
			answer, err := c.ask(t)
			require.EqualValues(t, 2, asked.Load(), "it is not asked a third time")
			require.True(t, answer.Hedged)
			require.Equal(t, row.second != http.StatusOK, err != nil, "%v", err)
		})
	}
}

// TestHedgesStayWithinTheBudget: every answer is late, and yet the upstream is
// asked at most a tenth more often.
func TestHedgesStayWithinTheBudget(t *testing.T) {
	const questions = 500
	var asked atomic.Int64
	c := client(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	c.after = func(_ time.Duration, second func()) func() bool {
		go second()
		return func() bool { return false }
	}
	for range questions {
		_, err := c.ask(t)
		require.NoError(t, err)
	}
	require.LessOrEqual(t, asked.Load(), int64(questions+questions/10))
}

// TestSomeFailuresAreMendedByTheSecondTry: of 30 % failures a third is, which
// is what a tenth of extra requests can do.
func TestSomeFailuresAreMendedByTheSecondTry(t *testing.T) {
	const questions = 1000
	var asked atomic.Int64
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1)%10 < 3 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	failed := 0
	for range questions {
		if _, err := c.ask(t); err != nil {
			failed++
		}
	}
	require.LessOrEqual(t, asked.Load(), int64(questions+questions/10))
	require.Less(t, failed, questions*28/100)
	t.Logf("%d of %d failed, %d requests", failed, questions, asked.Load())
}

func TestThePercentile(t *testing.T) {
	var l latency
	for i := range warm - 1 {
		l.add(time.Duration(i))
	}
	require.Zero(t, l.percentile95(), "too little is known")
	for i := range sample {
		l.add(time.Duration(i) * time.Millisecond)
	}
	require.InDelta(t, 121, l.percentile95().Milliseconds(), sortEvery)
}

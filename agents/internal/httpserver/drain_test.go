package httpserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// balancer sends to the backends that were ready when last asked, as a
// Kubernetes service does.
type balancer struct {
	mu       sync.Mutex
	idle     *sync.Cond
	backends []string
	underWay map[string]int
	next     int
}

func newBalancer(backends ...string) *balancer {
	b := &balancer{backends: backends, underWay: map[string]int{}}
	b.idle = sync.NewCond(&b.mu)
	return b
}

// take returns the next backend; done says that the request to it is over.
func (b *balancer) take() (backend string, done func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	backend = b.backends[b.next%len(b.backends)]
	b.next++
	b.underWay[backend]++
	return backend, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.underWay[backend]--
		b.idle.Broadcast()
	}
}

// remove takes a backend out and returns when the last request that was
// already given to it is over.
func (b *balancer) remove(backend string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := b.backends[:0:0]
	for _, other := range b.backends {
		if other != backend {
			kept = append(kept, other)
		}
	}
	b.backends = kept
	for b.underWay[backend] > 0 {
		b.idle.Wait()
	}
}

// TestDrainUnderLoad ends one of two servers while clients send through a
// balancer, and counts failures. Posts on kept connections are sent, because
// Go's client repeats a GET whose connection broke and so would hide one. The
// drain's delay ends when the balancer has seen the readiness fall, and not
// before the server has served a good number of requests while draining.
func TestDrainUnderLoad(t *testing.T) {
	const (
		clients   = 8
		before    = 400   // requests before the end is asked for
		during    = 100   // that the draining server must still serve
		after     = 25    // each client's once the server is gone
		mostTotal = 50000 // a client ends here whatever happens
	)
	var drainServed, told atomic.Int64
	handler := func(state *atomic.Pointer[State]) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if s := state.Load(); s != nil {
				if r.URL.Path == "/health/ready" {
					s.Ready(w, r)
					return
				}
				if s.Phase() == Draining {
					drainServed.Add(1)
				}
			}
			_, _ = io.Copy(w, r.Body)
		})
	}
	delayOver := make(chan time.Time)
	var leavingState, stayingState atomic.Pointer[State]
	leaving := launchUntil(t, handler(&leavingState), delayOver)
	leavingState.Store(leaving.state)
	staying := launch(t, handler(&stayingState))
	lb := newBalancer(leaving.address, staying.address)

	var (
		sent   atomic.Int64
		failed = make(chan error, clients)
		gone   = make(chan struct{})
		all    sync.WaitGroup
	)
	for range clients {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: patience}
			defer client.CloseIdleConnections()
			for rest := after; rest > 0 && sent.Load() < mostTotal; {
				closes, err := post(t.Context(), client, lb, fmt.Sprint("message ", sent.Add(1)))
				if err != nil {
					failed <- err
					return
				}
				if closes {
					told.Add(1)
				}
				select {
				case <-gone:
					rest--
				default:
				}
			}
		})
	}

	until := func(what string, condition func() bool) {
		t.Helper()
		require.Eventually(t, condition, patience, time.Millisecond, what)
	}
	until("load", func() bool { return sent.Load() >= before })
	leaving.stop()
	until("readiness falls", func() bool {
		answer, _ := do(t, http.MethodGet, leaving.url("/health/ready"), nil, nil)
		return answer.StatusCode == http.StatusServiceUnavailable
	})
	until("served while draining", func() bool { return drainServed.Load() >= during })
	lb.remove(leaving.address)
	close(delayOver)
	require.NoError(t, <-leaving.ended)
	close(gone)
	all.Wait()

	close(failed)
	for err := range failed {
		t.Error(err)
	}
	require.Less(t, sent.Load(), int64(mostTotal), "the load must end because the server left")
	require.GreaterOrEqual(t, told.Load(), int64(during), "answers of a draining server ask to close")
	_, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", leaving.address)
	require.Error(t, err, "the server that left listens no more")
	t.Logf("%d requests, %d of them to the draining server, 0 failed", sent.Load(), drainServed.Load())
}

// post sends one message through the balancer, reads its echo, and says
// whether the answer asked to close the connection.
func post(ctx context.Context, client *http.Client, lb *balancer, message string) (closes bool, err error) {
	backend, done := lb.take()
	defer done()
	// The plain reader has no GetBody, so that the client can't repeat it.
	body := io.MultiReader(strings.NewReader(message))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+backend+"/", body)
	if err != nil {
		return false, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return false, err
	}
	defer answer.Body.Close()
	echo, err := io.ReadAll(answer.Body)
	if err != nil {
		return false, err
	}
	if answer.StatusCode != http.StatusOK || string(echo) != message {
		return false, fmt.Errorf("%s answered %d %q to %q", backend, answer.StatusCode, echo, message)
	}
	return answer.Close, nil
}

// TestRequestUnderWayOutlivesTheListener: what began before the shutdown ends
// well, and its context with it.
func TestRequestUnderWayOutlivesTheListener(t *testing.T) {
	began, release := make(chan struct{}), make(chan struct{})
	server := launch(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-release
		_, _ = fmt.Fprint(w, "context: ", r.Context().Err())
	}))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.url("/"), nil)
	require.NoError(t, err)
	result := make(chan string, 1)
	go func() {
		answer, err := (&http.Transport{}).RoundTrip(request)
		if err != nil {
			result <- err.Error()
			return
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		result <- fmt.Sprint(answer.StatusCode, " ", string(text), " ", err)
	}()
	<-began
	server.stop()
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.address)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, patience, time.Millisecond, "the listener closes while the request is under way")
	require.Empty(t, server.ended, "Serve waits for the request")
	close(release)
	require.Equal(t, "200 context: <nil> <nil>", <-result)
	require.NoError(t, <-server.ended)
}

// TestCutOff: a request that does not end in time is cancelled, and the
// service says so instead of claiming a full drain.
func TestCutOff(t *testing.T) {
	began, cancelled := make(chan struct{}), make(chan struct{})
	server := launch(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		close(cancelled)
	}), func(cfg *Config) { cfg.ShutdownTimeout = 20 * time.Millisecond })
	conn := dial(t, server.address)
	_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	require.NoError(t, err)
	<-began
	server.stop()
	require.ErrorIs(t, <-server.ended, context.DeadlineExceeded)
	<-cancelled
}

// TestKeptConnectionDuringTheDrain: a connection that was idle when the drain
// began still carries its next request, and is closed with the answer.
func TestKeptConnectionDuringTheDrain(t *testing.T) {
	delayOver := make(chan time.Time)
	server := launchUntil(t, http.NotFoundHandler(), delayOver)
	conn := dial(t, server.address)
	const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	_, err := io.WriteString(conn, request)
	require.NoError(t, err)
	answers := bufio.NewReader(conn)
	first, err := http.ReadResponse(answers, nil)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, first.Body)
	require.NoError(t, err)
	require.False(t, first.Close)

	server.stop()
	require.Eventually(t, func() bool { return server.state.Phase() == Draining }, patience, time.Millisecond)
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	rest, err := io.ReadAll(answers)
	require.NoError(t, err, "the server closes after the answer")
	require.Contains(t, string(rest), "404 Not Found")
	require.Contains(t, string(rest), "Connection: close")
	close(delayOver)
	require.NoError(t, <-server.ended)
}

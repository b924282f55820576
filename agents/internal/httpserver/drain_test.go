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

// balancer sends requests to ready backends, as a Kubernetes Service does.
type balancer struct {
	mu       sync.Mutex
	ended    *sync.Cond // a request has ended
	backends []string
	inFlight map[string]int
	next     int
}

// newBalancer returns a balancer of these addresses.
func newBalancer(backends ...string) *balancer {
	b := &balancer{backends: backends, inFlight: map[string]int{}}
	b.ended = sync.NewCond(&b.mu)
	return b
}

// startRequest returns the backend for the next request, and counts the request as running.
// The caller must call done at the end of the request.
func (b *balancer) startRequest() (backend string, done func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	backend = b.backends[b.next%len(b.backends)]
	b.next++
	b.inFlight[backend]++
	return backend, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.inFlight[backend]--
		b.ended.Broadcast()
	}
}

// remove removes a backend and waits until its last request has ended.
func (b *balancer) remove(backend string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var remaining []string
	for _, other := range b.backends {
		if other != backend {
			remaining = append(remaining, other)
		}
	}
	b.backends = remaining
	for b.inFlight[backend] > 0 {
		b.ended.Wait()
	}
}

// TestDrainUnderLoadFailsNoRequest stops one of two servers while clients send requests
// through a balancer, and counts the failures. The clients send POST on kept-alive
// connections: Go's client repeats a GET after a broken connection, and that would hide a
// failure. The drain delay ends when readiness is 503 and the draining server has served
// enough requests.
func TestDrainUnderLoadFailsNoRequest(t *testing.T) {
	const (
		clients        = 8
		requestsBefore = 400   // requests before the shutdown starts
		requestsDuring = 100   // requests that the draining server must serve
		requestsAfter  = 25    // requests of each client after the server has stopped
		maxTotal       = 50000 // ends the clients if the test fails
	)
	var drainServed, closedConnections atomic.Int64
	newHandler := func(state *atomic.Pointer[State]) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if s := state.Load(); s != nil {
				if r.URL.Path == "/health/ready" {
					s.ServeReadiness(w, r)
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
	var stoppingState, runningState atomic.Pointer[State]
	stopping := launchWithDrainDelay(t, newHandler(&stoppingState), delayOver)
	stoppingState.Store(stopping.state)
	running := launch(t, newHandler(&runningState))
	lb := newBalancer(stopping.address, running.address)

	var (
		sent          atomic.Int64
		failures      = make(chan error, clients)
		serverStopped = make(chan struct{})
		wg            sync.WaitGroup
	)
	for range clients {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: eventTimeout}
			defer client.CloseIdleConnections()
			for remaining := requestsAfter; remaining > 0 && sent.Load() < maxTotal; {
				closes, err := post(t.Context(), client, lb, fmt.Sprint("message ", sent.Add(1)))
				if err != nil {
					failures <- err
					return
				}
				if closes {
					closedConnections.Add(1)
				}
				select {
				case <-serverStopped:
					remaining--
				default:
				}
			}
		})
	}

	waitFor := func(event string, condition func() bool) {
		t.Helper()
		require.Eventually(t, condition, eventTimeout, time.Millisecond, event)
	}
	waitFor("load", func() bool { return sent.Load() >= requestsBefore })
	stopping.stop()
	waitFor("readiness 503", func() bool {
		response, _ := sendRequest(t, http.MethodGet, stopping.url("/health/ready"), nil, nil)
		return response.StatusCode == http.StatusServiceUnavailable
	})
	waitFor("served while draining", func() bool { return drainServed.Load() >= requestsDuring })
	lb.remove(stopping.address)
	close(delayOver)
	require.NoError(t, <-stopping.serveErr)
	close(serverStopped)
	wg.Wait()

	close(failures)
	for err := range failures {
		t.Error(err)
	}
	require.Less(t, sent.Load(), int64(maxTotal), "the clients must end because the server has stopped")
	require.GreaterOrEqual(t, closedConnections.Load(), int64(requestsDuring), "a draining server closes connections")
	_, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", stopping.address)
	require.Error(t, err, "the stopped server does not listen")
	t.Logf("%d requests, %d of them to the draining server, 0 failed", sent.Load(), drainServed.Load())
}

// post sends one message through the balancer and reads its echo. closes
// reports whether the response closes the connection.
func post(ctx context.Context, client *http.Client, lb *balancer, message string) (closes bool, err error) {
	backend, done := lb.startRequest()
	defer done()
	// The plain reader has no GetBody, so the client cannot repeat the request.
	body := io.MultiReader(strings.NewReader(message))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+backend+"/", body)
	if err != nil {
		return false, err
	}
	response, err := client.Do(request)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	echo, err := io.ReadAll(response.Body)
	if err != nil {
		return false, err
	}
	if response.StatusCode != http.StatusOK || string(echo) != message {
		return false, fmt.Errorf("%s responded %d %q to %q", backend, response.StatusCode, echo, message)
	}
	return response.Close, nil
}

// TestRunningRequestSucceedsAfterTheListenerHasClosed checks that a request that began before the
// shutdown succeeds, and that its context is not canceled.
func TestRunningRequestSucceedsAfterTheListenerHasClosed(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	server := launch(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(started)
		<-release
		_, _ = fmt.Fprint(w, "context: ", r.Context().Err())
	}))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.url("/"), nil)
	require.NoError(t, err)
	outcome := make(chan string, 1)
	go func() {
		response, err := (&http.Transport{}).RoundTrip(request)
		if err != nil {
			outcome <- err.Error()
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		outcome <- fmt.Sprint(response.StatusCode, " ", string(body), " ", err)
	}()
	<-started
	server.stop()
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.address)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, eventTimeout, time.Millisecond, "the listener closes while the request runs")
	require.Empty(t, server.serveErr, "Serve waits for the request")
	close(release)
	require.Equal(t, "200 context: <nil> <nil>", <-outcome)
	require.NoError(t, <-server.serveErr)
}

// TestRequestBeyondShutdownTimeoutIsCanceled also checks that Serve then returns an error.
func TestRequestBeyondShutdownTimeoutIsCanceled(t *testing.T) {
	started, canceled := make(chan struct{}), make(chan struct{})
	server := launch(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
		close(canceled)
	}), func(cfg *Config) { cfg.ShutdownTimeout = 20 * time.Millisecond })
	conn := dial(t, server.address)
	_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	require.NoError(t, err)
	<-started
	server.stop()
	require.ErrorIs(t, <-server.serveErr, context.DeadlineExceeded)
	<-canceled
}

// TestIdleConnectionIsServedDuringTheDrain checks that a connection which is idle when the
// drain starts can send one more request. The response closes the connection.
func TestIdleConnectionIsServedDuringTheDrain(t *testing.T) {
	delayOver := make(chan time.Time)
	server := launchWithDrainDelay(t, http.NotFoundHandler(), delayOver)
	conn := dial(t, server.address)
	const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	_, err := io.WriteString(conn, request)
	require.NoError(t, err)
	responses := bufio.NewReader(conn)
	firstResponse, err := http.ReadResponse(responses, nil)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, firstResponse.Body)
	require.NoError(t, err)
	require.False(t, firstResponse.Close)

	server.stop()
	require.Eventually(t, func() bool { return server.state.Phase() == Draining }, eventTimeout, time.Millisecond)
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	secondResponse, err := io.ReadAll(responses)
	require.NoError(t, err, "the server closes after the response")
	require.Contains(t, string(secondResponse), "404 Not Found")
	require.Contains(t, string(secondResponse), "Connection: close")
	close(delayOver)
	require.NoError(t, <-server.serveErr)
}

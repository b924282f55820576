package load

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

func TestOnlyLoopbackAddressesAreDialed(t *testing.T) {
	for address, allowed := range map[string]bool{
		"127.0.0.1:80": true, "127.9.9.9:80": true, "[::1]:80": true, "[::ffff:127.0.0.1]:80": true,
		"192.0.2.1:80": false, "0.0.0.0:80": false, "[::]:80": false, "[2001:db8::1]:80": false, "localhost:80": false,
	} {
		require.Equal(t, allowed, checkLoopback("tcp", address, nil) == nil, address)
	}
}

// TestRedirectIsNotFollowed: a redirect may lead to another host.
func TestRedirectIsNotFollowed(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("https://example.com", http.StatusFound))
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	require.NoError(t, err)
	client := NewClient(base, "u", "t", 1, false)
	t.Cleanup(client.HTTP.CloseIdleConnections)
	require.Equal(t, InvalidResponse("status 302"), client.Send(t.Context(), Health, 0))
}

func TestSharesMatchTheDesignDocument(t *testing.T) {
	var main, agents float64
	for _, r := range Requests {
		shape := r.Shape(100, 350, time.Minute)
		require.Positive(t, shape.Connections, r.Name)
		require.Positive(t, r.Limit, r.Name)
		switch r.Scenario {
		case Main:
			main += shape.PerSecond
		case Agents:
			agents += shape.PerSecond
			require.Equal(t, 34, shape.Connections, "a third of 100, rounded up")
		case WebSocket:
			require.Equal(t, 50, shape.Connections, "the design document's limit")
			require.Equal(t, 10., shape.PerSecond, "each sends once in five seconds")
		}
	}
	require.InDelta(t, 350, main, 1e-9)
	require.InDelta(t, 350, agents, 1e-9)
	require.Equal(t, 200, int(math.Round(GetProfile.Shape(1, 350, 0).PerSecond)), "20 of 35")
}

// TestUncachedRequestsDiffer: each body is different, and the original request is not changed.
func TestUncachedRequestsDiffer(t *testing.T) {
	for _, r := range Requests {
		uncached := r.WithUncachedBody()
		if r.Scenario != Agents {
			require.Equal(t, r.Body == nil, uncached.Body == nil, r.Name)
			continue
		}
		original := r.Body("u", 0)
		require.NotEqual(t, uncached.Body("u", 0), uncached.Body("u", 0), r.Name)
		require.Equal(t, original, r.Body("u", 0), r.Name)
	}
}

// All requests of a client share its limiter, whatever their path and connection. The limiter
// allows two requests here, so the third one must wait.
func TestLimiterDelaysAllStreams(t *testing.T) {
	var sent atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		sent.Add(1)
		_, _ = w.Write([]byte(`{"status":"ok"}`))
	}))
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	require.NoError(t, err)
	client := NewClient(base, "u", "t", 1, false)
	t.Cleanup(client.HTTP.CloseIdleConnections)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client.Limiter = rate.NewLimiter(rate.Every(time.Hour), 2)
	require.NoError(t, client.Send(ctx, Health, 0))
	require.NoError(t, client.Send(ctx, Request{Method: http.MethodGet, Path: "/"}, 0))
	require.ErrorContains(t, client.Send(ctx, Health, 1), "would exceed context deadline")
	require.EqualValues(t, 2, sent.Load())
}

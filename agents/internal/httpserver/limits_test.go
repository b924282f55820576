package httpserver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// eventTimeout bounds the wait for an event. In a passing test the event comes much earlier.
const eventTimeout = 20 * time.Second

// dial opens a raw connection, for requests that Go's client would not send.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(eventTimeout)))
	return conn
}

// TestTooLargeBodyGets413 sends bodies with and without a declared length.
func TestTooLargeBodyGets413(t *testing.T) {
	const limit = 1000
	var reached atomic.Bool
	server := launch(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Store(true)
		n, err := io.Copy(io.Discard, r.Body)
		if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
			httpapi.SendError(w, http.StatusRequestEntityTooLarge, httpapi.CodeTooLarge, tooLarge.Error())
			return
		}
		_, _ = fmt.Fprint(w, n)
	}), func(cfg *Config) { cfg.MaxBodyBytes = limit })
	for _, row := range []struct {
		reason   string
		size     int
		declared bool
		status   int
		reached  bool
	}{
		{"the limit itself is allowed", limit, true, 200, true},
		{"a declared length is rejected before the handler", limit + 1, true, 413, false},
		{"an undeclared length fails at the limit", limit + 1, false, 413, true},
		{"an undeclared length far above the limit", 100 * limit, false, 413, true},
	} {
		t.Run(row.reason, func(t *testing.T) {
			reached.Store(false)
			body := io.Reader(strings.NewReader(strings.Repeat("x", row.size)))
			if !row.declared {
				body = io.MultiReader(body) // without a length the body is chunked
			}
			response, responseBody := sendRequest(t, http.MethodPost, server.url("/"), body, nil)
			require.Equal(t, row.status, response.StatusCode)
			require.Equal(t, row.reached, reached.Load())
			if row.status == http.StatusRequestEntityTooLarge {
				require.Equal(t, httpapi.CodeTooLarge, decodeProblem(t, responseBody).Code)
				require.True(t, response.Close, "the rest of the body is not read")
			}
		})
	}
}

func TestTooLargeHeadersGet431(t *testing.T) {
	reached := make(chan struct{}, 1)
	server := launch(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached <- struct{}{} }))
	for _, row := range []struct{ reason, headers string }{
		{"one endless header", "X-A: " + strings.Repeat("a", 64<<10)},
		{"countless short headers", strings.TrimSuffix(strings.Repeat("A: b\r\n", 12<<10), "\r\n")},
	} {
		t.Run(row.reason, func(t *testing.T) {
			conn := dial(t, server.address)
			go func() {
				// The server may close before everything is sent.
				_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n"+row.headers+"\r\n\r\n")
			}()
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, response.StatusCode)
			require.Empty(t, reached)
		})
	}
}

// TestSlowClientsAreDisconnected sends a part of a request and then nothing. The server must
// close the connection.
func TestSlowClientsAreDisconnected(t *testing.T) {
	const short = 50 * time.Millisecond
	for _, row := range []struct {
		reason, sent string
		change       func(*Config)
	}{
		{"headers that never end", "GET / HTTP/1.1\r\nHost: a\r\nX-", func(c *Config) { c.ReadHeaderTimeout = short }},
		{"a body that never ends", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1", func(c *Config) { c.ReadTimeout = short }},
		{"a kept connection without a next request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", func(c *Config) { c.IdleTimeout = short }},
	} {
		t.Run(row.reason, func(t *testing.T) {
			server := launch(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
			}), row.change)
			conn := dial(t, server.address)
			_, err := io.WriteString(conn, row.sent)
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, conn)
			require.NoError(t, err, "the server must close before the connection's deadline")
		})
	}
}

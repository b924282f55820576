package upstream

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestProxyConnectsTwice lets connections time out, as they do to the address of a pod that
// has ended. A POST, which is never sent twice, must succeed if the second attempt connects.
func TestProxyConnectsTwice(t *testing.T) {
	for _, row := range []struct {
		reason     string
		timeouts   int64
		connects   int64
		wantStatus int
		wantBody   string
	}{
		{"the first pod has ended", 1, 2, http.StatusOK, "a plan"},
		{"no pod can be reached", 2, 2, http.StatusBadGateway, "npa is unreachable; try again"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			var received, connects atomic.Int64
			u := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
				received.Add(1)
				_, _ = w.Write([]byte("a plan"))
			}).Upstream()
			u.pool.DialContext = connectTwice(func(ctx context.Context, network, address string) (net.Conn, error) {
				if connects.Add(1) <= row.timeouts {
					return nil, &net.OpError{Op: "dial", Net: network, Err: os.ErrDeadlineExceeded}
				}
				return (&net.Dialer{}).DialContext(ctx, network, address)
			})
			recorder := httptest.NewRecorder()
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/plan", strings.NewReader(`{}`))
			u.Proxy(1, eventTimeout, slog.New(slog.DiscardHandler)).ServeHTTP(recorder, request)
			require.Equal(t, row.wantStatus, recorder.Code)
			require.Contains(t, recorder.Body.String(), row.wantBody)
			require.Equal(t, row.connects, connects.Load())
			require.Equal(t, 2-row.timeouts, received.Load(), "the service gets the request once if the second attempt connects")
		})
	}
}

// TestConnectTimeoutIsNotAResponseTimeout checks the error of a real dialer after its
// timeout.
func TestConnectTimeoutIsNotAResponseTimeout(t *testing.T) {
	_, err := (&net.Dialer{Timeout: time.Nanosecond}).DialContext(t.Context(), "tcp", "127.0.0.1:9")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.True(t, isConnectError(err))
	require.False(t, isConnectError(context.DeadlineExceeded))
}

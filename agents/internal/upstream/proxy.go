package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"time"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// Proxy returns a reverse proxy to the upstream with at most inFlight
// concurrent requests and a timeout for each. Path and query are unchanged.
func (u *Upstream) Proxy(inFlight int, timeout time.Duration, log *slog.Logger) http.Handler {
	slots := make(chan struct{}, inFlight)
	proxy := &httputil.ReverseProxy{
		Transport: u,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(u.baseURL)
			// The client's own X-Forwarded-* headers are untrusted input.
			r.SetXForwarded()
		},
		ModifyResponse: func(response *http.Response) error {
			response.Header.Del(httpapi.RequestIDHeader) // package httpserver has already set the same id
			return nil
		},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			u.sendError(w, r, log, err)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			w.Header().Set("Retry-After", "1")
			httpapi.SendError(w, http.StatusTooManyRequests, httpapi.CodeTooManyRequests,
				fmt.Sprintf("too many requests to %s: %d in flight; try again", u.name, inFlight))
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		proxy.ServeHTTP(w, r.WithContext(ctx))
	})
}

// sendError responds to a proxied request that has failed: 413, 502, 503 or
// 504, by the cause.
func (u *Upstream) sendError(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		httpapi.SendError(w, http.StatusRequestEntityTooLarge, httpapi.CodeTooLarge,
			fmt.Sprintf("body too large: must be at most %d bytes", tooLarge.Limit))
		return
	}
	level, status, detail := slog.LevelWarn, http.StatusBadGateway, u.name+" is unreachable; try again"
	switch {
	case errors.Is(err, context.Canceled): // the client disconnected
		level = slog.LevelDebug
	case isConnectError(err):
		// The status and the detail above are correct. This case is before
		// DeadlineExceeded, because a connect timeout is also a DeadlineExceeded, but
		// the service did not time out.
	case errors.Is(err, context.DeadlineExceeded):
		status, detail = http.StatusGatewayTimeout, u.name+" timed out; try again"
	case errors.Is(err, ErrOpen):
		level, status, detail = slog.LevelDebug, http.StatusServiceUnavailable, "circuit breaker of "+u.name+" open: too many requests failed; try again"
	}
	log.Log(r.Context(), level, "proxy request failed",
		"upstream", u.name, "path", r.URL.Path, "error", err)
	w.Header().Set("Retry-After", "1")
	httpapi.SendError(w, status, httpapi.CodeUnavailable, detail)
}

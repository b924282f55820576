package httpserver

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// recorder records the status and size of a response.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader records the final status, and sends it.
func (w *recorder) WriteHeader(status int) {
	// 1xx responses precede the final one.
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes of the body, and sends them.
func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController use Flush, Hijack and the deadlines of the
// original writer.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// logRequests logs each request and calls the hook. Requests of quiet paths have
// level debug. Other requests have level error if they were aborted or got a
// status of 500 or above, and level info otherwise.
func logRequests(log *slog.Logger, quietPaths []string, hook RequestHook, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &recorder{ResponseWriter: w}
		aborted := true
		// Deferred, so that aborted requests are logged too.
		defer func() {
			status := rec.status
			if status == 0 {
				status = http.StatusOK // net/http sends 200 for a handler that wrote nothing
			}
			level := slog.LevelInfo
			switch {
			case slices.Contains(quietPaths, r.URL.Path):
				level = slog.LevelDebug
			case status >= http.StatusInternalServerError, aborted:
				level = slog.LevelError
			}
			duration := time.Since(start)
			hook(r, status, duration)
			log.LogAttrs(r.Context(), level, "request",
				slog.String("method", r.Method),
				slog.String("path", r.URL.Path),
				slog.String("route", r.Pattern),
				slog.Int("status", status),
				slog.Bool("aborted", aborted),
				slog.Int64("bytes", rec.bytes),
				slog.Int64("duration_us", duration.Microseconds()),
				slog.String("remote", r.RemoteAddr))
		}()
		next.ServeHTTP(rec, r)
		aborted = false
	})
}

// catchPanics converts a handler's panic to a 500. It must be directly inside logRequests,
// because only the recorder of logRequests shows whether the response has begun.
func catchPanics(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(cause) // net/http's way to close a connection
			}
			log.ErrorContext(r.Context(), "panic",
				"path", r.URL.Path, "cause", cause, "stack", string(debug.Stack()))
			if rec, ok := w.(*recorder); ok && rec.status != 0 {
				// Part of the response is already sent. The client must see a
				// broken connection, not a short success.
				panic(http.ErrAbortHandler)
			}
			httpapi.SendError(w, http.StatusInternalServerError, httpapi.CodeInternal, "the service failed on this request")
		}()
		next.ServeHTTP(w, r)
	})
}

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

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	// 1xx answers precede the real one.
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach flush, hijack and deadlines.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// accessLog writes one record a request: quiet paths at debug, aborted requests
// and answers of 500 and above at error, the rest at info. observe is told too.
func accessLog(log *slog.Logger, quiet []string, observe Observer, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		rec := &recorder{ResponseWriter: w}
		aborted := true
		// Deferred, so that a request that a handler aborts is logged too.
		defer func() {
			status := rec.status
			if status == 0 {
				status = http.StatusOK // what net/http sends for a handler that wrote nothing
			}
			level := slog.LevelInfo
			switch {
			case slices.Contains(quiet, r.URL.Path):
				level = slog.LevelDebug
			case status >= http.StatusInternalServerError, aborted:
				level = slog.LevelError
			}
			took := time.Since(began)
			observe(r, status, took)
			log.LogAttrs(r.Context(), level, "request",
				slog.String("method", r.Method),
				slog.String("path", r.URL.Path),
				slog.String("route", r.Pattern),
				slog.Int("status", status),
				slog.Bool("aborted", aborted),
				slog.Int64("bytes", rec.bytes),
				slog.Int64("duration_us", took.Microseconds()),
				slog.String("remote", r.RemoteAddr))
		}()
		next.ServeHTTP(rec, r)
		aborted = false
	})
}

// catchPanics turns a handler's panic into a 500. It stands directly within
// accessLog, whose recorder tells it whether the answer has begun.
func catchPanics(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(cause) // net/http's own way to drop a connection
			}
			log.ErrorContext(r.Context(), "panic",
				"path", r.URL.Path, "cause", cause, "stack", string(debug.Stack()))
			if rec, ok := w.(*recorder); ok && rec.status != 0 {
				// Half an answer is out and can't be taken back: the client
				// must see a broken connection, not a short success.
				panic(http.ErrAbortHandler)
			}
			httpapi.Error(w, http.StatusInternalServerError, httpapi.CodeInternal, "the service failed on this request")
		}()
		next.ServeHTTP(w, r)
	})
}

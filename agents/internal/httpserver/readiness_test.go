package httpserver_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

// probe sends a readiness probe, and returns the status and the body of the response.
func probe(handler http.Handler) (status int, body string) {
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/health/ready", nil))
	return response.Code, response.Body.String()
}

func TestReadinessNamesUnavailableDependencies(t *testing.T) {
	healthy := func(context.Context) error { return nil }
	unavailable := func(context.Context) error { return errors.New("password=secret") }
	hung := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for _, row := range []struct {
		reason       string
		phase        httpserver.Phase
		dependencies []httpserver.Dependency
		code         int
		body         string
	}{
		{"all available", httpserver.Serving, []httpserver.Dependency{{"postgres", healthy}}, 200, `{"status":"ok","phase":"serving"}`},
		{"no dependencies", httpserver.Serving, nil, 200, `{"status":"ok","phase":"serving"}`},
		{"unavailable dependencies are named, without their errors", httpserver.Serving,
			[]httpserver.Dependency{{"npa", hung}, {"postgres", healthy}, {"wpa", unavailable}}, 503, `{"status":"unavailable","phase":"serving","missing":["npa","wpa"]}`},
		{"a draining process checks nothing", httpserver.Draining, []httpserver.Dependency{{"postgres", func(context.Context) error { panic("checked") }}}, 503, `{"status":"unavailable","phase":"draining"}`},
	} {
		t.Run(row.reason, func(t *testing.T) {
			var state httpserver.State
			state.Advance(row.phase)
			code, body := probe(state.NewReadinessHandler(row.dependencies...))
			require.Equal(t, row.code, code)
			require.JSONEq(t, row.body, body)
		})
	}
}

func TestProbesShareOneCheckASecond(t *testing.T) {
	var (
		state  httpserver.State
		checks atomic.Int64
		wg     sync.WaitGroup
	)
	state.Advance(httpserver.Serving)
	ready := state.NewReadinessHandler(httpserver.Dependency{Name: "postgres", Check: func(context.Context) error { checks.Add(1); return nil }})
	start := time.Now()
	for range 100 {
		wg.Go(func() { _, _ = probe(ready) })
	}
	wg.Wait()
	require.LessOrEqual(t, checks.Load(), 1+int64(time.Since(start)/time.Second))
}

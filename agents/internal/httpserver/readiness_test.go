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

func ask(handler http.Handler) (int, string) {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/health/ready", nil))
	return answer.Code, answer.Body.String()
}

func TestReadyIf(t *testing.T) {
	good := func(context.Context) error { return nil }
	away := func(context.Context) error { return errors.New("password=secret") }
	hung := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for _, row := range []struct {
		reason       string
		phase        httpserver.Phase
		dependencies []httpserver.Dependency
		code         int
		body         string
	}{
		{"all there", httpserver.Serving, []httpserver.Dependency{{"postgres", good}}, 200, `{"status":"ok","phase":"serving"}`},
		{"none needed", httpserver.Serving, nil, 200, `{"status":"ok","phase":"serving"}`},
		{"those that are away are named, their errors are not shown", httpserver.Serving,
			[]httpserver.Dependency{{"npa", hung}, {"postgres", good}, {"wpa", away}}, 503, `{"status":"unavailable","phase":"serving","missing":["npa","wpa"]}`},
		{"a drain asks nobody", httpserver.Draining, []httpserver.Dependency{{"postgres", func(context.Context) error { panic("asked") }}}, 503, `{"status":"unavailable","phase":"draining"}`},
	} {
		t.Run(row.reason, func(t *testing.T) {
			var state httpserver.State
			state.Advance(row.phase)
			code, body := ask(state.ReadyIf(row.dependencies...))
			require.Equal(t, row.code, code)
			require.JSONEq(t, row.body, body)
		})
	}
}

func TestProbesDoNotHammer(t *testing.T) {
	var (
		state  httpserver.State
		checks atomic.Int64
		all    sync.WaitGroup
	)
	state.Advance(httpserver.Serving)
	ready := state.ReadyIf(httpserver.Dependency{Name: "postgres", Check: func(context.Context) error { checks.Add(1); return nil }})
	began := time.Now()
	for range 100 {
		all.Go(func() { _, _ = ask(ready) })
	}
	all.Wait()
	require.LessOrEqual(t, checks.Load(), 1+int64(time.Since(began)/time.Second))
}

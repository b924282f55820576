package httpserver_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

func TestOnlyAServingProcessIsReady(t *testing.T) {
	for _, row := range []struct {
		reason      string
		phase       httpserver.Phase
		live, ready int
		body        string
	}{
		{"not ready before the server listens", httpserver.Starting, 200, 503, `{"status":"unavailable","phase":"starting"}`},
		{"ready", httpserver.Serving, 200, 200, `{"status":"ok","phase":"serving"}`},
		{"a draining process is alive", httpserver.Draining, 200, 503, `{"status":"unavailable","phase":"draining"}`},
	} {
		t.Run(row.reason, func(t *testing.T) {
			var state httpserver.State
			state.Advance(row.phase)
			live, ready := httptest.NewRecorder(), httptest.NewRecorder()
			request := httptest.NewRequest(http.MethodGet, "/", nil)
			state.ServeLiveness(live, request)
			state.ServeReadiness(ready, request)
			require.Equal(t, row.live, live.Code)
			require.Equal(t, row.ready, ready.Code)
			require.JSONEq(t, row.body, ready.Body.String())
		})
	}
}

func TestPhaseNeverGoesBack(t *testing.T) {
	var state httpserver.State
	require.True(t, state.Advance(httpserver.Draining), "a process may be stopped while it starts")
	require.False(t, state.Advance(httpserver.Serving))
	require.Equal(t, httpserver.Draining, state.Phase())
}

func TestOnlyOneConcurrentAdvanceSucceeds(t *testing.T) {
	var (
		state    httpserver.State
		advanced atomic.Int32
		wg       sync.WaitGroup
	)
	for range 32 {
		wg.Go(func() {
			if state.Advance(httpserver.Serving) {
				advanced.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, advanced.Load())
}

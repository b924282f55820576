package service

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/health"
)

func serving(t *testing.T) *Service {
	t.Helper()
	cfg, err := ReadConfig(from(map[string]string{"MAX_CONCURRENT_AGENTS": "3"}))
	require.NoError(t, err)
	s, err := New(cfg, "hello")
	require.NoError(t, err)
	s.State().Advance(health.Serving)
	return s
}

func ask(s *Service, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var answer T
	decoder := json.NewDecoder(w.Body)
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&answer))
	return answer
}

func TestPathsAndPhases(t *testing.T) {
	for _, row := range []struct {
		reason, method, path string
		serving, draining    int
	}{
		{"which build answers", http.MethodGet, "/", 200, 200},
		{"alive", http.MethodGet, "/health", 200, 200},
		{"readiness alone follows the phase", http.MethodGet, "/health/ready", 200, 503},
		{"the seed's liveness probe", http.MethodGet, "/health/coordination", 200, 200},
		{"the agent's health from outside", http.MethodGet, apiPath + "/health", 200, 200},
		{"status", http.MethodGet, apiPath + "/status", 200, 200},
		{"a probe may use HEAD", http.MethodHead, "/health", 200, 200},
		{"method", http.MethodPost, apiPath + "/status", 405, 405},
		{"path", http.MethodGet, apiPath, 404, 404},
		{"coordination itself is not there yet", http.MethodPost, apiPath + "/coordinate", 404, 404},
	} {
		t.Run(row.reason, func(t *testing.T) {
			s := serving(t)
			require.Equal(t, row.serving, ask(s, row.method, row.path).Code)
			s.State().Advance(health.Draining)
			w := ask(s, row.method, row.path)
			require.Equal(t, row.draining, w.Code)
			require.True(t, json.Valid(w.Body.Bytes()))
			require.Equal(t, 1, strings.Count(w.Body.String(), "\n"), "one line")
		})
	}
}

func TestRootNamesTheBuildAndThePod(t *testing.T) {
	hostname, err := os.Hostname()
	require.NoError(t, err)
	answer := decode[rootAnswer](t, ask(serving(t), http.MethodGet, "/"))
	require.Equal(t, "mca", answer.Service)
	require.Equal(t, "hello", answer.Greeting)
	require.Equal(t, "MCA", answer.AgentType)
	require.Equal(t, hostname, answer.Hostname)
	require.NotEmpty(t, answer.Build.Go)
}

func TestStatusCountsOpenSessions(t *testing.T) {
	s := serving(t)
	end, ok := s.sessions.Open()
	require.True(t, ok)
	first := decode[statusAnswer](t, ask(s, http.MethodGet, apiPath+"/status"))
	require.Equal(t, 1, first.ActiveSessions)
	require.Equal(t, 3, first.MaxConcurrentAgents)
	require.Equal(t, "active", first.CoordinationMode)
	require.Equal(t, "serving", first.Phase)
	require.False(t, first.Started.IsZero())
	end()
	second := decode[statusAnswer](t, ask(s, http.MethodGet, apiPath+"/status"))
	require.Zero(t, second.ActiveSessions)
	require.Equal(t, first.Started, second.Started)
	require.Greater(t, second.UptimeSeconds, first.UptimeSeconds)
	require.Equal(t, coordinationAnswer{"ok", "active", 0, 3},
		decode[coordinationAnswer](t, ask(s, http.MethodGet, "/health/coordination")))
}

func TestSessionsStayWithinTheLimit(t *testing.T) {
	const limit, callers, rounds = 3, 16, 500
	sessions := NewSessions(limit)
	var (
		open, refused atomic.Int64
		all           sync.WaitGroup
	)
	for range callers {
		all.Go(func() {
			for range rounds {
				end, ok := sessions.Open()
				if !ok {
					refused.Add(1)
					continue
				}
				if now := open.Add(1); now > limit {
					t.Errorf("%d sessions are open, the limit is %d", now, limit)
				}
				open.Add(-1)
				end()
				end() // a second call gives no second place
			}
		})
	}
	all.Wait()
	require.Zero(t, sessions.Active())
	for range limit {
		_, ok := sessions.Open()
		require.True(t, ok)
	}
	_, ok := sessions.Open()
	require.False(t, ok, "a full house refuses")
	t.Logf("%d of %d were refused", refused.Load(), callers*rounds)
}

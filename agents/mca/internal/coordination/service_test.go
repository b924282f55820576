package coordination

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/mca/internal/queue"
)

// send sends a request without a body and without a token.
func send(m *mca, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, nil)
	m.handler.ServeHTTP(w, r)
	return w
}

func TestOnlyReadinessFollowsThePhase(t *testing.T) {
	for _, row := range []struct {
		reason, method, path string
		serving, draining    int // the status codes in these phases
	}{
		{"build information", http.MethodGet, "/", 200, 200},
		{"liveness", http.MethodGet, "/health", 200, 200},
		{"readiness follows the phase", http.MethodGet, "/health/ready", 200, 503},
		{"the design document's liveness probe", http.MethodGet, "/health/coordination", 200, 200},
		{"the public health path", http.MethodGet, apiPath + "/health", 200, 200},
		{"status needs a token", http.MethodGet, apiPath + "/status", 401, 401},
		{"the OpenAPI document", http.MethodGet, "/openapi.json", 200, 200},
		{"a probe with HEAD", http.MethodHead, "/health", 200, 200},
		{"wrong method", http.MethodPost, apiPath + "/status", 405, 405},
		{"unknown path", http.MethodGet, apiPath, 404, 404},
	} {
		t.Run(row.reason, func(t *testing.T) {
			m := newMCA(t, nil)
			require.Equal(t, row.serving, send(m, row.method, row.path).Code)
			m.State().Advance(httpserver.Draining)
			w := send(m, row.method, row.path)
			require.Equal(t, row.draining, w.Code)
			require.True(t, json.Valid(w.Body.Bytes()))
			require.Equal(t, 1, strings.Count(w.Body.String(), "\n"), "one line")
		})
	}
}

func TestRootNamesTheBuildAndThePod(t *testing.T) {
	hostname, err := os.Hostname()
	require.NoError(t, err)
	response := servicetest.Decode[rootResponse](t, send(newMCA(t, nil), http.MethodGet, "/"))
	require.Equal(t, "mca", response.Service)
	require.Equal(t, "hello", response.Greeting)
	require.Equal(t, "MCA", response.AgentType)
	require.Equal(t, hostname, response.Hostname)
	require.NotEmpty(t, response.Build.Go)
}

func TestStatusAndMetricsCountActiveSessions(t *testing.T) {
	m := newMCA(t, map[string]string{"MAX_CONCURRENT_AGENTS": "3"})
	leave, err := m.queue.Enter(t.Context(), queue.Normal)
	require.NoError(t, err)
	status := m.currentStatus()
	require.Equal(t, queue.Counts{Active: 1, Limit: 3, Depth: 100}, status.Queue)
	require.Equal(t, map[string]string{"mca": "up", "npa": "up", "wpa": "up"}, status.Agents)
	leave()
	require.Equal(t, healthResponse{"ok", "active", 0, 3, status.Agents},
		servicetest.Decode[healthResponse](t, send(m, http.MethodGet, "/health/coordination")))

	require.Equal(t, http.StatusOK, m.post(t, "u", loadTestBody).Code)
	var serverConfig httpserver.Config
	m.Configure(&serverConfig)
	scraped := httptest.NewRecorder()
	serverConfig.Metrics.ServeHTTP(scraped, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	metrics := scraped.Body.String()
	for _, line := range []string{
		`agent_coordination_requests_total{agent="mca",outcome="ok"} 1`,
		`agent_coordination_duration_seconds_count{agent="mca"} 1`,
		`agent_coordination_active_sessions{agent="mca"} 0`,
		`agent_coordination_queue_depth{agent="mca"} 0`,
		`agent_request_duration_seconds_count{agent="mca",upstream="npa"} 1`,
		`agent_request_duration_seconds_count{agent="mca",upstream="wpa"} 1`,
		`agent_request_failures_total{agent="mca",reason="circuit_open",upstream="npa"} 0`,
		`agent_request_hedges_total{agent="mca",upstream="wpa"} 0`,
		`agent_breaker_state{agent="mca",upstream="npa"} 0`,
		`application_cache_misses_total{strategy="agentCoordination",tier="local"} 1`,
	} {
		require.Contains(t, metrics, line)
	}
	require.Equal(t, http.StatusNotFound, send(m, http.MethodGet, "/metrics").Code, "metrics have a port of their own")
}

package telemetry_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/telemetry"
)

// TestMetricsHaveTheNamesOfTheDesignDocument checks that the metrics have exactly the names that the
// design document's dashboards and HPAs use.
func TestMetricsHaveTheNamesOfTheDesignDocument(t *testing.T) {
	registry := telemetry.NewRegistry()
	mca := telemetry.NewCoordination(registry, "mca", func() int { return 7 })
	telemetry.NewNutritionCalculations(registry, "npa").WithLabelValues(telemetry.OutcomeOK).Inc()
	telemetry.NewWorkoutGenerations(registry, "wpa")
	requests := telemetry.NewHTTP(registry)
	mca.Duration.Observe(0.15)
	mca.Active.Inc()
	mca.AgentRequests.WithLabelValues("npa").Observe(0.1)
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Pattern = "GET /x"
	requests.CountRequest(request, 200, 500*time.Millisecond)

	response := httptest.NewRecorder()
	telemetry.Handler(registry).ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	metrics := response.Body.String()
	for _, line := range []string{
		`http_requests_total{method="GET",route="GET /x",status="200"} 1`,
		`http_request_duration_seconds_bucket{method="GET",route="GET /x",le="0.5"} 1`,
		`http_request_duration_seconds_bucket{method="GET",route="GET /x",le="0.3"} 0`,
		`agent_coordination_duration_seconds_bucket{agent="mca",le="0.15"} 1`,
		`agent_coordination_duration_seconds_bucket{agent="mca",le="0.1"} 0`,
		`agent_coordination_active_sessions{agent="mca"} 1`,
		`agent_coordination_queue_depth{agent="mca"} 7`,
		`agent_request_duration_seconds_bucket{agent="mca",upstream="npa",le="0.1"} 1`,
		`agent_coordination_requests_total{agent="mca",outcome="ok"} 0`,
		`nutrition_calculations_total{agent="npa",outcome="ok"} 1`,
		`workout_generations_total{agent="wpa",outcome="failed"} 0`,
		`go_goroutines `,
		`process_start_time_seconds `,
	} {
		require.Contains(t, metrics, "\n"+line)
	}
	problems, err := testutil.GatherAndLint(registry)
	require.NoError(t, err)
	require.Empty(t, problems)
}

// TestUnknownPathsAndMethodsShareOneSeries checks that a client cannot add time series.
func TestUnknownPathsAndMethodsShareOneSeries(t *testing.T) {
	registry := prometheus.NewRegistry()
	requests := telemetry.NewHTTP(registry)
	for i := range 100 {
		request := httptest.NewRequest(http.MethodGet, "/"+strings.Repeat("x", i), nil)
		request.Method = "M" + strings.Repeat("X", i)
		requests.CountRequest(request, 404, time.Millisecond)
	}
	count, err := testutil.GatherAndCount(registry, "http_requests_total")
	require.NoError(t, err)
	require.Equal(t, 1, count)
}

// startServer runs a real server with this telemetry, and returns its URL and log.
func startServer(t *testing.T, tracing *telemetry.Tracing, registry *prometheus.Registry, handler http.Handler) (url string, logs *safeBuffer) {
	t.Helper()
	logs = &safeBuffer{}
	cfg := httpserver.Defaults()
	cfg.Address, cfg.DrainDelay = "127.0.0.1:0", 0
	cfg.Middleware, cfg.RequestHook = tracing.Middleware(), telemetry.NewHTTP(registry).CountRequest
	server, err := httpserver.New(cfg, handler, &httpserver.State{}, httpserver.NewLogger(logs, "test", slog.LevelInfo))
	require.NoError(t, err)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", cfg.Address)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	serveErr := make(chan error, 1)
	go func() { serveErr <- server.Serve(ctx, listener) }()
	t.Cleanup(func() { stop(); require.NoError(t, <-serveErr) })
	return "http://" + listener.Addr().String(), logs
}

// safeBuffer is a bytes.Buffer for concurrent use.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// TestTraceCrossesServices sends a request with a traceparent header through two services.
// Both must log the trace's id, and the OTLP collector must receive both spans.
func TestTraceCrossesServices(t *testing.T) {
	const traceID = "0af7651916cd43dd8448eb211c80319c"
	collected := &safeBuffer{}
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/traces" {
			_, _ = io.Copy(collected, r.Body)
		}
	}))
	defer collector.Close()
	tracing, err := telemetry.NewTracing(t.Context(), telemetry.TraceConfig{Endpoint: collector.URL}, "test")
	require.NoError(t, err)

	mux := http.NewServeMux()
	mux.HandleFunc("GET /inner", func(http.ResponseWriter, *http.Request) {})
	innerURL, innerLog := startServer(t, tracing, prometheus.NewRegistry(), mux)
	client := &http.Client{Transport: tracing.Transport(http.DefaultTransport)}
	outerMux := http.NewServeMux()
	outerMux.HandleFunc("GET /outer/{id}", func(w http.ResponseWriter, r *http.Request) {
		request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, innerURL+"/inner", nil)
		if err != nil {
			t.Error(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Error(err)
			return
		}
		_ = response.Body.Close()
		w.WriteHeader(http.StatusBadGateway)
	})
	registry := prometheus.NewRegistry()
	outerURL, outerLog := startServer(t, tracing, registry, outerMux)

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, outerURL+"/outer/7", nil)
	require.NoError(t, err)
	request.Header.Set("Traceparent", "00-"+traceID+"-b7ad6b7169203331-01")
	request.Header.Set("X-Request-Id", "request-7")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())

	for _, log := range []*safeBuffer{innerLog, outerLog} {
		require.Eventually(t, func() bool { return strings.Contains(log.String(), `"msg":"request"`) }, 20*time.Second, time.Millisecond)
		require.Contains(t, log.String(), `"trace_id":"`+traceID+`"`)
		require.Contains(t, log.String(), `"request_id":"request-7"`)
	}
	count, err := testutil.GatherAndCount(registry, "http_request_duration_seconds")
	require.NoError(t, err)
	require.Equal(t, 1, count)
	require.NoError(t, tracing.Close(t.Context()))
	for _, text := range []string{"GET /inner", "GET /outer/{id}", "http.response.status_code", "test"} {
		require.Contains(t, collected.String(), text, "the span reached the collector")
	}
	require.NotContains(t, collected.String(), "/outer/7", "spans must not have paths, which may have personal data")
}

func TestNoTracesWithoutAnEndpoint(t *testing.T) {
	tracing, err := telemetry.NewTracing(t.Context(), telemetry.TraceConfig{Percent: 100}, "test")
	require.NoError(t, err)
	require.Nil(t, tracing.Middleware())
	require.NoError(t, tracing.Close(t.Context()))
	headers := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { headers <- r.Header }))
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	response, err := tracing.Transport(http.DefaultTransport).RoundTrip(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Empty(t, (<-headers).Get("Traceparent"))
}

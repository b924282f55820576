package dependencies

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
)

// eventTimeout bounds the wait for an event. In a passing test the event comes much earlier.
const eventTimeout = 20 * time.Second

// open opens the dependencies in servicetest's environment with these changes.
func open(t *testing.T, changes map[string]string) (*Set, error) {
	t.Helper()
	env := envconfig.New(servicetest.New(t).Lookup(changes))
	cfg := ReadConfig(env)
	require.NoError(t, env.Err())
	return Open(t.Context(), cfg, "test", slog.New(slog.DiscardHandler))
}

// waitForGoroutines waits until at most limit goroutines run. The token cache's
// goroutine only ends when the cache is garbage-collected.
func waitForGoroutines(t *testing.T, limit int) {
	t.Helper()
	deadline := time.Now().Add(eventTimeout)
	for runtime.NumGoroutine() > limit {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, must be at most %d:\n%s", runtime.NumGoroutine(), limit, stacks[:runtime.Stack(stacks, true)])
		}
		runtime.GC()
	}
}

// unreachable is an address where nothing listens.
const unreachable = "127.0.0.1:1"

func TestAllConfigErrorsAreReported(t *testing.T) {
	env := envconfig.New(func(string) (string, bool) { return "", false })
	ReadConfig(env)
	problems := envconfig.Problems{}
	require.ErrorAs(t, env.Err(), &problems)
	var reported []string
	for _, p := range problems {
		reported = append(reported, p.Variable)
	}
	require.Subset(t, reported, []string{"JWT_ISSUER", "JWT_AUDIENCE", "DATABASE_URL"})
}

// TestOpenAndCloseSucceedWithoutReachableServers also checks that Close leaves no goroutine.
func TestOpenAndCloseSucceedWithoutReachableServers(t *testing.T) {
	goroutinesBefore := runtime.NumGoroutine()
	s, err := open(t, map[string]string{"REDIS_ADDRESSES": unreachable, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://" + unreachable})
	require.NoError(t, err)
	require.Error(t, s.Store.Ping(t.Context()), "the database is unreachable")
	require.False(t, s.Cache.IsConnected())
	require.NoError(t, s.Close(t.Context()))
	waitForGoroutines(t, goroutinesBefore)
}

// TestFailedOpenClosesTheOpenedDependencies checks that a failed Open leaves no goroutine of the
// dependencies that it opened before the failure.
func TestFailedOpenClosesTheOpenedDependencies(t *testing.T) {
	collectorURL := "http://" + unreachable
	for _, row := range []struct {
		reason  string
		env     map[string]string
		message string
	}{
		{"the database fails", map[string]string{"DATABASE_URL": "postgres://u@h/d"}, "sslmode"},
		{"the cache fails", map[string]string{"REDIS_ADDRESSES": unreachable, "REDIS_USERNAME": "u"}, "REDIS_PASSWORD_FILE"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			goroutinesBefore := runtime.NumGoroutine()
			row.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = collectorURL
			s, err := open(t, row.env)
			require.ErrorContains(t, err, row.message)
			require.Nil(t, s)
			waitForGoroutines(t, goroutinesBefore)
		})
	}
}

// TestInstrumentCountsAndTracesRequests also checks that Close sends the spans
// that still wait for export.
func TestInstrumentCountsAndTracesRequests(t *testing.T) {
	spans := make(chan string, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		spans <- r.URL.Path + string(body)
	}))
	t.Cleanup(collector.Close)
	s, err := open(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL, "TRACE_PERCENT": "100"})
	require.NoError(t, err)
	var cfg httpserver.Config
	s.Instrument(&cfg)
	r := httptest.NewRequest(http.MethodGet, "/here", nil)
	handler := cfg.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		r.Pattern = "GET /here"
		cfg.RequestHook(r, http.StatusTeapot, time.Millisecond)
	}))
	handler.ServeHTTP(httptest.NewRecorder(), r)

	metrics := httptest.NewRecorder()
	cfg.Metrics.ServeHTTP(metrics, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Contains(t, metrics.Body.String(), `http_requests_total{method="GET",route="GET /here",status="418"} 1`)
	require.NoError(t, s.Close(context.WithoutCancel(t.Context())))
	select {
	case sent := <-spans:
		require.True(t, strings.HasPrefix(sent, "/v1/traces"), sent)
	default:
		t.Fatal("the last span was not sent")
	}
}

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

// soon bounds what must happen at some time; no test waits for it.
const soon = 20 * time.Second

func open(t *testing.T, changes map[string]string) (*Set, error) {
	t.Helper()
	env := envconfig.New(servicetest.New(t).Lookup(changes))
	cfg := ReadConfig(env)
	require.NoError(t, env.Err())
	return Open(t.Context(), cfg, "test", slog.New(slog.DiscardHandler))
}

// goneTo waits until no more goroutines run than before; that of the cache of
// tokens ends when it is collected.
func goneTo(t *testing.T, before int) {
	t.Helper()
	for deadline := time.Now().Add(soon); runtime.NumGoroutine() > before; runtime.GC() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// away is a port where nobody is.
const away = "127.0.0.1:1"

func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	env := envconfig.New(func(string) (string, bool) { return "", false })
	ReadConfig(env)
	problems := envconfig.Problems{}
	require.ErrorAs(t, env.Err(), &problems)
	var named []string
	for _, p := range problems {
		named = append(named, p.Variable)
	}
	require.Subset(t, named, []string{"JWT_ISSUER", "JWT_AUDIENCE", "DATABASE_URL"})
}

// TestItStartsWhileAllIsAway and ends as well, leaving nothing behind.
func TestItStartsWhileAllIsAway(t *testing.T) {
	before := runtime.NumGoroutine()
	s, err := open(t, map[string]string{"REDIS_ADDRESSES": away, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://" + away})
	require.NoError(t, err)
	require.Error(t, s.Store.Ping(t.Context()), "and says that it is")
	require.False(t, s.Cache.Connected())
	require.NoError(t, s.Close(t.Context()))
	goneTo(t, before)
}

// TestWhatFailsLateClosesWhatWasOpen: each row lets a later one of them fail.
func TestWhatFailsLateClosesWhatWasOpen(t *testing.T) {
	traced := "http://" + away
	for _, row := range []struct {
		reason string
		env    map[string]string
		says   string
	}{
		{"the database's", map[string]string{"DATABASE_URL": "postgres://u@h/d"}, "sslmode"},
		{"the cache's", map[string]string{"REDIS_ADDRESSES": away, "REDIS_USERNAME": "u"}, "REDIS_PASSWORD_FILE"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			before := runtime.NumGoroutine()
			row.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = traced
			s, err := open(t, row.env)
			require.ErrorContains(t, err, row.says)
			require.Nil(t, s)
			goneTo(t, before)
		})
	}
}

// TestWhatIsServedIsCountedAndTraced: by the server as Observe has made it, and
// the last spans leave with Close.
func TestWhatIsServedIsCountedAndTraced(t *testing.T) {
	spans := make(chan string, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		spans <- r.URL.Path + string(body)
	}))
	t.Cleanup(collector.Close)
	s, err := open(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL, "TRACE_PERCENT": "100"})
	require.NoError(t, err)
	var cfg httpserver.Config
	s.Observe(&cfg)
	r := httptest.NewRequest(http.MethodGet, "/here", nil)
	served := cfg.Around(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		r.Pattern = "GET /here"
		cfg.Observe(r, http.StatusTeapot, time.Millisecond)
	}))
	served.ServeHTTP(httptest.NewRecorder(), r)

	ask := func(forwarded string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		w := httptest.NewRecorder()
		s.MetricsHandler().ServeHTTP(w, r)
		return w
	}
	require.Contains(t, ask("").Body.String(), `http_requests_total{method="GET",route="GET /here",status="418"} 1`)
	require.Equal(t, http.StatusNotFound, ask("203.0.113.9").Code)
	require.NoError(t, s.Close(context.WithoutCancel(t.Context())))
	select {
	case sent := <-spans:
		require.True(t, strings.HasPrefix(sent, "/v1/traces"), sent)
	default:
		t.Fatal("the last span was not sent")
	}
}

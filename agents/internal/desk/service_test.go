package desk

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/health"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

// agent answers 418 to everything that reaches it.
type agent struct {
	state health.State
	desk  Desk
}

func (a *agent) State() *health.State { return &a.state }
func (a *agent) Handler() http.Handler {
	mux := http.NewServeMux()
	teapot := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }
	mux.HandleFunc("GET /health", teapot)
	mux.Handle("POST /plan", a.desk.Guard(teapot))
	a.desk.Routes(mux.Handle)
	return httpserver.Routes(mux)
}

func TestTheDeskStandsBeforeTheWork(t *testing.T) {
	o := closed(t, nil)
	inner := &agent{desk: o.Front}
	service := o.Serve(inner)
	require.Same(t, &inner.state, service.State())
	runs, reads := o.world.Token(t, "ada", auth.ScopeAgentsRun), o.world.Token(t, "ada", auth.ScopeAgentsRead)
	for _, row := range []struct {
		reason, method, path, token, forwarded string
		status                                 int
	}{
		{"work without a token", http.MethodPost, "/plan", "", "", 401},
		{"work without the scope", http.MethodPost, "/plan", reads, "", 403},
		{"work", http.MethodPost, "/plan", runs, "", 418},
		{"no way around by a longer path", http.MethodPost, "/plan/x", "", "", 404},
		{"nor by an escaped one", http.MethodPost, "/%70lan", "", "", 401},
		{"health is for all", http.MethodGet, "/health", "", "", 418},
		{"metrics are for who comes directly", http.MethodGet, "/metrics", "", "", 200},
		{"and for nobody else", http.MethodGet, "/metrics", runs, "203.0.113.9", 404},
	} {
		t.Run(row.reason, func(t *testing.T) {
			r := httptest.NewRequest(row.method, row.path, nil)
			if row.token != "" {
				r.Header.Set("Authorization", "Bearer "+row.token)
			}
			if row.forwarded != "" {
				r.Header.Set("X-Forwarded-For", row.forwarded)
			}
			w := httptest.NewRecorder()
			service.Handler().ServeHTTP(w, r)
			require.Equal(t, row.status, w.Code)
		})
	}
	var cfg httpserver.Config
	service.Adjust(&cfg)
	require.NotNil(t, cfg.Observe, "requests are counted")
}

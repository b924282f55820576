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

// inner answers 418 to everything that reaches it.
type inner struct{ state health.State }

func (i *inner) State() *health.State { return &i.state }
func (i *inner) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
}

func TestTheDeskStandsBeforeTheWork(t *testing.T) {
	o := closed(t, nil)
	agent := &inner{}
	guarded := o.Guard("npa", agent)
	require.Same(t, &agent.state, guarded.State())
	runs, reads := o.world.Token(t, "ada", auth.ScopeAgentsRun), o.world.Token(t, "ada", auth.ScopeAgentsRead)
	for _, row := range []struct {
		reason, method, path, token, forwarded string
		status                                 int
	}{
		{"work without a token", http.MethodPost, "/api/v1/agents/npa/plan", "", "", 401},
		{"work without the scope", http.MethodPost, "/api/v1/agents/npa/plan", reads, "", 403},
		{"work", http.MethodPost, "/api/v1/agents/npa/plan", runs, "", 418},
		{"no way around by a longer path", http.MethodPost, "/api/v1/agents/npa/plan/x", "", "", 401},
		{"nor by an escaped one", http.MethodPost, "/api/v1/agents/npa/%70lan", "", "", 401},
		{"health is for all", http.MethodGet, "/api/v1/agents/npa/health", "", "", 418},
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
			guarded.Handler().ServeHTTP(w, r)
			require.Equal(t, row.status, w.Code)
		})
	}
	var cfg httpserver.Config
	guarded.Adjust(&cfg)
	require.NotNil(t, cfg.Observe, "requests are counted")
}

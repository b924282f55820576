package desk

import (
	"context"
	"net/http"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/health"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/process"
)

// Service is an agent's service with its desk before it: whoever has it work
// shows a token, and metrics are served. It is a process.Service, and is
// closed and adjusted as one.
//
// Readiness asks no dependency: without PostgreSQL a plan is not kept, without
// Redis it is made again; both can be done without.
type Service struct {
	inner   process.Service
	front   *Front
	handler http.Handler
}

// Guard puts the desk before the service of that name.
func (f *Front) Guard(name string, inner process.Service) *Service {
	handler := inner.Handler()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", f.backing.MetricsHandler())
	mux.Handle("POST /api/v1/agents/"+name+"/", f.backing.Tokens.Require(auth.ScopeAgentsRun, handler))
	mux.Handle("/", handler)
	return &Service{inner, f, mux}
}

// Handler is process.Service's.
func (s *Service) Handler() http.Handler { return s.handler }

// State is process.Service's.
func (s *Service) State() *health.State { return s.inner.State() }

// Adjust is process.Adjuster's.
func (s *Service) Adjust(cfg *httpserver.Config) { s.front.backing.Observe(cfg) }

// Close is process.Closer's.
func (s *Service) Close(ctx context.Context) error { return s.front.Close(ctx) }

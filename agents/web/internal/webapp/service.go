// Package webapp is the web service. It serves the users' API, the live status and the
// front page. It also forwards requests to the agents, for stacks without a load balancer
// that does so. Package main owns the process, and package httpserver owns the server.
package webapp

import (
	"context"
	_ "embed"
	"log/slog"
	"net/http"
	"time"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/cache"
	"github.com/progressive-framework/platform/agents/internal/dependencies"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/upstream"
	"github.com/progressive-framework/platform/agents/web/internal/livestatus"
	"github.com/progressive-framework/platform/agents/web/site"
)

// Name is the service's name in logs. It is the main app's name in the design
// document.
const Name = "progressive-framework-v5"

// The paths of the service.
const (
	profilePath     = "/api/v1/users/profile"
	preferencesPath = "/api/v1/users/preferences"
	agentsPath      = "/api/v1/agents/"
	socketPath      = "/ws"
)

// quietPaths are logged at level debug only, because they are probed every few seconds.
var quietPaths = []string{"/health", "/health/ready"}

// maxInFlight bounds the concurrent requests to the agents. The MCA, which receives these
// requests, has lower limits for each agent.
const maxInFlight = 400

//go:embed openapi.yaml
var document []byte

// Service is the service of one web process.
type Service struct {
	cfg             Config
	log             *slog.Logger
	state           *httpserver.State
	dependencies    *dependencies.Set
	profileCache    *cache.Namespace[userID, []byte]
	userLimits      *userLimits
	mca             *upstream.Upstream
	hub             *livestatus.Hub
	documentHandler http.HandlerFunc
	handler         http.Handler
}

// New opens the service's dependencies. It does not wait until they are available. Close
// closes them.
func New(ctx context.Context, cfg Config, log *slog.Logger) (*Service, error) {
	s := &Service{cfg: cfg, log: log, state: &httpserver.State{}, userLimits: newUserLimits(cfg.UserRate, cfg.UserBurst)}
	var err error
	if s.documentHandler, err = httpapi.DocumentHandler(document); err != nil {
		return nil, err
	}
	if s.dependencies, err = dependencies.Open(ctx, cfg.Dependencies, Name, log); err != nil {
		return nil, err
	}
	s.profileCache, err = cache.NewNamespace[userID, []byte](s.dependencies.Cache, cache.UserSession, "user:profile:", 0)
	if err != nil {
		return nil, err
	}
	if s.mca, err = upstream.New("mca", cfg.MCAURL, s.dependencies.Tracing); err != nil {
		return nil, err
	}
	s.hub = livestatus.NewHub(cfg.Live, livestatus.NewWatcher(s.mca).Status, log)
	s.handler, err = s.newHandler()
	return s, err
}

// State returns the state with the phase of the process. The readiness response depends on
// the phase.
func (s *Service) State() *httpserver.State { return s.state }

// Configure makes the server count and trace its requests. WebSockets are not counted,
// because they last much longer than a request.
func (s *Service) Configure(cfg *httpserver.Config) {
	s.dependencies.Instrument(cfg)
	hook := cfg.RequestHook
	cfg.RequestHook = func(r *http.Request, status int, duration time.Duration) {
		if r.Pattern != "GET "+socketPath {
			hook(r, status, duration)
		}
	}
}

// Close closes every WebSocket with a close frame. It also closes the idle connections to the
// MCA, and all connections to the dependencies.
func (s *Service) Close(ctx context.Context) error {
	s.hub.Close()
	s.mca.CloseIdleConnections()
	return s.dependencies.Close(ctx)
}

// Handler serves every route of the service.
func (s *Service) Handler() http.Handler { return s.handler }

// newHandler creates the handler of all routes.
//
// Readiness depends on PostgreSQL, because without it users cannot save anything. A pod
// that is not ready still serves cached profiles. Readiness does not depend on Redis:
// without it, the service reads every profile from the database.
func (s *Service) newHandler() (http.Handler, error) {
	mux := http.NewServeMux()
	serveReadiness := s.state.NewReadinessHandler(httpserver.Dependency{Name: "postgres", Check: s.dependencies.Store.Ping})
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /health":       s.state.ServeLiveness,
		"GET /health/ready": serveReadiness,
		"GET /openapi.json": s.documentHandler,
	} {
		mux.HandleFunc(pattern, handle)
	}
	tokens := s.dependencies.Tokens
	handleAPI := func(pattern, scope string, handle http.HandlerFunc) {
		mux.Handle(pattern, tokens.Require(scope, s.userLimits.limit(handle)))
	}
	handleAPI("GET "+profilePath, auth.ScopeUsersRead, s.getProfile)
	handleAPI("POST "+preferencesPath, auth.ScopeUsersWrite, s.postPreferences)
	mux.Handle("GET "+socketPath, tokens.RequireSocket(auth.ScopeAgentsRead, s.userLimits.limit(s.hub.ServeHTTP)))
	mux.Handle(agentsPath, s.mca.Proxy(maxInFlight, s.cfg.GatewayTimeout, s.log))
	if err := site.AddRoutes(mux.Handle); err != nil {
		return nil, err
	}
	return httpserver.HandleUnknownRoutes(mux), nil
}

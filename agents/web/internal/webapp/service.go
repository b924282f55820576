// Package webapp is web itself: the users' API, the live status, the front
// page and, where no load balancer does that, the way to the agents. It owns no
// socket and no signal; the process is main's, the server httpserver's.
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

// Name is the service's name in logs; the seed's name of the main app.
const Name = "progressive-framework-v5"

// The paths of the service.
const (
	profilePath     = "/api/v1/users/profile"
	preferencesPath = "/api/v1/users/preferences"
	agentsPath      = "/api/v1/agents/"
	socketPath      = "/ws"
)

// quietPaths are those that are asked every few seconds.
var quietPaths = []string{"/health", "/health/ready", "/metrics"}

// inFlight bounds the requests to the agents that are under way at once; the
// agents' gateway has bounds of its own below it.
const inFlight = 400

//go:embed openapi.yaml
var document []byte

// Service answers for one web process.
type Service struct {
	cfg          Config
	log          *slog.Logger
	state        *httpserver.State
	dependencies *dependencies.Set
	profiles     *cache.Space[userID, []byte]
	users        *userLimits
	mca          *upstream.Upstream
	hub          *livestatus.Hub
	document     http.HandlerFunc
	handler      http.Handler
}

// New opens what the service needs; nothing is waited for. Close ends it.
func New(ctx context.Context, cfg Config, log *slog.Logger) (*Service, error) {
	s := &Service{cfg: cfg, log: log, state: &httpserver.State{}, users: newUserLimits(cfg.UserRate, cfg.UserBurst)}
	var err error
	if s.document, err = httpapi.DocumentHandler(document); err != nil {
		return nil, err
	}
	if s.dependencies, err = dependencies.Open(ctx, cfg.Dependencies, Name, log); err != nil {
		return nil, err
	}
	s.profiles, err = cache.NewSpace[userID, []byte](s.dependencies.Cache, cache.UserSession, "user:profile:", 0)
	if err != nil {
		return nil, err
	}
	if s.mca, err = upstream.New("mca", cfg.MCAURL, s.dependencies.Tracing); err != nil {
		return nil, err
	}
	s.hub = livestatus.NewHub(cfg.Live, livestatus.NewWatcher(s.mca).Status, log)
	s.handler, err = s.routes()
	return s, err
}

// State is the phase that the readiness answer follows.
func (s *Service) State() *httpserver.State { return s.state }

// Adjust has the server count its requests. A WebSocket's hour is no request's
// duration.
func (s *Service) Adjust(cfg *httpserver.Config) {
	s.dependencies.Observe(cfg)
	observe := cfg.Observe
	cfg.Observe = func(r *http.Request, status int, took time.Duration) {
		if r.Pattern != "GET "+socketPath {
			observe(r, status, took)
		}
	}
}

// Close says goodbye to every WebSocket and closes every connection.
func (s *Service) Close(ctx context.Context) error {
	s.hub.Close()
	s.mca.CloseIdleConnections()
	return s.dependencies.Close(ctx)
}

// Handler serves every route of the service.
func (s *Service) Handler() http.Handler { return s.handler }

// routes makes the handler.
//
// The service is ready while PostgreSQL answers. Profiles that are cached are served
// without it, but what a user sends can't be kept, and the balancer should know.
// Without Redis everything goes on, from the database.
func (s *Service) routes() (http.Handler, error) {
	mux := http.NewServeMux()
	ready := s.state.ReadyIf(httpserver.Dependency{Name: "postgres", Check: s.dependencies.Store.Ping})
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /health":       s.state.Live,
		"GET /health/ready": ready,
		"GET /openapi.json": s.document,
	} {
		mux.HandleFunc(pattern, handle)
	}
	tokens := s.dependencies.Tokens
	api := func(pattern, scope string, handle http.HandlerFunc) {
		mux.Handle(pattern, tokens.Require(scope, s.users.limit(handle)))
	}
	api("GET "+profilePath, auth.ScopeUsersRead, s.getProfile)
	api("POST "+preferencesPath, auth.ScopeUsersWrite, s.postPreferences)
	mux.Handle("GET "+socketPath, tokens.RequireSocket(auth.ScopeAgentsRead, s.users.limit(s.hub.ServeHTTP)))
	mux.Handle("GET /metrics", s.dependencies.MetricsHandler())
	mux.Handle(agentsPath, s.mca.Proxy(inFlight, s.cfg.GatewayTimeout, s.log))
	if err := site.Routes(mux.Handle); err != nil {
		return nil, err
	}
	return httpserver.Routes(mux), nil
}

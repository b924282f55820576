// Package coordination is the MCA service: configuration, routes, the calls of
// the agents and the merge of their responses. Package main owns the process, and
// package httpserver owns the server.
package coordination

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/cache"
	"github.com/progressive-framework/platform/agents/internal/dependencies"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/telemetry"
	"github.com/progressive-framework/platform/agents/internal/upstream"
	"github.com/progressive-framework/platform/agents/mca/internal/queue"
)

// Name is the service's name in logs, responses and paths.
const Name = "mca"

// agentsPath is the prefix of the public paths of all agents. The load balancer sends
// these requests to the MCA. apiPath is the prefix of the MCA's own paths.
const (
	agentsPath = "/api/v1/agents/"
	apiPath    = agentsPath + Name
)

// quietPaths are logged at level debug only, because they are probed every few seconds.
var quietPaths = []string{"/health", "/health/ready", "/health/coordination", apiPath + "/health"}

//go:embed openapi.yaml
var document []byte

// Service is the service of one MCA process.
type Service struct {
	cfg      Config
	greeting string
	hostname string
	build    Build
	started  time.Time
	log      *slog.Logger
	state    *httpserver.State

	dependencies  *dependencies.Set
	agents        map[string]*upstream.Client
	queue         *queue.Queue
	responseCache *cache.Namespace[requestKey, []byte]
	recorder      *recorder
	metrics       *telemetry.Coordination

	documentHandler http.HandlerFunc
}

// New opens the service's dependencies. It does not wait until they are available.
// Close closes them.
func New(ctx context.Context, cfg Config, greeting string, log *slog.Logger) (*Service, error) {
	s := &Service{
		cfg: cfg, greeting: greeting, build: readBuild(), started: time.Now(), log: log,
		state: &httpserver.State{}, agents: map[string]*upstream.Client{}, queue: queue.New(cfg.MaxConcurrentAgents, queueDepth),
	}
	var err error
	// In a pod the hostname is the pod's name.
	if s.hostname, err = os.Hostname(); err != nil {
		return nil, fmt.Errorf("read the hostname: %w", err)
	}
	if s.documentHandler, err = httpapi.DocumentHandler(document); err != nil {
		return nil, err
	}
	if s.dependencies, err = dependencies.Open(ctx, cfg.Dependencies, Name, log); err != nil {
		return nil, err
	}
	s.metrics = telemetry.NewCoordination(s.dependencies.Metrics, Name, func() int { return s.queue.Counts().Queued })
	for name, url := range map[string]string{npa: cfg.NPAURL, wpa: cfg.WPAURL} {
		u, err := upstream.New(name, url, s.dependencies.Tracing)
		if err != nil {
			return nil, err
		}
		s.agents[name] = upstream.NewClient(u)
		s.metrics.RegisterUpstream(name, u.BreakerState, failureReasons...)
	}
	s.responseCache, err = cache.NewNamespace[requestKey, []byte](s.dependencies.Cache, cache.AgentCoordination, "mca:coordination:", cfg.CacheBytes)
	if err != nil {
		return nil, err
	}
	s.recorder = newRecorder(ctx, s.dependencies.Store, s.state, s.agentState, log)
	s.recorder.start(ctx)
	return s, nil
}

// State returns the state with the phase of the process. The readiness response depends on
// the phase.
func (s *Service) State() *httpserver.State { return s.state }

// Configure makes the server count and trace its requests.
func (s *Service) Configure(cfg *httpserver.Config) { s.dependencies.Instrument(cfg) }

// Close writes the queued records and then the state "stopped", each for at most a second. It
// closes the idle connections to the agents and all connections to the dependencies.
func (s *Service) Close(ctx context.Context) error {
	s.recorder.close(ctx)
	for _, client := range s.agents {
		client.Upstream().CloseIdleConnections()
	}
	return s.dependencies.Close(ctx)
}

// Handler serves every route of the service. Readiness checks no dependency, because
// the service also works without its dependencies. Without PostgreSQL it saves no
// coordinations, without Redis it caches less, and without an agent the week is
// partial.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /{$}":                   s.serveRoot,
		"GET /health":                s.state.ServeLiveness,
		"GET /health/ready":          s.state.ServeReadiness,
		"GET /health/coordination":   s.serveCoordinationHealth,
		"GET /openapi.json":          s.documentHandler,
		"GET " + apiPath + "/health": s.state.ServeLiveness,
	} {
		mux.HandleFunc(pattern, handle)
	}
	tokens := s.dependencies.Tokens
	mux.Handle("GET "+apiPath+"/status", tokens.Require(auth.ScopeAgentsRead, http.HandlerFunc(s.serveStatus)))
	mux.Handle("POST "+apiPath+"/coordinate", tokens.Require(auth.ScopeAgentsRun, http.HandlerFunc(s.coordinate)))
	for name, client := range s.agents {
		// The agents also verify the token, because they are independent services. The first
		// argument is the limit of concurrent requests to one agent.
		proxy := client.Upstream().Proxy(2*s.cfg.MaxConcurrentAgents, s.cfg.GatewayTimeout, s.log)
		mux.Handle("POST "+agentsPath+name+"/", tokens.Require(auth.ScopeAgentsRun, proxy))
		mux.Handle("GET "+agentsPath+name+"/health", proxy)
	}
	return httpserver.HandleUnknownRoutes(mux)
}

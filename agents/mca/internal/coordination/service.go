// Package coordination is the MCA itself: its configuration, its routes, and how a
// request becomes questions to the agents and one answer. It owns no socket and
// no signal; the process is main's, the server httpserver's.
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

// Name is the service's name in logs and answers, and in its paths.
const Name = "mca"

// agentsPath is what every public path of every agent begins with; the load
// balancer sends all of it here. apiPath is this agent's.
const (
	agentsPath = "/api/v1/agents/"
	apiPath    = agentsPath + Name
)

// quietPaths are those that are asked every few seconds.
var quietPaths = []string{"/health", "/health/ready", "/health/coordination", "/metrics", apiPath + "/health"}

//go:embed openapi.yaml
var document []byte

// Service answers for one MCA process.
type Service struct {
	cfg      Config
	greeting string
	hostname string
	build    Build
	started  time.Time
	log      *slog.Logger
	state    *httpserver.State

	dependencies *dependencies.Set
	agents       map[string]*upstream.Client
	queue        *queue.Queue
	answers      *cache.Space[answerKey, []byte]
	records      *recorder
	meters       *telemetry.Coordination

	document http.HandlerFunc
}

// New opens what the service needs; nothing is waited for. Close ends it.
func New(ctx context.Context, cfg Config, greeting string, log *slog.Logger) (*Service, error) {
	s := &Service{
		cfg: cfg, greeting: greeting, build: readBuild(), started: time.Now(), log: log,
		state: &httpserver.State{}, agents: map[string]*upstream.Client{}, queue: queue.New(cfg.MaxConcurrentAgents, queueDepth),
	}
	var err error
	// In a pod the hostname is the pod's name.
	if s.hostname, err = os.Hostname(); err != nil {
		return nil, fmt.Errorf("ask for the hostname: %w", err)
	}
	if s.document, err = httpapi.DocumentHandler(document); err != nil {
		return nil, err
	}
	if s.dependencies, err = dependencies.Open(ctx, cfg.Dependencies, Name, log); err != nil {
		return nil, err
	}
	s.meters = telemetry.NewCoordination(s.dependencies.Metrics, Name)
	for name, url := range map[string]string{npa: cfg.NPAURL, wpa: cfg.WPAURL} {
		u, err := upstream.New(name, url, s.dependencies.Tracing)
		if err != nil {
			return nil, err
		}
		s.agents[name] = upstream.NewClient(u)
	}
	s.answers, err = cache.NewSpace[answerKey, []byte](s.dependencies.Cache, cache.AgentCoordination, "mca:coordination:", cfg.CacheBytes)
	if err != nil {
		return nil, err
	}
	s.records = newRecorder(ctx, s.dependencies.Store, s.state, s.agentState, log)
	s.records.start(ctx)
	return s, nil
}

// State is the phase that the readiness answer follows.
func (s *Service) State() *httpserver.State { return s.state }

// Adjust has the server count its requests.
func (s *Service) Adjust(cfg *httpserver.Config) { s.dependencies.Observe(cfg) }

// Close writes what is still to be recorded, for a second at most, and closes
// every connection.
func (s *Service) Close(ctx context.Context) error {
	s.records.close(ctx)
	for _, agent := range s.agents {
		agent.Upstream().CloseIdleConnections()
	}
	return s.dependencies.Close(ctx)
}

// Handler serves every route of the service. Readiness asks no dependency, as
// none is needed: without PostgreSQL nothing is recorded of a coordination,
// without Redis nothing is cached, and an agent's failure makes its part of the
// answer absent, which is no reason to take this one away too.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /{$}":                   s.root,
		"GET /health":                s.state.Live,
		"GET /health/ready":          s.state.Ready,
		"GET /health/coordination":   s.coordination,
		"GET /openapi.json":          s.document,
		"GET " + apiPath + "/health": s.state.Live,
	} {
		mux.HandleFunc(pattern, handle)
	}
	tokens := s.dependencies.Tokens
	mux.Handle("GET /metrics", s.dependencies.MetricsHandler())
	mux.Handle("GET "+apiPath+"/status", tokens.Require(auth.ScopeAgentsRead, http.HandlerFunc(s.status)))
	mux.Handle("POST "+apiPath+"/coordinate", tokens.Require(auth.ScopeAgentsRun, http.HandlerFunc(s.coordinate)))
	for name, agent := range s.agents {
		// The agents check the token as well: they are services of their own.
		pass := agent.Upstream().Proxy(2*s.cfg.MaxConcurrentAgents, s.cfg.GatewayTimeout, s.log)
		mux.Handle("POST "+agentsPath+name+"/", tokens.Require(auth.ScopeAgentsRun, pass))
		mux.Handle("GET "+agentsPath+name+"/health", pass)
	}
	return httpserver.Routes(mux)
}

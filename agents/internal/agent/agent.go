// Package agent is the service around a planning agent: environment, server,
// authentication, cache, saved plans, metrics and OpenAPI document. npa and wpa
// are this service; each adds a Spec with its request, its planner and its
// document. This package knows neither nutrition nor training.
package agent

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/progressive-framework/platform/agents/internal/cache"
	"github.com/progressive-framework/platform/agents/internal/database"
	"github.com/progressive-framework/platform/agents/internal/dependencies"
	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

// Spec is one planning agent. R is a pointer to its request.
type Spec[R Request] struct {
	// Name is in logs, metrics and paths, such as npa. In capitals it is the
	// value of AGENT_TYPE.
	Name string
	// Action is the end of the path that plans are requested at:
	// POST /api/v1/agents/NAME/ACTION.
	Action string
	// Document is the OpenAPI document in YAML.
	Document []byte
	// MaxBody is the largest request in bytes.
	MaxBody int64

	// TimeoutVariable names the environment variable of the planner's timeout,
	// 1 ms to 55 s; DefaultTimeout holds where it is not set.
	TimeoutVariable string
	DefaultTimeout  time.Duration
	// CacheVariable names the environment variable of the size of the plans that
	// one process caches; DefaultCache holds where it is not set, such as 256MB.
	CacheVariable, DefaultCache string

	// Strategy and KeyPrefix say how long and under which keys plans are cached.
	Strategy  cache.Strategy
	KeyPrefix string
	// Table is where the plans of users are saved.
	Table database.PlanKind
	// NewCounter registers the counter of computed plans by outcome.
	NewCounter func(r prometheus.Registerer, agent string) *prometheus.CounterVec

	// NewRequest returns an empty request.
	NewRequest func() R
	// NewPlanner is called once, when the process starts.
	NewPlanner func() (Planner[R], error)
	// TimeoutDetail is the answer to a request that the planner had no time for,
	// with %s for the timeout.
	TimeoutDetail string
}

// Request is the body of a request for a plan.
type Request interface {
	httpapi.Body
	// TakeUserID removes the user's id from the request and returns it.
	TakeUserID() string
}

// Planner computes the answer to a valid request without a user's id: a struct
// whose JSON begins with an empty userId. The answer must depend on the request
// alone, because all users with equal requests share it. Its error is
// *Infeasible, or the context's, or a fault of the planner.
type Planner[R Request] func(ctx context.Context, request R) (any, error)

// Infeasible is the error of a request that no plan can fulfil. Both fields go
// to the client.
type Infeasible struct {
	Detail string
	Errors []httpapi.FieldError
}

// Error is the detail.
func (i *Infeasible) Error() string { return i.Detail }

// Run runs the agent under the signals of an orchestrator and ends the process
// with its exit code.
func Run[R Request](spec Spec[R]) { httpserver.Main(spec.Name, Program(spec)) }

// Program is what Run runs.
func Program[R Request](spec Spec[R]) httpserver.Program[Config] {
	return httpserver.Program[Config]{
		ReadConfig: spec.ReadConfig,
		HTTP:       func(c Config) httpserver.Config { return c.HTTP },
		New: func(ctx context.Context, c Config, log *slog.Logger) (httpserver.Service, error) {
			return New(ctx, spec, c, log)
		},
	}
}

// Config is the environment of an agent. Names and defaults are those of the
// design document where it has them.
type Config struct {
	// AgentType is AGENT_TYPE, always the Spec's. It is read so that an image
	// under another agent's manifest stops at the start, not at the first request.
	AgentType string
	// Timeout is how long one plan may take.
	Timeout time.Duration
	// CacheBytes bounds the plans cached in this process.
	CacheBytes   uint64
	Dependencies dependencies.Config
	HTTP         httpserver.Config
}

// path is the beginning of every public path of the agent.
func (s Spec[R]) path() string { return "/api/v1/agents/" + s.Name }

// ReadConfig reads the environment through lookup. Its error is an
// envconfig.Problems with every mistake; the Config, with defaults in place of
// wrong values, then serves only to log it.
func (s Spec[R]) ReadConfig(lookup func(string) (string, bool)) (Config, error) {
	env := envconfig.New(lookup)
	agentType := strings.ToUpper(s.Name)
	cfg := Config{
		AgentType: env.OneOf("AGENT_TYPE", agentType, agentType),
		// Below httpserver's WriteTimeout, so that a late request is still answered.
		Timeout:    env.Duration(s.TimeoutVariable, s.DefaultTimeout, time.Millisecond, 55*time.Second),
		CacheBytes: env.Size(s.CacheVariable, s.DefaultCache, 1<<20, 1<<36),
		// Probes come every few seconds.
		HTTP:         httpserver.ReadConfig(env, ":8000", "/health", "/health/ready", "/metrics", s.path()+"/health"),
		Dependencies: dependencies.ReadConfig(env),
	}
	return cfg, env.Err()
}

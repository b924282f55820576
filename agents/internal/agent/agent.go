// Package agent is the service that the planning agents npa and wpa share:
// environment, server, authentication, cache, saved plans, metrics and OpenAPI
// document. Each agent adds a Spec with its request, its planner and its document.
// This package has no code for nutrition or training.
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

// Spec describes one planning agent. R is a pointer to its request type.
type Spec[R Request] struct {
	// Name is used in logs, metrics and paths, such as npa. In upper case it is
	// the value of AGENT_TYPE.
	Name string
	// Action is the last part of the path for plans: POST
	// /api/v1/agents/NAME/ACTION.
	Action string
	// Document is the OpenAPI document in YAML.
	Document []byte
	// MaxBody is the largest request in bytes.
	MaxBody int64

	// TimeoutVariable is the environment variable of the planner's timeout, 1
	// ms to 55 s. DefaultTimeout applies if it is not set.
	TimeoutVariable string
	DefaultTimeout  time.Duration
	// CacheVariable is the environment variable of the cache size of one
	// process. DefaultCache, such as 256MB, applies if it is not set.
	CacheVariable, DefaultCache string

	// Strategy decides how long plans are cached. KeyPrefix is the prefix of their keys
	// in Redis. A new format of cached plans needs a new prefix: during a rollout, pods
	// of both versions read the same Redis.
	Strategy  cache.Strategy
	KeyPrefix string
	// PlanKind is the kind of the users' saved plans, which selects their table.
	PlanKind database.PlanKind
	// NewCounter registers the counter of computed plans by outcome.
	NewCounter func(r prometheus.Registerer, agent string) *prometheus.CounterVec

	// NewRequest returns an empty request.
	NewRequest func() R
	// NewPlanner is called once, when the process starts.
	NewPlanner func() (Planner[R], error)
	// TimeoutDetail is the error text when the planner exceeds its timeout,
	// with %s for the timeout.
	TimeoutDetail string
}

// Request is the body of a request for a plan.
type Request interface {
	httpapi.Body
	// TakeUserID returns the user's id and removes it from the request.
	TakeUserID() string
}

// Planner computes the response to a valid request without a user's id. The response must
// depend only on the request, because all users with equal requests share it. The error is an
// *Infeasible, the error of ctx, or an internal error.
type Planner[R Request] func(ctx context.Context, request R) (any, error)

// Infeasible is the error of a request that no plan can fulfil. The client sees
// both fields.
type Infeasible struct {
	Detail string
	Errors []httpapi.FieldError
}

// Error returns the detail.
func (i *Infeasible) Error() string { return i.Detail }

// Run runs the agent until SIGTERM and ends the process with its exit code.
func Run[R Request](spec Spec[R]) { httpserver.Main(spec.Name, Program(spec)) }

// Program returns the agent as an httpserver.Program: the functions that read its configuration
// and create its service.
func Program[R Request](spec Spec[R]) httpserver.Program[Config] {
	return httpserver.Program[Config]{
		ReadConfig: spec.ReadConfig,
		HTTP:       func(c Config) httpserver.Config { return c.HTTP },
		New: func(ctx context.Context, c Config, log *slog.Logger) (httpserver.Service, error) {
			return New(ctx, spec, c, log)
		},
	}
}

// Config is the configuration of an agent. The variables have the names and defaults of the design
// document, if it defines them.
type Config struct {
	// AgentType is AGENT_TYPE. It must be Spec.Name in upper case. So a process with the
	// manifest of another agent ends at its start.
	AgentType string
	// Timeout bounds the computation of one plan.
	Timeout time.Duration
	// CacheBytes bounds the cached plans of this process.
	CacheBytes   uint64
	Dependencies dependencies.Config
	HTTP         httpserver.Config
}

// pathPrefix is the prefix of every public path of the agent.
func (s Spec[R]) pathPrefix() string { return "/api/v1/agents/" + s.Name }

// ReadConfig reads the environment through lookup. Its error is an
// envconfig.Problems with every problem. The Config then has defaults for
// invalid values, and is only used to create the logger.
func (s Spec[R]) ReadConfig(lookup func(string) (string, bool)) (Config, error) {
	env := envconfig.New(lookup)
	agentType := strings.ToUpper(s.Name)
	cfg := Config{
		AgentType: env.OneOf("AGENT_TYPE", agentType, agentType),
		// Below httpserver's WriteTimeout, so that the timeout's error can still be sent.
		Timeout:    env.Duration(s.TimeoutVariable, s.DefaultTimeout, time.Millisecond, 55*time.Second),
		CacheBytes: env.Size(s.CacheVariable, s.DefaultCache, 1<<20, 1<<36),
		// The listed paths are probed every few seconds, so they are not logged.
		HTTP:         httpserver.ReadConfig(env, ":8000", "/health", "/health/ready", s.pathPrefix()+"/health"),
		Dependencies: dependencies.ReadConfig(env),
	}
	return cfg, env.Err()
}

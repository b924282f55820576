package coordination

import (
	"time"

	"github.com/progressive-framework/platform/agents/internal/dependencies"
	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

// queueDepth is the design document's queue_depth_max (section "Scaling Metrics
// & Thresholds").
const queueDepth = 100

// Config is the configuration of the service. The design document's section
// "MCA Resource Optimization" has the names and defaults of some of the variables.
type Config struct {
	// AgentType is AGENT_TYPE. It must be MCA, so that a process that was started with the
	// manifest of another agent ends immediately.
	AgentType string
	// CoordinationMode is COORDINATION_MODE. The design document only has
	// active.
	CoordinationMode string
	// MaxConcurrentAgents is MAX_CONCURRENT_AGENTS, the limit of concurrent
	// coordinations in one process.
	MaxConcurrentAgents int
	// NPAURL and WPAURL are NPA_URL and WPA_URL, the agents' base URLs.
	NPAURL, WPAURL string
	// AgentTimeout is AGENT_TIMEOUT, the timeout of one agent's response in a coordination. The
	// default is four times the design document's target for the slowest agent, 500
	// ms. After that time, a partial response is better for the user.
	AgentTimeout time.Duration
	// CoordinationTimeout is COORDINATION_TIMEOUT, the timeout of a coordination including its
	// wait in the queue.
	CoordinationTimeout time.Duration
	// GatewayTimeout is GATEWAY_TIMEOUT, the timeout of a proxied request. It is above the
	// agents' own timeouts (the design document's GENERATION_TIMEOUT is 45 s).
	GatewayTimeout time.Duration
	// CacheBytes is COORDINATION_CACHE_SIZE, the size in bytes of this process' cache of
	// coordinations.
	CacheBytes uint64

	Dependencies dependencies.Config
	HTTP         httpserver.Config
}

// ReadConfig reads the environment through lookup. Its error is an
// envconfig.Problems with every problem. The Config then has defaults for invalid
// values. Use such a Config only to create the logger.
func ReadConfig(lookup func(string) (string, bool)) (Config, error) {
	env := envconfig.New(lookup)
	cfg := Config{
		AgentType:           env.OneOf("AGENT_TYPE", "MCA", "MCA"),
		CoordinationMode:    env.OneOf("COORDINATION_MODE", "active", "active"),
		MaxConcurrentAgents: env.Int("MAX_CONCURRENT_AGENTS", 50, 1, 10_000),
		NPAURL:              env.URL("NPA_URL", "http://npa-service", "http", "https"),
		WPAURL:              env.URL("WPA_URL", "http://wpa-service", "http", "https"),
		AgentTimeout:        env.Duration("AGENT_TIMEOUT", 2*time.Second, time.Millisecond, 50*time.Second),
		CoordinationTimeout: env.Duration("COORDINATION_TIMEOUT", 5*time.Second, 10*time.Millisecond, 55*time.Second),
		// Below httpserver's WriteTimeout, so that the timeout's error can still be sent.
		GatewayTimeout: env.Duration("GATEWAY_TIMEOUT", 50*time.Second, 10*time.Millisecond, 55*time.Second),
		CacheBytes:     env.Size("COORDINATION_CACHE_SIZE", "64MB", 1<<20, 1<<36),
		Dependencies:   dependencies.ReadConfig(env),
		HTTP:           httpserver.ReadConfig(env, ":8000", quietPaths...),
	}
	return cfg, env.Err()
}

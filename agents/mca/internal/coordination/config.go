package coordination

import (
	"time"

	"github.com/progressive-framework/platform/agents/internal/dependencies"
	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

// queueDepth is the seed's queue_depth_max (section "Scaling Metrics &
// Thresholds").
const queueDepth = 100

// Config is all that the service is told. Names and defaults are those of the
// seed's section "MCA Resource Optimization" where it has them.
type Config struct {
	// AgentType is AGENT_TYPE, always MCA. It is read so that this image under
	// another agent's manifest stops at the start, not at the first request.
	AgentType string
	// CoordinationMode is COORDINATION_MODE; active, the seed's only one.
	CoordinationMode string
	// MaxConcurrentAgents is MAX_CONCURRENT_AGENTS: how many coordination
	// sessions may be open at once in one process.
	MaxConcurrentAgents int
	// NPAURL and WPAURL are NPA_URL and WPA_URL, where the agents are.
	NPAURL, WPAURL string
	// AgentTimeout is AGENT_TIMEOUT: how long one agent may take to answer a
	// coordination. The seed's targets for the slower agents are 300 ms and
	// 500 ms; past four times that the user is better served by a part.
	AgentTimeout time.Duration
	// CoordinationTimeout is COORDINATION_TIMEOUT: how long a coordination may
	// take, the wait in the queue included.
	CoordinationTimeout time.Duration
	// GatewayTimeout is GATEWAY_TIMEOUT: how long a request that is passed on
	// may take; above the agents' own (the seed's GENERATION_TIMEOUT is 45 s).
	GatewayTimeout time.Duration
	// CacheBytes is COORDINATION_CACHE_SIZE, the bound of the coordinations
	// that this process keeps.
	CacheBytes uint64

	Dependencies dependencies.Config
	HTTP         httpserver.Config
}

// ReadConfig reads the environment through lookup. Its error is an
// envconfig.Problems with all that is wrong; the Config, with defaults in place
// of what is wrong, then serves only to log it.
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
		// Below httpserver's WriteTimeout, so that a late request is still answered.
		GatewayTimeout: env.Duration("GATEWAY_TIMEOUT", 50*time.Second, 10*time.Millisecond, 55*time.Second),
		CacheBytes:     env.Size("COORDINATION_CACHE_SIZE", "64MB", 1<<20, 1<<36),
		Dependencies:   dependencies.ReadConfig(env),
		HTTP:           httpserver.ReadConfig(env, ":8000", quietPaths...),
	}
	return cfg, env.Err()
}

package service

import (
	"time"

	"github.com/progressive-framework/platform/agents/internal/backing"
	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/process"
)

// Config is all that the service is told. Names and defaults are those of the
// seed's section "NPA Resource Optimization" where it has them.
type Config struct {
	// AgentType is AGENT_TYPE, always NPA. It is read so that this image under
	// another agent's manifest stops at the start, not at the first request.
	AgentType string
	// CalculationTimeout is CALCULATION_TIMEOUT: how long one plan may take.
	CalculationTimeout time.Duration
	// CacheBytes is NUTRITION_DB_CACHE_SIZE: the bound of the plans kept in
	// this process.
	CacheBytes uint64
	Backing    backing.Config
	// Common is what every service is told.
	Common process.Config
}

// ReadConfig reads the environment through lookup. Its error is an
// envconfig.Problems with all that is wrong; the Config, with defaults in place
// of what is wrong, then serves only to log it.
func ReadConfig(lookup func(string) (string, bool)) (Config, error) {
	env := envconfig.New(lookup)
	cfg := Config{
		AgentType: env.OneOf("AGENT_TYPE", "NPA", "NPA"),
		// Below httpserver's WriteTimeout, so that a late plan is still answered.
		CalculationTimeout: env.Duration("CALCULATION_TIMEOUT", 30*time.Second, time.Millisecond, 55*time.Second),
		CacheBytes:         env.Size("NUTRITION_DB_CACHE_SIZE", "256MB", 1<<20, 1<<36),
		Common:             process.ReadConfig(env, ":8000", healthPaths...),
		Backing:            backing.ReadConfig(env),
	}
	return cfg, env.Err()
}

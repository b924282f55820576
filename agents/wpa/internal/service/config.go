package service

import (
	"time"

	"github.com/progressive-framework/platform/agents/internal/backing"
	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/process"
)

// Config is all that the service is told. Names and defaults are those of the
// seed's section "WPA Resource Optimization" where it has them.
type Config struct {
	// AgentType is AGENT_TYPE, always WPA. It is read so that this image under
	// another agent's manifest stops at the start, not at the first request.
	AgentType string
	// GenerationTimeout is GENERATION_TIMEOUT: how long one week may take.
	GenerationTimeout time.Duration
	// CacheBytes is WORKOUT_TEMPLATE_CACHE: the bound of the weeks kept in this
	// process.
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
		AgentType: env.OneOf("AGENT_TYPE", "WPA", "WPA"),
		// Below httpserver's WriteTimeout, so that a late week is still answered.
		GenerationTimeout: env.Duration("GENERATION_TIMEOUT", 45*time.Second, time.Millisecond, 55*time.Second),
		CacheBytes:        env.Size("WORKOUT_TEMPLATE_CACHE", "128MB", 1<<20, 1<<36),
		Common:            process.ReadConfig(env, ":8000", healthPaths...),
		Backing:           backing.ReadConfig(env),
	}
	return cfg, env.Err()
}

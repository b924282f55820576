package service

import (
	"log/slog"
	"time"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

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
	// LogLevel is LOG_LEVEL: debug, info, warn or error.
	LogLevel slog.Level
	// HTTP takes LISTEN_ADDRESS, DRAIN_DELAY and SHUTDOWN_TIMEOUT.
	HTTP httpserver.Config
}

// ReadConfig reads the environment through lookup. Its error is an
// envconfig.Problems with all that is wrong; the Config, with defaults in place
// of what is wrong, then serves only to log it.
func ReadConfig(lookup func(string) (string, bool)) (Config, error) {
	env := envconfig.New(lookup)
	http := httpserver.Defaults()
	http.QuietPaths = healthPaths
	http.Address = env.Address("LISTEN_ADDRESS", ":8000")
	http.DrainDelay = env.Duration("DRAIN_DELAY", http.DrainDelay, 0, 5*time.Minute)
	http.ShutdownTimeout = env.Duration("SHUTDOWN_TIMEOUT", http.ShutdownTimeout, time.Second, 10*time.Minute)
	cfg := Config{
		AgentType:           env.OneOf("AGENT_TYPE", "MCA", "MCA"),
		CoordinationMode:    env.OneOf("COORDINATION_MODE", "active", "active"),
		MaxConcurrentAgents: env.Int("MAX_CONCURRENT_AGENTS", 50, 1, 10_000),
		LogLevel:            levels[env.OneOf("LOG_LEVEL", "info", "debug", "info", "warn", "error")],
		HTTP:                http,
	}
	return cfg, env.Err()
}

var levels = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}

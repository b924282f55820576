package service

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
)

func from(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, set := values[name]
		return value, set
	}
}

func TestDefaultsAreTheSeeds(t *testing.T) {
	cfg, err := ReadConfig(from(nil))
	require.NoError(t, err)
	require.Equal(t, "MCA", cfg.AgentType)
	require.Equal(t, "active", cfg.CoordinationMode)
	require.Equal(t, 50, cfg.MaxConcurrentAgents)
	require.Equal(t, ":8000", cfg.HTTP.Address)
	require.Equal(t, 5*time.Second, cfg.HTTP.DrainDelay)
	require.Equal(t, 20*time.Second, cfg.HTTP.ShutdownTimeout)
	require.Less(t, cfg.HTTP.DrainDelay+cfg.HTTP.ShutdownTimeout, 30*time.Second,
		"the drain fits into Kubernetes' default grace period")
	require.Equal(t, slog.LevelInfo, cfg.LogLevel)
}

func TestEveryVariableIsRead(t *testing.T) {
	cfg, err := ReadConfig(from(map[string]string{
		"AGENT_TYPE": "MCA", "COORDINATION_MODE": "active", "MAX_CONCURRENT_AGENTS": "7",
		"LISTEN_ADDRESS": "127.0.0.1:9", "DRAIN_DELAY": "0s", "SHUTDOWN_TIMEOUT": "1s", "LOG_LEVEL": "debug",
	}))
	require.NoError(t, err)
	require.Equal(t, 7, cfg.MaxConcurrentAgents)
	require.Equal(t, "127.0.0.1:9", cfg.HTTP.Address)
	require.Zero(t, cfg.HTTP.DrainDelay)
	require.Equal(t, time.Second, cfg.HTTP.ShutdownTimeout)
	require.Equal(t, slog.LevelDebug, cfg.LogLevel)
}

func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	wrong := map[string]string{
		"AGENT_TYPE":            "NPA",
		"COORDINATION_MODE":     "passive",
		"MAX_CONCURRENT_AGENTS": "0",
		"LISTEN_ADDRESS":        "8000",
		"DRAIN_DELAY":           "6m",
		"SHUTDOWN_TIMEOUT":      "0s",
		"LOG_LEVEL":             "loud",
	}
	_, err := ReadConfig(from(wrong))
	var problems envconfig.Problems
	require.ErrorAs(t, err, &problems)
	named := map[string]string{}
	for _, p := range problems {
		require.NotEmpty(t, p.Rule)
		require.NotEmpty(t, p.Mend)
		named[p.Variable] = p.Value
	}
	require.Equal(t, wrong, named)
}

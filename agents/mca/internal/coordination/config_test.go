package coordination

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
)

func TestDefaultsMatchTheDesignDocument(t *testing.T) {
	cfg, err := ReadConfig(servicetest.New(t).Lookup(map[string]string{"LISTEN_ADDRESS": ":8000"}))
	require.NoError(t, err)
	require.Equal(t, "MCA", cfg.AgentType)
	require.Equal(t, "active", cfg.CoordinationMode)
	require.Equal(t, 50, cfg.MaxConcurrentAgents)
	require.Equal(t, "http://npa-service", cfg.NPAURL)
	require.Equal(t, "http://wpa-service", cfg.WPAURL)
	require.Less(t, cfg.AgentTimeout, cfg.CoordinationTimeout)
	require.Less(t, cfg.GatewayTimeout, cfg.HTTP.WriteTimeout, "the timeout's error can still be sent")
	require.Equal(t, ":8000", cfg.HTTP.Address)
	require.Equal(t, 5*time.Second, cfg.HTTP.DrainDelay)
	require.Equal(t, 20*time.Second, cfg.HTTP.ShutdownTimeout)
	require.Less(t, cfg.HTTP.DrainDelay+cfg.HTTP.ShutdownTimeout, 30*time.Second,
		"the drain fits into Kubernetes' default termination grace period")
	require.Equal(t, slog.LevelInfo, cfg.HTTP.LogLevel)
}

func TestEveryVariableIsRead(t *testing.T) {
	cfg, err := ReadConfig(servicetest.New(t).Lookup(map[string]string{
		"AGENT_TYPE": "MCA", "COORDINATION_MODE": "active", "MAX_CONCURRENT_AGENTS": "7",
		"LISTEN_ADDRESS": "127.0.0.1:9", "DRAIN_DELAY": "0s", "SHUTDOWN_TIMEOUT": "1s", "LOG_LEVEL": "debug",
	}))
	require.NoError(t, err)
	require.Equal(t, 7, cfg.MaxConcurrentAgents)
	require.Equal(t, "127.0.0.1:9", cfg.HTTP.Address)
	require.Zero(t, cfg.HTTP.DrainDelay)
	require.Equal(t, time.Second, cfg.HTTP.ShutdownTimeout)
	require.Equal(t, slog.LevelDebug, cfg.HTTP.LogLevel)
}

func TestAllConfigErrorsAreReported(t *testing.T) {
	invalid := map[string]string{
		"AGENT_TYPE":            "NPA",
		"NPA_URL":               "npa-service",
		"AGENT_TIMEOUT":         "2",
		"JWT_ISSUER":            "",
		"COORDINATION_MODE":     "passive",
		"MAX_CONCURRENT_AGENTS": "0",
		"LISTEN_ADDRESS":        "8000",
		"DRAIN_DELAY":           "6m",
		"SHUTDOWN_TIMEOUT":      "0s",
		"LOG_LEVEL":             "loud",
	}
	_, err := ReadConfig(servicetest.New(t).Lookup(invalid))
	var problems envconfig.Problems
	require.ErrorAs(t, err, &problems)
	reported := map[string]string{}
	for _, p := range problems {
		require.NotEmpty(t, p.Rule)
		require.NotEmpty(t, p.Fix)
		reported[p.Variable] = p.Value
		if p.Variable == "NPA_URL" {
			reported[p.Variable] = invalid["NPA_URL"] // not shown, because it may have a password
		}
	}
	require.Equal(t, invalid, reported)
}

package trainingapi

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
)

func TestConfig(t *testing.T) {
	cfg, err := Spec.ReadConfig(servicetest.New(t).Lookup(map[string]string{"LISTEN_ADDRESS": ":8000"}))
	require.NoError(t, err)
	require.Equal(t, "WPA", cfg.AgentType)
	require.Equal(t, 45*time.Second, cfg.Timeout, "the design document's")
	require.EqualValues(t, 128_000_000, cfg.CacheBytes, "the design document's")
	require.Equal(t, ":8000", cfg.HTTP.Address)
	require.Less(t, cfg.Timeout, cfg.HTTP.WriteTimeout, "a week that takes the whole timeout can still be sent")

	invalid := map[string]string{
		"AGENT_TYPE": "NPA", "GENERATION_TIMEOUT": "1h", "WORKOUT_TEMPLATE_CACHE": "big", "LISTEN_ADDRESS": "8000",
		"DRAIN_DELAY": "6m", "SHUTDOWN_TIMEOUT": "0s", "LOG_LEVEL": "loud",
	}
	_, err = Spec.ReadConfig(servicetest.New(t).Lookup(invalid))
	problems, ok := errors.AsType[envconfig.Problems](err)
	require.True(t, ok)
	reported := map[string]string{}
	for _, p := range problems {
		reported[p.Variable] = p.Value
	}
	require.Equal(t, invalid, reported)
}

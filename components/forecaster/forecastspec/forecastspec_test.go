package forecastspec

import (
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/forecast/autoscale"
)

var update = flag.Bool("update", false, "write testdata/services.json")

// A test of agents/forecaster reads the same file. So both packages agree on its format.
func TestJSONEqualsTheFileThatTheForecasterReads(t *testing.T) {
	text, err := JSON(scaling.Services())
	require.NoError(t, err)
	const golden = "testdata/services.json"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(text+"\n"), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), text+"\n")

	var services []Service
	require.NoError(t, json.Unmarshal([]byte(text), &services))
	require.Len(t, services, 4)
	require.Equal(t, autoscale.Spec{
		Min: 3, Max: 50,
		Up:   autoscale.Behavior{Window: 60, Policies: []autoscale.Policy{{Percent: true, Value: 50, Seconds: 60}, {Value: 5, Seconds: 60}}, Tolerance: 0.1},
		Down: autoscale.Behavior{Window: 300, Policies: []autoscale.Policy{{Percent: true, Value: 10, Seconds: 60}, {Value: 2, Seconds: 60}}, SelectMin: true, Tolerance: 0.1},
	}, services[0].Document, "the design document's HPA of the main application")
	require.Equal(t, 300, services[2].Document.Down.Window, "an HPA without behaviour has Kubernetes' default window")
}

func TestServiceWithoutARequestMetricIsRefused(t *testing.T) {
	_, err := JSON([]scaling.Profile{{Name: "x"}})
	require.ErrorContains(t, err, "forecast of x")
}

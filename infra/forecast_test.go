package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/dashboards"
	"github.com/progressive-framework/platform/components/scaling/dashboards/consolepage"
)

// predicting runs the program for prod with a value of podScaling.predictive.
func predicting(t *testing.T, value string) []registered {
	t.Helper()
	return deployedWith(t, "prod", map[string]string{"progressive-framework:podScaling": `{"enabled":true,"predictive":"` + value + `"}`})
}

func ofKind(all []registered, kind string) (found []registered) {
	for _, r := range all {
		if strings.HasSuffix(r.Type, ":"+kind) {
			found = append(found, r)
		}
	}
	return found
}

// specs are the specs of objects, by their URNs.
func specs(t *testing.T, all []registered) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, r := range all {
		text, err := json.Marshal(r.Properties)
		require.NoError(t, err)
		texts[r.URN] = string(text)
	}
	return texts
}

func isForecaster(r registered) bool { return strings.HasSuffix(r.URN, "-forecaster") }

// In the shadow a forecaster runs, and no autoscaler and no permission changes.
func TestShadowChangesNoAutoscaler(t *testing.T) {
	off, shadow := predicting(t, "off"), predicting(t, "shadow")
	require.False(t, slices.ContainsFunc(off, isForecaster))
	require.True(t, slices.ContainsFunc(ofKind(shadow, "Deployment"), isForecaster))
	for _, kind := range []string{"ScaledObject", "Role", "ClusterRole"} {
		require.NotEmpty(t, ofKind(off, kind), kind)
		require.Equal(t, specs(t, ofKind(off, kind)), specs(t, ofKind(shadow, kind)), kind)
	}
	require.Equal(t, specs(t, deployedWith(t, "prod", nil)), specs(t, off), "off is the default")
}

// Switched on, the autoscalers are the only difference to the shadow: KEDA needs no
// permission and no network policy for the forecaster, because it reads Prometheus. An
// external scaler that KEDA can't reach would take the guards with it.
func TestKEDAReadsTheForecastFromPrometheus(t *testing.T) {
	shadow, on := predicting(t, "shadow"), predicting(t, "on")
	for _, kind := range []string{"Role", "ClusterRole", "NetworkPolicy", "Service"} {
		require.NotEmpty(t, ofKind(on, kind), kind)
		require.Equal(t, specs(t, ofKind(shadow, kind)), specs(t, ofKind(on, kind)), kind)
	}
	scaled := specs(t, ofKind(on, "ScaledObject"))
	require.Len(t, scaled, 4)
	for urn, text := range scaled {
		require.Contains(t, text, "forecast_published_pods", urn)
		require.NotContains(t, text, "external", urn)
	}
}

// The page with the panels of the forecast and all exporters in the cluster is within its
// limit.
func TestPageHoldsTheForecast(t *testing.T) {
	page, err := consolepage.Render(dashboards.New(dashboards.Platform{
		Services: scaling.Services(), Connections: 100, Exporters: []dashboards.Exporter{dashboards.State, dashboards.Redis, dashboards.Forecaster},
	}))
	require.NoError(t, err)
	require.Contains(t, page, "Forecast: days of history")
	t.Logf("%d of %d bytes", len(page), consolepage.MaxBytes)
}

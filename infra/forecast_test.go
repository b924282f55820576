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

// deployPredictive runs the program for prod with a value of podScaling.predictive.
func deployPredictive(t *testing.T, value string) []registered {
	t.Helper()
	return deployStackWith(t, "prod", map[string]string{"progressive-framework:podScaling": `{"enabled":true,"predictive":"` + value + `"}`})
}

// ofKind returns the resources whose type ends with a Kubernetes kind.
func ofKind(all []registered, kind string) (found []registered) {
	for _, r := range all {
		if strings.HasSuffix(r.Type, ":"+kind) {
			found = append(found, r)
		}
	}
	return found
}

// propertiesByURN returns the properties of resources as JSON, by URN.
func propertiesByURN(t *testing.T, all []registered) map[string]string {
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

// With predictive "shadow" a forecaster runs, but no autoscaler and no permission changes.
func TestShadowChangesNoAutoscaler(t *testing.T) {
	off, shadow := deployPredictive(t, "off"), deployPredictive(t, "shadow")
	require.False(t, slices.ContainsFunc(off, isForecaster))
	require.True(t, slices.ContainsFunc(ofKind(shadow, "Deployment"), isForecaster))
	for _, kind := range []string{"ScaledObject", "Role", "ClusterRole"} {
		require.NotEmpty(t, ofKind(off, kind), kind)
		require.Equal(t, propertiesByURN(t, ofKind(off, kind)), propertiesByURN(t, ofKind(shadow, kind)), kind)
	}
	require.Equal(t, propertiesByURN(t, deployStackWith(t, "prod", nil)), propertiesByURN(t, off), "off is the default")
}

// Between "shadow" and "on" only the autoscalers differ: KEDA needs no permission and no network
// policy for the forecaster, because it reads Prometheus. An external scaler that KEDA can't reach
// would take the guards with it.
func TestKEDAReadsTheForecastFromPrometheus(t *testing.T) {
	shadow, on := deployPredictive(t, "shadow"), deployPredictive(t, "on")
	for _, kind := range []string{"Role", "ClusterRole", "NetworkPolicy", "Service"} {
		require.NotEmpty(t, ofKind(on, kind), kind)
		require.Equal(t, propertiesByURN(t, ofKind(shadow, kind)), propertiesByURN(t, ofKind(on, kind)), kind)
	}
	scaled := propertiesByURN(t, ofKind(on, "ScaledObject"))
	require.Len(t, scaled, 4)
	for urn, text := range scaled {
		require.Contains(t, text, "forecast_published_pods", urn)
		require.NotContains(t, text, "external", urn)
	}
}

// Render accepts a page with the panels of the forecast and of all exporters in the cluster: it is
// within the page's size limit.
func TestDashboardPageWithForecastIsWithinItsLimit(t *testing.T) {
	page, err := consolepage.Render(dashboards.New(dashboards.Platform{
		Services: scaling.Services(), Connections: 100, Exporters: []dashboards.Exporter{dashboards.State, dashboards.Redis, dashboards.Forecaster},
	}))
	require.NoError(t, err)
	require.Contains(t, page, "Forecast: days of history")
	t.Logf("%d of %d bytes", len(page), consolepage.MaxBytes)
}

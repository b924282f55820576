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
func deployPredictive(t *testing.T, value string) []registeredResource {
	t.Helper()
	return deployStackWith(t, "prod", map[string]string{"progressive-framework:podScaling": `{"enabled":true,"predictive":"` + value + `"}`})
}

// filterByKind returns the resources of a Kubernetes kind.
func filterByKind(resources []registeredResource, kind string) (found []registeredResource) {
	for _, r := range resources {
		if strings.HasSuffix(r.Type, ":"+kind) {
			found = append(found, r)
		}
	}
	return found
}

// encodeProperties returns the properties of each resource as JSON, by URN.
func encodeProperties(t *testing.T, resources []registeredResource) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, r := range resources {
		text, err := json.Marshal(r.Properties)
		require.NoError(t, err)
		texts[r.URN] = string(text)
	}
	return texts
}

func isForecaster(r registeredResource) bool { return strings.HasSuffix(r.URN, "-forecaster") }

// With predictive "shadow" a forecaster runs, but no autoscaler and no permission changes.
func TestShadowChangesNoAutoscaler(t *testing.T) {
	off, shadow := deployPredictive(t, "off"), deployPredictive(t, "shadow")
	require.False(t, slices.ContainsFunc(off, isForecaster))
	require.True(t, slices.ContainsFunc(filterByKind(shadow, "Deployment"), isForecaster))
	for _, kind := range []string{"ScaledObject", "Role", "ClusterRole"} {
		require.NotEmpty(t, filterByKind(off, kind), kind)
		require.Equal(t, encodeProperties(t, filterByKind(off, kind)), encodeProperties(t, filterByKind(shadow, kind)), kind)
	}
	require.Equal(t, encodeProperties(t, deployStackWith(t, "prod", nil)), encodeProperties(t, off), "off is the default")
}

// Between "shadow" and "on" only the autoscalers differ. KEDA reads the forecast from Prometheus,
// so it needs no permission and no network policy for the forecaster. The forecaster is not an
// external scaler: if KEDA could not reach it, the guard triggers would fail too.
func TestKEDAReadsTheForecastFromPrometheus(t *testing.T) {
	shadow, on := deployPredictive(t, "shadow"), deployPredictive(t, "on")
	for _, kind := range []string{"Role", "ClusterRole", "NetworkPolicy", "Service"} {
		require.NotEmpty(t, filterByKind(on, kind), kind)
		require.Equal(t, encodeProperties(t, filterByKind(shadow, kind)), encodeProperties(t, filterByKind(on, kind)), kind)
	}
	scaledObjects := encodeProperties(t, filterByKind(on, "ScaledObject"))
	require.Len(t, scaledObjects, 4)
	for urn, text := range scaledObjects {
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

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

// KEDA reads once which metrics the forecaster has, so that it must answer before.
func TestScaledObjectsComeAfterTheForecaster(t *testing.T) {
	on := predicting(t, "on")
	i := slices.IndexFunc(ofKind(on, "Deployment"), isForecaster)
	require.GreaterOrEqual(t, i, 0)
	forecaster := ofKind(on, "Deployment")[i].URN
	o := newOrder(on)
	scaled := ofKind(on, "ScaledObject")
	require.Len(t, scaled, 4)
	for _, r := range scaled {
		require.True(t, o.before(r.URN)[forecaster], r.URN)
	}
	roles := specs(t, ofKind(on, "Role"))
	readers := 0
	for _, text := range roles {
		if strings.Contains(text, `"s4-forecast_pods"`) {
			readers++
		}
	}
	require.Equal(t, 1, readers, "the HPA controller may read its metric")
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

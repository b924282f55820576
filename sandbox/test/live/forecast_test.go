package live

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// explanation is the entry of a service in the output of pf forecast explain --json.
type explanation struct {
	Service, State, Why string
	HistoryDays         float64  `json:"history_days"`
	Published           *float64 // nil: there is no forecast
	Decides             bool     // whether an HPA reads the forecast
}

// historyDaysAtStart is the number of days of history that a forecaster reads at its start. A
// forecaster that has run for some days has a longer history.
const historyDaysAtStart = 14

// explainForecasts returns the explanations of all services, or nil if the forecaster can't be
// read.
func explainForecasts(t *testing.T) (explanations []explanation) {
	t.Helper()
	out, _ := run(t, "pf", "forecast", "explain", "--stack", "sandbox", "--json")
	if json.Unmarshal([]byte(out), &explanations) != nil {
		return nil
	}
	return explanations
}

// readAutoscalerSpecs returns the specs of all HPAs and ScaledObjects.
func readAutoscalerSpecs(t *testing.T, namespace string) string {
	t.Helper()
	return mustRun(t, "kubectl", "-n", namespace, "get", "hpa,scaledobject", "-o", "jsonpath={range .items[*]}{.metadata.name}{.spec}{\"\\n\"}{end}")
}

// TestForecasterInShadowMode tests the forecaster in shadow mode, in which it does not change
// HPAs. It must run, be scraped by Prometheus, and explain why it has no forecast of its own.
// After its pod is killed, a new pod must have the same history. The HPAs must not change.
func TestForecasterInShadowMode(t *testing.T) {
	namespace := stackOutput[string](t, "namespace")
	path := prometheusPath(t)
	prometheusNamespace := namespace + "-prometheus"
	specsBefore := readAutoscalerSpecs(t, namespace)
	require.NotContains(t, specsBefore, "forecast", "in shadow mode no HPA has the metric of the forecast")

	var services []explanation
	require.Eventually(t, func() bool {
		services = explainForecasts(t)
		for _, s := range services {
			if s.State == "no history" || s.State == "stale" {
				return false // Prometheus has no samples yet
			}
		}
		scraped, _ := queryPrometheusAt(t, path, `count(gate_state{job="forecaster"})`)
		return len(services) == 4 && int(scraped) == 4
	}, 30*time.Second, 2*time.Second)
	historyDays := map[string]float64{}
	for _, s := range services {
		historyDays[s.Service] = s.HistoryDays
		require.NotEmpty(t, s.Why, s.Service)
		require.NotNil(t, s.Published, s.Service)
		require.False(t, s.Decides, "%s: no HPA reads the forecast in shadow mode", s.Service)
		if s.HistoryDays < 1 {
			require.Equal(t, "learning", s.State, "%s: the state of a forecaster with less than a day of history", s.Service)
		}
	}
	if memoryBytes, found := queryPrometheusAt(t, path, `max(process_resident_memory_bytes{job="forecaster"})`); found {
		t.Logf("the forecaster uses %.1f MB of memory", memoryBytes/1e6)
	}

	pod := mustRun(t, "kubectl", "-n", prometheusNamespace, "get", "pods", "-l", "app=forecaster", "-o", "jsonpath={.items[*].metadata.name}")
	mustRun(t, "kubectl", "-n", prometheusNamespace, "delete", "pod", pod, "--grace-period=0", "--force")
	began := time.Now()
	require.Eventually(t, func() bool {
		days, found := queryPrometheusAt(t, path, fmt.Sprintf(`max(history_days{job="forecaster",pod!=%q,service="web"})`, pod))
		return found && days >= min(historyDays["web"], historyDaysAtStart)-0.001
	}, 50*time.Second, time.Second, "a new pod is scraped and has read the history")
	t.Logf("the new pod was scraped with its history after %s", time.Since(began).Round(time.Second))
	// Prometheus scrapes the pod before its first readiness probe, and pf reads only ready pods.
	mustRun(t, "kubectl", "-n", prometheusNamespace, "rollout", "status", "deployment/forecaster", "--timeout=60s")
	require.Len(t, explainForecasts(t), 4)
	require.Equal(t, specsBefore, readAutoscalerSpecs(t, namespace))
}

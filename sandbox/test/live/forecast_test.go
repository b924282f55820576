package live

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// explained is a service in the output of pf forecast explain --json.
type explained struct {
	Service, State, Why string
	HistoryDays         float64 `json:"history_days"`
	Published           *float64
	Decides             bool
}

// explain reads the forecaster; nil: it can't be read.
func explain(t *testing.T) (all []explained) {
	t.Helper()
	out, _ := run(t, "pf", "forecast", "explain", "--stack", "sandbox", "--json")
	if json.Unmarshal([]byte(out), &all) != nil {
		return nil
	}
	return all
}

// autoscalerSpecs are the specs of all HPAs and ScaledObjects, as the API server has them.
func autoscalerSpecs(t *testing.T, namespace string) string {
	t.Helper()
	return must(t, "kubectl", "-n", namespace, "get", "hpa,scaledobject", "-o", "jsonpath={range .items[*]}{.metadata.name}{.spec}{\"\\n\"}{end}")
}

// TestForecasterInTheShadow: it runs, is scraped, says why it has no forecast of its own,
// and comes back with its history after its pod was killed. Nothing of the HPAs changes.
func TestForecasterInTheShadow(t *testing.T) {
	namespace := output[string](t, "namespace")
	path := prometheusPath(t)
	own := namespace + "-prometheus"
	before := autoscalerSpecs(t, namespace)
	require.NotContains(t, before, "forecast", "in the shadow no HPA has its metric")

	var services []explained
	require.Eventually(t, func() bool {
		services = explain(t)
		for _, s := range services {
			if s.State == "no history" || s.State == "stale" {
				return false // Prometheus has just begun
			}
		}
		scraped, _ := queryAt(t, path, `count(gate_state{job="forecaster"})`)
		return len(services) == 4 && int(scraped) == 4
	}, 30*time.Second, 2*time.Second)
	history := map[string]float64{}
	for _, s := range services {
		history[s.Service] = s.HistoryDays
		require.NotEmpty(t, s.Why, s.Service)
		require.NotNil(t, s.Published, s.Service)
		require.False(t, s.Decides, "%s: no HPA reads it in the shadow", s.Service)
		if s.HistoryDays < 1 {
			require.Equal(t, "learning", s.State, "%s: a day of history is missing, and it says so", s.Service)
		}
	}
	if bytes, found := queryAt(t, path, `max(process_resident_memory_bytes{job="forecaster"})`); found {
		t.Logf("the forecaster has %.1f MB", bytes/1e6)
	}

	pod := must(t, "kubectl", "-n", own, "get", "pods", "-l", "app=forecaster", "-o", "jsonpath={.items[*].metadata.name}")
	must(t, "kubectl", "-n", own, "delete", "pod", pod, "--grace-period=0", "--force")
	began := time.Now()
	require.Eventually(t, func() bool {
		back, found := queryAt(t, path, fmt.Sprintf(`max(history_days{job="forecaster",pod!=%q,service="web"})`, pod))
		return found && back >= history["web"]-0.001
	}, 50*time.Second, time.Second, "another pod is scraped, and has read the history again")
	t.Logf("the new pod was scraped with its history after %s", time.Since(began).Round(time.Second))
	require.Len(t, explain(t), 4)
	require.Equal(t, before, autoscalerSpecs(t, namespace))
}

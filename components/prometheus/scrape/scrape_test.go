package scrape

import (
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/scaling"
)

var update = flag.Bool("update", false, "write testdata/prometheus.json")

// The test compares the file with a golden file. The live tests load the file into a real
// Prometheus, which refuses unknown fields.
func TestFileEqualsTheGoldenFile(t *testing.T) {
	text, err := New(scaling.Services(), Namespaces{
		Own: "app-prometheus", Platform: "app", Controllers: []string{"app-keda"}, Stores: []string{"postgres", "redis-cluster"}, Forecaster: true, Database: true,
	}).WithAlertmanager("alertmanager.app-prometheus.svc:9093").File()
	require.NoError(t, err)
	const golden = "testdata/prometheus.json"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(text), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), text)
	require.True(t, json.Valid([]byte(text)))
}

// An autoscaler's query selects the series of its service by the name of the job. So no other job
// may have the same name.
func TestEachServiceHasOneJobWithItsName(t *testing.T) {
	config := New(scaling.Services(), Namespaces{Own: "app-prometheus", Platform: "app", Controllers: []string{"app-keda"}, Forecaster: true})
	count := map[string]int{}
	for _, job := range config.Scrapes {
		count[job.Name]++
	}
	for _, service := range scaling.Services() {
		require.Equal(t, 1, count[service.Name], service.Name)
	}
	for name, n := range count {
		require.Equal(t, 1, n, name)
	}
	require.Less(t, Timeout, scaling.ScrapeInterval, "Prometheus refuses a timeout above the interval")
	require.Less(t, scaling.ScrapeInterval, 10*time.Second)
}

// Equal discoveries share one watch. Otherwise Prometheus would watch the same pods once for each
// service.
func TestServicesShareOneDiscovery(t *testing.T) {
	config := New(scaling.Services(), Namespaces{Own: "app-prometheus", Platform: "app"})
	for _, job := range config.Scrapes[:len(scaling.Services())] {
		require.Equal(t, config.Scrapes[0].Discovery, job.Discovery)
	}
}

// A pod can get another address while Prometheus is down. If its series depended on the address, a
// sum over pods would count the pod twice for the 5 minutes of the look-back.
func TestSeriesOfAPodDoNotDependOnItsAddress(t *testing.T) {
	config := New(scaling.Services(), Namespaces{
		Own: "app-prometheus", Platform: "app", Controllers: []string{"app-keda"}, Stores: []string{"redis-cluster"},
	})
	for _, job := range config.Scrapes {
		if job.Discovery[0].Role != "pod" {
			continue
		}
		require.Contains(t, job.Targets, relabel{
			Source: []string{podName, podPortNumber}, Regex: "(.+);(.+)", Replacement: "$1:$2", Target: "instance",
		}, job.Name)
	}
}

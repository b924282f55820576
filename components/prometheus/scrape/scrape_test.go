package scrape

import (
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promrules"
)

var update = flag.Bool("update", false, "write testdata/prometheus.json")

// allTargets are the targets of a stack that has all of them.
var allTargets = Targets{
	Own: "app-prometheus", Platform: "app", Controllers: []string{"app-keda"}, Stores: []string{"postgres", "redis-cluster"}, Forecaster: true, PGExporter: true,
}

// The test compares the file with a golden file. The live tests load a stack's file into a real
// Prometheus, which refuses unknown fields. sandbox/mirror/prometheus/remotewrite loads the golden
// file with Prometheus' code.
func TestFileEqualsTheGoldenFile(t *testing.T) {
	workspace, err := ParseWorkspace("arn:aws:aps:eu-west-1:123456789012:workspace/ws-01234567-89ab-cdef-0123-456789abcdef")
	require.NoError(t, err)
	recorded := promrules.RecordedSeries(promrules.Input{Services: scaling.Services(), Namespace: allTargets.Platform})
	text, err := New(scaling.Services(), allTargets).WithAlertmanager("alertmanager.app-prometheus.svc:9093").WithRemoteWrite(workspace, "app", recorded).File()
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

// A rule that selects a job without targets, or a series of a kubelet that no job keeps, never has
// data.
func TestRulesSelectScrapedSeries(t *testing.T) {
	services := scaling.Services()
	for i := range services {
		services[i].Autoscaled = true
	}
	expressions := ""
	for _, group := range promrules.Groups(promrules.Input{Services: services, Namespace: allTargets.Platform, Stores: allTargets.Stores, Predictive: true, PGExporter: true}) {
		for _, rule := range group.Rules {
			expressions += rule.Expr + "\n"
		}
	}
	jobs, keptPatterns := map[string]bool{}, []string{}
	for _, job := range New(services, allTargets).Scrapes {
		jobs[job.Name] = true
		for _, r := range job.SeriesRules {
			if r.Action == "keep" && slices.Equal(r.Source, []string{"__name__"}) {
				keptPatterns = append(keptPatterns, r.Regex)
			}
		}
	}
	selected := regexp.MustCompile(`\bjob="([^"]*)"`).FindAllStringSubmatch(expressions, -1)
	require.NotEmpty(t, selected)
	for _, match := range selected {
		require.True(t, jobs[match[1]], "no job %q is scraped", match[1])
	}
	names := regexp.MustCompile(`\bcontainer_[a-z_]+`).FindAllString(expressions, -1)
	require.NotEmpty(t, names)
	for _, name := range names {
		require.Regexp(t, "^("+strings.Join(keptPatterns, "|")+")$", name)
	}
}

// An autoscaler's query selects the series of its service by the name of the job. So no other job
// may have the same name.
func TestEachServiceHasOneJobWithItsName(t *testing.T) {
	config := New(scaling.Services(), Targets{Own: "app-prometheus", Platform: "app", Controllers: []string{"app-keda"}, Forecaster: true})
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
	config := New(scaling.Services(), Targets{Own: "app-prometheus", Platform: "app"})
	for _, job := range config.Scrapes[:len(scaling.Services())] {
		require.Equal(t, config.Scrapes[0].Discovery, job.Discovery)
	}
}

// A pod can get a new address while Prometheus is down. If its series depended on the address, a
// sum over pods would count the pod twice for the 5 minutes of the look-back.
func TestSeriesOfAPodDoNotDependOnItsAddress(t *testing.T) {
	config := New(scaling.Services(), Targets{
		Own: "app-prometheus", Platform: "app", Controllers: []string{"app-keda"}, Stores: []string{"redis-cluster"},
	})
	for _, job := range config.Scrapes {
		if job.Discovery[0].Role != "pod" {
			continue
		}
		require.Contains(t, job.TargetRules, relabel{
			Source: []string{podName, podPortNumber}, Regex: "(.+);(.+)", Replacement: "$1:$2", Target: "instance",
		}, job.Name)
	}
}

package diagnose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promrules"
	"github.com/progressive-framework/platform/ops/kubeclient"
)

// Values of the label app of the pods of Redis, PostgreSQL and PostgreSQL's exporter.
const (
	redisApp    = promrules.RedisStatefulSet
	postgresApp = "postgres"
	exporterApp = "postgres-exporter"
)

// podMetrics are the metrics of one pod.
type podMetrics struct {
	pod, app string
	samples
	// overWindow is true if each counter has its increase within the window. Otherwise each counter
	// has its increase since the pod's start. recent is true if the counters cover about the window
	// or less. Some rules judge only recent counters.
	overWindow, recent bool
}

// period returns the period of the counters as text.
func (p podMetrics) period() string {
	if p.overWindow {
		return "in the last " + window.String()
	}
	return "since the pod's start"
}

// metrics has the metrics of every scraped pod.
type metrics struct{ pods []podMetrics }

// podsOfApp returns the metrics of the pods that have the label app with this value.
func (m metrics) podsOfApp(app string) (list []podMetrics) {
	for _, p := range m.pods {
		if p.app == app {
			list = append(list, p)
		}
	}
	return list
}

// checksForApp returns the checks that read the metrics of an app.
func checksForApp(app string) []Check {
	switch app {
	case redisApp, exporterApp:
		return []Check{Database}
	}
	return []Check{Agents, Cache}
}

// effectWithoutOldCounters has, for each check, the effect of missing counters of one window ago.
var effectWithoutOldCounters = map[Check]string{
	Database: "they count since each pod's start, and evictions, slow commands, deadlocks and missing indexes are not judged",
	Agents:   "they count since each pod's start",
	Cache:    "they count since each pod's start",
}

// oldCountersName is the name in the report of the counters of one window ago.
var oldCountersName = "counters of the last " + window.String() + " in Prometheus"

// readMetrics scrapes each ready pod of the services, of Redis and of PostgreSQL's exporter.
// At the same time it queries Prometheus for the counters of one window ago.
func readMetrics(ctx context.Context, o objects, clients kubeclient.Clients) (m metrics, missing []Missing, absent []Absent) {
	apps := []string{redisApp, exporterApp}
	for _, service := range scaling.Services() {
		apps = append(apps, service.Name)
	}
	var (
		mu        sync.Mutex
		wg        sync.WaitGroup
		oldValues map[string]map[string]float64
		oldErr    error
	)
	wg.Go(func() { oldValues, oldErr = readOldValues(ctx, clients.Prometheus(o.namespace), o.namespace) })
	for _, pod := range o.pods {
		app := pod.Labels["app"]
		if !slices.Contains(apps, app) || !kubeclient.IsReady(pod) {
			continue
		}
		wg.Go(func() {
			text, err := clients.Get(ctx, o.namespace, pod.Name, scaling.MetricsPort, "/metrics")
			var podSamples samples
			if err == nil {
				podSamples, err = parseMetrics(text)
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				for _, check := range checksForApp(app) {
					missing = append(missing, Missing{check, "metrics of pod/" + pod.Name, describeReadError(err)})
				}
				return
			}
			up, _ := podSamples.value("pg_up")
			if scrapeFailed, _ := podSamples.value("pg_exporter_last_scrape_error"); scrapeFailed == 1 && up == 1 {
				missing = append(missing, Missing{Database, "a part of PostgreSQL's statistics", "the log of pod/" + pod.Name + " has the reason"})
			}
			m.pods = append(m.pods, podMetrics{pod: pod.Name, app: app, samples: podSamples, recent: startedInWindow(pod, app, podSamples, o.now)})
		})
	}
	wg.Wait()
	missing = append(missing, appsWithoutReadyPod(o, apps)...)
	slices.SortFunc(m.pods, func(a, b podMetrics) int { return strings.Compare(a.pod, b.pod) })
	for i, p := range m.pods {
		if podOldValues, exists := oldValues[p.pod]; exists {
			p.subtractOldValues(podOldValues)
			m.pods[i].overWindow, m.pods[i].recent = true, true
		}
	}
	oldMissing, oldAbsent := m.describeMissingOldCounters(oldErr)
	return m, append(missing, oldMissing...), oldAbsent
}

// describeMissingOldCounters returns an item for each check without the counters of one window ago.
// err is the error of the query to Prometheus. If err is nil, Prometheus may still lack the values
// of some pods: the disk may be new, or Prometheus may not have run at that time.
func (m metrics) describeMissingOldCounters(err error) (missing []Missing, absent []Absent) {
	for _, check := range []Check{Database, Agents, Cache} {
		var pods []string
		for _, p := range m.pods {
			if !p.recent && slices.Contains(checksForApp(p.app), check) {
				pods = append(pods, "pod/"+p.pod)
			}
		}
		switch {
		case errors.Is(err, kubeclient.ErrNoPrometheus):
			absent = append(absent, Absent{check, oldCountersName, fmt.Sprintf("%v, because podScaling is off; so %s", err, effectWithoutOldCounters[check])})
		case err != nil:
			missing = append(missing, Missing{check, oldCountersName + ", so " + effectWithoutOldCounters[check], describeReadError(err)})
		case len(pods) > 0:
			missing = append(missing, Missing{check, oldCountersName + ", so " + effectWithoutOldCounters[check], fmt.Sprintf("Prometheus has no value of %s ago of %s", window, joinNames(pods, 5))})
		}
	}
	return missing, absent
}

// appsWithoutReadyPod returns the apps without a ready pod as missing, because nothing serves their
// metrics. A store outside of the cluster has no pods, and is not in the result.
func appsWithoutReadyPod(o objects, apps []string) (missing []Missing) {
	if !o.podsRead {
		return nil // the list of pods is reported as missing
	}
	for _, app := range apps {
		pods, ready := 0, 0
		for _, pod := range o.pods {
			if pod.Labels["app"] != app {
				continue
			}
			pods++
			if kubeclient.IsReady(pod) {
				ready++
			}
		}
		isAbsentStore := pods == 0 && (app == redisApp || app == exporterApp)
		if ready > 0 || isAbsentStore {
			continue
		}
		for _, check := range checksForApp(app) {
			missing = append(missing, Missing{check, "metrics of " + app, fmt.Sprintf("none of its %d pods is ready: see the findings of resources", pods)})
		}
	}
	return missing
}

// joinNames returns the first maximum names, and the number of further names.
func joinNames(names []string, maximum int) string {
	if len(names) <= maximum {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maximum], ", "), len(names)-maximum)
}

// startedInWindow reports whether a pod's counters started about one window ago or later. metricDelay
// is the additional time until Prometheus scrapes a new pod. PostgreSQL's counters are those of the
// server, which may be older than the pod of its exporter.
func startedInWindow(pod corev1.Pod, app string, list samples, now time.Time) bool {
	if app == exporterApp {
		since, exists := list.value("pg_stat_database_stats_reset")
		return exists && now.Sub(time.Unix(int64(since), 0)) < window+metricDelay
	}
	return pod.Status.StartTime != nil && now.Sub(pod.Status.StartTime.Time) < window+metricDelay
}

// formatMilliseconds returns a number of seconds as text in milliseconds.
func formatMilliseconds(seconds float64) string { return fmt.Sprintf("%.0f ms", 1000*seconds) }

// formatSeconds returns a number of seconds as a duration, rounded to tenths of a second.
func formatSeconds(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Second / 10).String()
}

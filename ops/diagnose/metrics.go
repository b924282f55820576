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
	redisApp    = promrules.Redis
	postgresApp = "postgres"
	exporterApp = "postgres-exporter"
)

// podMetrics are the metrics of one pod.
type podMetrics struct {
	pod, app string
	samples
	// counted reports whether the counters count over the window. Otherwise they count since the
	// pod's start. recent reports whether the counters cover about the window or less. Rules judge
	// only such counters.
	counted, recent bool
}

// since returns the period of the counters.
func (p podMetrics) since() string {
	if p.counted {
		return "in the last " + window.String()
	}
	return "since the pod's start"
}

// metrics has the metrics of every pod that serves some.
type metrics struct{ pods []podMetrics }

// withApp returns the metrics of the pods with a value of the label app.
func (m metrics) withApp(app string) (list []podMetrics) {
	for _, p := range m.pods {
		if p.app == app {
			list = append(list, p)
		}
	}
	return list
}

// checksOf returns the checks that read the metrics of an app.
func checksOf(app string) []Check {
	switch app {
	case redisApp, exporterApp:
		return []Check{Database}
	}
	return []Check{Agents, Cache}
}

// countersOf says for each check what it does without the values of one window ago.
var countersOf = map[Check]string{
	Database: "they count since each pod's start, and evictions, slow commands, deadlocks and missing indexes are not judged",
	Agents:   "they count since each pod's start",
	Cache:    "they count since each pod's start",
}

// oldCounters is what the report calls the counters of one window ago.
var oldCounters = "counters of the last " + window.String() + " in Prometheus"

// readMetrics scrapes each ready pod of the services, of Redis and of PostgreSQL's exporter.
// Concurrently it queries Prometheus for the counters of one window ago.
func readMetrics(ctx context.Context, o objects, clients kubeclient.Clients) (m metrics, missing []Missing, absent []Absent) {
	apps := []string{redisApp, exporterApp}
	for _, service := range scaling.Services() {
		apps = append(apps, service.Name)
	}
	var (
		mu     sync.Mutex
		wg     sync.WaitGroup
		old    map[string]map[string]float64
		oldErr error
	)
	wg.Go(func() { old, oldErr = oldValues(ctx, clients.Prometheus(o.namespace), o.namespace) })
	for _, pod := range o.pods {
		app := pod.Labels["app"]
		if !slices.Contains(apps, app) || !kubeclient.Ready(pod) {
			continue
		}
		wg.Go(func() {
			text, err := clients.Get(ctx, o.namespace, pod.Name, scaling.MetricsPort, "/metrics")
			var list samples
			if err == nil {
				list, err = parse(text)
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				for _, check := range checksOf(app) {
					missing = append(missing, Missing{check, "metrics of pod/" + pod.Name, readFailure(err)})
				}
				return
			}
			up, _ := list.value("pg_up")
			if failed, _ := list.value("pg_exporter_last_scrape_error"); failed == 1 && up == 1 {
				missing = append(missing, Missing{Database, "a part of PostgreSQL's statistics", "the log of pod/" + pod.Name + " has the reason"})
			}
			m.pods = append(m.pods, podMetrics{pod: pod.Name, app: app, samples: list, recent: startedInWindow(pod, app, list, o.now)})
		})
	}
	wg.Wait()
	missing = append(missing, silentApps(o, apps)...)
	slices.SortFunc(m.pods, func(a, b podMetrics) int { return strings.Compare(a.pod, b.pod) })
	for i, p := range m.pods {
		if before, exists := old[p.pod]; exists {
			p.growth(before)
			m.pods[i].counted, m.pods[i].recent = true, true
		}
	}
	failed, without := m.withoutOld(oldErr)
	return m, append(missing, failed...), without
}

// withoutOld returns the checks that have no counters of one window ago to compare with. err is the
// error of the query to Prometheus. If err is nil, Prometheus may still lack the values of some
// pods, because its disk is new or because it did not run then.
func (m metrics) withoutOld(err error) (missing []Missing, absent []Absent) {
	for _, check := range []Check{Database, Agents, Cache} {
		var pods []string
		for _, p := range m.pods {
			if !p.recent && slices.Contains(checksOf(p.app), check) {
				pods = append(pods, "pod/"+p.pod)
			}
		}
		switch {
		case errors.Is(err, kubeclient.ErrNoPrometheus):
			absent = append(absent, Absent{check, oldCounters, fmt.Sprintf("%v, because podScaling is off; so %s", err, countersOf[check])})
		case err != nil:
			missing = append(missing, Missing{check, oldCounters + ", so " + countersOf[check], readFailure(err)})
		case len(pods) > 0:
			missing = append(missing, Missing{check, oldCounters + ", so " + countersOf[check], fmt.Sprintf("Prometheus has no value of %s ago of %s", window, listed(pods, 5))})
		}
	}
	return missing, absent
}

// silentApps reports the apps without a ready pod: their metrics are missing. A store that is not
// in the cluster has no pods, and is not reported.
func silentApps(o objects, apps []string) (missing []Missing) {
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
			if kubeclient.Ready(pod) {
				ready++
			}
		}
		if ready > 0 || pods == 0 && (app == redisApp || app == exporterApp) {
			continue
		}
		for _, check := range checksOf(app) {
			missing = append(missing, Missing{check, "metrics of " + app, fmt.Sprintf("none of its %d pods is ready: see the findings of resources", pods)})
		}
	}
	return missing
}

// listed prints names, and how many more there are than most.
func listed(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// startedInWindow reports whether a pod's counters started about one window ago or later. Prometheus
// has no value of a pod until its first scrape, which metricDelay covers. PostgreSQL's counters are
// those of the server, which may be older than the pod of its exporter.
func startedInWindow(pod corev1.Pod, app string, list samples, now time.Time) bool {
	if app == exporterApp {
		since, exists := list.value("pg_stat_database_stats_reset")
		return exists && now.Sub(time.Unix(int64(since), 0)) < window+metricDelay
	}
	return pod.Status.StartTime != nil && now.Sub(pod.Status.StartTime.Time) < window+metricDelay
}

// ms prints a duration, given in seconds, in milliseconds.
func ms(seconds float64) string { return fmt.Sprintf("%.0f ms", 1000*seconds) }

// rounded prints a duration, given in seconds, in tenths of a second.
func rounded(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Second / 10).String()
}

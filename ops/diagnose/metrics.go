package diagnose

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/ops/kubeclient"
)

const (
	// minRequests is the least number of requests that a share is computed of.
	minRequests = 100
	// minReads is that of reads of a cache.
	minReads = 1000
	// minHitRate is the hit rate in percent under which a cache does little. The
	// document shows the rate and has no threshold; below it, most reads cost a
	// trip to Redis and the work.
	minHitRate = 50
	// maxCacheErrors is the share in percent of failed commands.
	maxCacheErrors = 1
)

// podMetrics are the metrics of one pod of a service since the pod's start.
type podMetrics struct {
	pod     string
	service scaling.Profile
	// families by name.
	families map[string]*dto.MetricFamily
}

// scrape returns the text of a pod's metrics.
type scrape func(ctx context.Context, pod string) ([]byte, error)

// proxyScrape scrapes through the API server, because no network outside of the
// cluster reaches the metrics port.
func proxyScrape(c kubeclient.Clients, namespace string) scrape {
	return func(ctx context.Context, pod string) ([]byte, error) {
		return c.Kubernetes.CoreV1().Pods(namespace).ProxyGet("http", pod, fmt.Sprint(scaling.MetricsPort), "metrics", nil).DoRaw(ctx)
	}
}

// readMetrics scrapes each ready pod of the services.
func readMetrics(ctx context.Context, o objects, scrape scrape) (list []podMetrics, missing []Missing) {
	for _, service := range scaling.Services() {
		for _, pod := range o.pods {
			if pod.Labels["app"] != service.Name || !isReady(pod) {
				continue
			}
			text, err := scrape(ctx, pod.Name)
			var families map[string]*dto.MetricFamily
			if err == nil {
				parser := expfmt.NewTextParser(model.UTF8Validation)
				families, err = parser.TextToMetricFamilies(bytes.NewReader(text))
			}
			if err != nil {
				missing = append(missing, Missing{Agents, "metrics of pod/" + pod.Name, readFailure(err)}, Missing{Cache, "metrics of pod/" + pod.Name, readFailure(err)})
				continue
			}
			list = append(list, podMetrics{pod.Name, service, families})
		}
	}
	return list, missing
}

func isReady(pod corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue })
}

// labelled returns the value of a label.
func labelled(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// sum adds a counter by the value of a label.
func (p podMetrics) sum(counter, label string) map[string]float64 {
	sums := map[string]float64{}
	for _, m := range p.families[counter].GetMetric() {
		sums[labelled(m, label)] += m.GetCounter().GetValue()
	}
	return sums
}

// isWork is false for probes and WebSockets.
func isWork(m *dto.Metric) bool {
	route := labelled(m, "route")
	return !strings.HasPrefix(route, "GET /health") && route != "GET /metrics" && route != "GET /ws" && route != "none"
}

// agentLimits are the document's thresholds for the agents' work.
func agentLimits() map[string]float64 {
	t := scaling.Targets().Agents
	return map[string]float64{"mca": t.MCACoordination.Seconds(), "npa": t.NPACalculation.Seconds(), "wpa": t.WPAGeneration.Seconds()}
}

// agentFindings are those of the agents' requests and coordinations.
func agentFindings(o objects, pods []podMetrics) (list []Finding) {
	for _, p := range pods {
		where := "pod/" + p.pod
		add := func(f Finding) {
			f.Check, f.Where = Agents, where
			list = append(list, f)
		}
		var requests, failed float64
		for _, m := range p.families["http_requests_total"].GetMetric() {
			if !isWork(m) {
				continue
			}
			requests += m.GetCounter().GetValue()
			if strings.HasPrefix(labelled(m, "status"), "5") {
				failed += m.GetCounter().GetValue()
			}
		}
		limit := scaling.Targets().Web.ErrorRate
		if share := 100 * failed / requests; requests >= minRequests && share > float64(limit) {
			add(Finding{
				Name: "requests-failing", Evidence: fmt.Sprintf("%.1f %% of %.0f requests since the pod's start have a status 5xx", share, requests), Threshold: limit.String(),
				Cause: p.service.Short + ", or a store or an agent that it needs, fails", Fix: "docs/runbooks/alerts.md#errorratehigh", Next: o.kubectl("logs --since=10m " + p.pod),
			})
		}
		if most := agentLimits()[p.service.Short]; most > 0 {
			var count, seconds float64
			for _, m := range p.families["http_request_duration_seconds"].GetMetric() {
				if isWork(m) {
					count += float64(m.GetHistogram().GetSampleCount())
					seconds += m.GetHistogram().GetSampleSum()
				}
			}
			if mean := seconds / count; count >= minRequests && mean > most {
				add(Finding{
					Name: "agent-slow", Evidence: fmt.Sprintf("a mean of %.0f ms over %.0f requests since the pod's start", 1000*mean, count), Threshold: fmt.Sprintf("%.0f ms", 1000*most),
					Cause: "the agent has too little CPU, or waits for a store", Fix: "see pod-cpu-starved and hpa-at-maximum; docs/runbooks/alerts.md#responsesslow", Next: o.kubectl("top pods --containers --sort-by=cpu"),
				})
			}
		}
		outcomes := p.sum("agent_coordination_requests_total", "outcome")
		total := 0.
		for _, n := range outcomes {
			total += n
		}
		if bad := outcomes["failed"] + outcomes["partial"]; total >= minRequests && 100*bad/total > float64(limit) {
			add(Finding{
				Name: "coordinations-failing", Evidence: fmt.Sprintf("%.0f failed and %.0f partial of %.0f coordinations since the pod's start", outcomes["failed"], outcomes["partial"], total), Threshold: limit.String(),
				Cause: "npa or wpa fails or is too slow for mca's deadline", Fix: "see breaker-open and agent-slow", Next: o.kubectl("logs --since=10m " + p.pod + " | grep coordination"),
			})
		}
	}
	return list
}

// cacheFindings are those of each strategy and tier, summed over the pods.
func cacheFindings(o objects, pods []podMetrics) (list []Finding) {
	type key struct{ strategy, tier string }
	hits, misses, errs := map[key]float64{}, map[key]float64{}, map[key]float64{}
	for _, p := range pods {
		for name, sums := range map[string]map[key]float64{"application_cache_hits_total": hits, "application_cache_misses_total": misses, "application_cache_errors_total": errs} {
			for _, m := range p.families[name].GetMetric() {
				sums[key{labelled(m, "strategy"), labelled(m, "tier")}] += m.GetCounter().GetValue()
			}
		}
	}
	keys := slices.SortedFunc(maps.Keys(misses), func(a, b key) int { return strings.Compare(a.strategy+a.tier, b.strategy+b.tier) })
	for _, k := range keys {
		reads := hits[k] + misses[k]
		where := k.strategy + " in " + k.tier
		next := o.kubectl("get --raw /api/v1/namespaces/" + o.namespace + "/pods/POD:" + fmt.Sprint(scaling.MetricsPort) + "/proxy/metrics")
		// The local tier is small: what it misses, Redis has.
		if rate := 100 * hits[k] / reads; k.tier == "redis" && reads >= minReads && rate < minHitRate {
			list = append(list, Finding{
				Check: Cache, Name: "cache-cold", Where: where, Evidence: fmt.Sprintf("%.0f %% of %.0f reads since the pods' start found a value", rate, reads), Threshold: fmt.Sprintf("%d %%", minHitRate),
				Cause: "Redis was emptied or evicts, or the requests do not repeat", Fix: "wait after a restart; else raise redis.memoryMiB or the instance class", Next: next,
			})
		}
		if share := 100 * errs[k] / (reads + errs[k]); reads+errs[k] >= minReads && share > maxCacheErrors {
			list = append(list, Finding{
				Check: Cache, Name: "cache-failing", Where: where, Evidence: fmt.Sprintf("%.1f %% of %.0f commands since the pods' start failed", share, reads+errs[k]), Threshold: fmt.Sprintf("%d %%", maxCacheErrors),
				Cause: "a Redis node is down or slow, so that the breaker of the cache is open", Fix: "docs/faults.md; a lost primary is replaced by its replica", Next: o.kubectl("get pods -l app=redis-cluster"),
			})
		}
	}
	return list
}

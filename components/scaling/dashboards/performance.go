package dashboards

import (
	"fmt"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
)

const (
	// documentWindow is the window of the rates in the design document's dashboard.
	documentWindow = "5m"
	// containerWindow has four samples of the kubelets, which are scraped every 15 s.
	containerWindow = "1m"
	// databaseName is the name of the PostgreSQL database (components/datastore/storespec).
	databaseName = "progressive_framework_v5"
)

// performanceDashboard returns the design document's dashboard (section "Comprehensive Performance
// Dashboard") with its titles and legends. A panel of the document with several units is
// split into one panel for each unit, because a chart has only one scale.
// docs/divergences.md lists the corrections of its expressions.
func performanceDashboard(p Platform) Dashboard {
	t := scaling.DesignThresholds()
	web := p.service("web")
	return Dashboard{Name: "performance", Title: "Progressive Framework V5 - Performance & Scaling", Panels: []Panel{
		{
			Title: "Application Response Time", Unit: Seconds,
			Queries: []Query{
				{Expr: quantileExpr(0.95, selector(web, "http_request_duration_seconds_bucket", userRequestMatchers())), Legend: "95th percentile"},
				{Expr: quantileExpr(0.50, selector(web, "http_request_duration_seconds_bucket", userRequestMatchers())), Legend: "50th percentile"},
			},
			Lines: []Line{{"threshold", t.Web.ResponseTime.Seconds()}},
		},
		{
			Title: "Agent Coordination Performance", Unit: Seconds,
			Queries: []Query{{Expr: quantileExpr(0.95, `agent_coordination_duration_seconds_bucket{agent="mca"}`), Legend: "MCA Coordination (95th)"}},
			Lines:   []Line{{"threshold", t.Agents.MCACoordination.Seconds()}},
		},
		{
			Title: "Agent Coordination Performance: sessions", Unit: Count,
			Queries: []Query{{Expr: `avg(agent_coordination_active_sessions{agent="mca"})`, Legend: "Active MCA Sessions"}},
			Lines:   []Line{{"most of a pod", float64(t.Application.ConcurrentAgentSessions)}},
		},
		{Title: "Database Performance: PostgreSQL", Unit: PerSecond, Queries: []Query{
			{Expr: fmt.Sprintf(`sum(rate(pg_stat_database_tup_returned{datname=%q}[%s]))`, databaseName, documentWindow), Legend: "PostgreSQL Rows/sec", Exporter: PostgreSQL},
		}},
		{Title: "Database Performance: Redis", Unit: Count, Queries: []Query{
			{Expr: `sum(redis_connected_clients)`, Legend: "Redis Connected Clients", Exporter: Redis},
		}},
		{Title: "Database Performance: MongoDB", Unit: PerSecond, Queries: []Query{
			{Expr: fmt.Sprintf(`sum by (type) (rate(mongodb_opcounters_total[%s]))`, documentWindow), Legend: "MongoDB Operations/sec: {{type}}", Exporter: MongoDB},
		}},
		{Title: "Auto-scaling Status", Unit: Count, Queries: replicaQueries(p)},
		{
			Title: "Resource Utilization", Unit: Percent,
			Queries: []Query{
				{Expr: percentExpr(cpuUsageExpr(web), web.Resources.CPURequest.AsApproximateFloat64(), web), Legend: "CPU Usage % of the requests", Exporter: Kubelets},
				{Expr: percentExpr(memoryUsageExpr(web), web.Resources.MemoryRequest.AsApproximateFloat64(), web), Legend: "Memory Usage % of the requests", Exporter: Kubelets},
			},
			Lines: utilizationLines(web),
		},
		{Title: "Cache Performance", Unit: Percent, Queries: []Query{
			{Expr: hitRateExpr("redis_keyspace"), Legend: "Redis Hit Rate %", Exporter: Redis},
			{Expr: hitRateExpr("application_cache"), Legend: "Application Cache Hit Rate %"},
		}},
	}}
}

// replicaQueries returns the queries for the number of pods of each Deployment. Without the
// exporter State the queries count the pods that respond to Prometheus.
func replicaQueries(p Platform) (all []Query) {
	legendNames := map[string]string{"web": "Main App", "mca": "MCA", "npa": "NPA", "wpa": "WPA"}
	for _, s := range p.Services {
		q := Query{Expr: fmt.Sprintf(`sum(up{job=%q})`, promquery.Job(s)), Legend: legendNames[s.ShortName] + " Replicas", Exporter: Prometheus}
		if p.has(State) {
			q = Query{Expr: fmt.Sprintf(`sum(kube_deployment_status_replicas{deployment=%q})`, s.Name), Legend: q.Legend, Exporter: State}
		}
		all = append(all, q)
	}
	return all
}

// quantileExpr returns the expression for a quantile of a histogram over all pods. bucketSelector
// is the selector of the histogram's buckets. Without the sum, the result would be a quantile of
// each series.
func quantileExpr(quantile float64, bucketSelector string) string {
	return fmt.Sprintf(`histogram_quantile(%g, sum by (le) (rate(%s[%s])))`, quantile, bucketSelector, documentWindow)
}

// hitRateExpr returns the expression for the percentage of reads that find a value. The sums
// are necessary, because series of hits and misses with different labels do not match.
func hitRateExpr(prefix string) string {
	rateExpr := func(outcome string) string {
		return fmt.Sprintf(`sum(rate(%s_%s_total[%s]))`, prefix, outcome, documentWindow)
	}
	return fmt.Sprintf(`100 * %[1]s / (%[1]s + %[2]s)`, rateExpr("hits"), rateExpr("misses"))
}

// userRequestMatchers returns the label matchers of the requests with measured durations. The
// matchers leave out probes, which are fast and would hide slow requests. They also leave out
// WebSockets, which last as long as the connection. Web's HPA has the same matchers. The result is
// empty if that HPA has no metric of a mean duration. Then all requests are measured.
func userRequestMatchers() string {
	for _, m := range podsMetrics(scaling.Web()) {
		if d, ok := m.Source.(scaling.MeanDuration); ok {
			return d.Where
		}
	}
	return ""
}

// podMatcher returns the label matcher of the pods of a service's Deployment.
func podMatcher(p scaling.Profile) string {
	return fmt.Sprintf(`pod=~"%s-[a-z0-9]+-[a-z0-9]+"`, p.Name)
}

// cpuUsageExpr returns the expression for the cores that all pods of a service use.
func cpuUsageExpr(p scaling.Profile) string {
	return fmt.Sprintf(`sum(rate(container_cpu_usage_seconds_total{%s}[%s]))`, podMatcher(p), containerWindow)
}

// memoryUsageExpr returns the expression for the bytes that all pods of a service use.
func memoryUsageExpr(p scaling.Profile) string {
	return fmt.Sprintf(`sum(container_memory_working_set_bytes{%s})`, podMatcher(p))
}

// percentExpr returns the expression for the usage of all pods in percent of an amount for each
// pod, such as its request. usageExpr is the expression for the usage. The HPA also divides by the
// requests.
func percentExpr(usageExpr string, amountPerPod float64, p scaling.Profile) string {
	return fmt.Sprintf(`100 * %s / (%s * count(container_memory_working_set_bytes{%s}))`, usageExpr, formatNumber(amountPerPod), podMatcher(p))
}

// utilizationLines returns a line for each of the HPA's targets for CPU and memory.
func utilizationLines(p scaling.Profile) (lines []Line) {
	for _, m := range p.HPA.Metrics {
		if m, ok := m.(scaling.ResourceMetric); ok {
			lines = append(lines, Line{"target of " + string(m.Resource), float64(m.Utilization)})
		}
	}
	return lines
}

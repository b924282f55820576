package dashboards

import (
	"fmt"
	"strings"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
	"github.com/progressive-framework/platform/components/scaling/promrules"
)

// capacityDashboard returns the dashboard of the used capacity: requests, connections, CPU and
// memory.
func capacityDashboard(p Platform) Dashboard {
	t := scaling.DesignThresholds()
	d := Dashboard{Name: "capacity", Title: "Capacity and connections", Panels: []Panel{
		{
			Title: "Requests of users", Unit: PerSecond,
			Queries: []Query{{Expr: `sum(http_requests_per_second)`, Legend: "web", Exporter: Rules}},
			Lines:   []Line{{"highest rate of the design document", float64(t.Web.RequestsPerSecondMax)}},
		},
		connectionsPanel(p),
		{
			Title: "Connections to PostgreSQL in use", Unit: Percent,
			Queries: []Query{{Expr: `100 * sum(pg_stat_activity_count) / max(pg_settings_max_connections)`, Legend: "of max_connections", Exporter: PostgreSQL}},
			Lines:   []Line{{"threshold", float64(t.Database.ConnectionPool)}},
		},
		{
			Title: "Connections to PostgreSQL by state", Unit: Count,
			Queries: []Query{{Expr: `sum by (state) (pg_stat_activity_count)`, Legend: "{{state}}", Exporter: PostgreSQL}},
		},
		{
			Title: "Disk of PostgreSQL: share of time that connections wait for it", Unit: Percent,
			Queries: []Query{{Expr: `100 * ` + promrules.DiskBusy, Legend: "reads and writes", Exporter: PostgreSQL}},
			Lines:   []Line{{"threshold", float64(t.Database.DiskIO)}},
		},
		{Title: "Size of the database", Unit: Bytes, Queries: []Query{
			{Expr: `sum(pg_database_size_bytes)`, Legend: "on disk", Exporter: PostgreSQL},
		}},
		{Title: "Deadlocks", Unit: PerSecond, Queries: []Query{
			{Expr: `sum(rate(pg_stat_database_deadlocks[5m]))`, Legend: "of the database", Exporter: PostgreSQL},
		}},
		{Title: "Memory of Redis", Unit: Bytes, Queries: []Query{
			{Expr: `sum(redis_memory_used_bytes)`, Legend: "used", Exporter: Redis},
		}},
	}}
	cpuPanel := Panel{Title: "CPU in percent of the requests", Unit: Percent}
	memoryPanel := Panel{Title: "Memory in percent of the limits", Unit: Percent, Lines: []Line{{"limit", 100}}}
	filesPanel := Panel{Title: "Open files in percent of the limit", Unit: Percent, Lines: []Line{{"limit", 100}}}
	cacheErrorsPanel := Panel{Title: "Failed commands to Redis", Unit: PerSecond}
	for _, s := range p.Services {
		cpuPanel.Queries = append(cpuPanel.Queries, Query{Expr: percentExpr(cpuUsageExpr(s), s.Resources.CPURequest.AsApproximateFloat64(), s), Legend: s.ShortName, Exporter: Kubelets})
		for _, l := range utilizationLines(s) {
			if l.Name == "target of cpu" {
				cpuPanel.Lines = append(cpuPanel.Lines, Line{"target of " + s.ShortName, l.Value})
			}
		}
		memoryPanel.Queries = append(memoryPanel.Queries, Query{Expr: percentExpr(memoryUsageExpr(s), s.Resources.MemoryLimit.AsApproximateFloat64(), s), Legend: s.ShortName, Exporter: Kubelets})
		filesPanel.Queries = append(filesPanel.Queries, Query{Expr: fmt.Sprintf(`100 * max(process_open_fds{job=%[1]q} / process_max_fds{job=%[1]q})`, promquery.Job(s)), Legend: s.ShortName})
		cacheErrorsPanel.Queries = append(cacheErrorsPanel.Queries, Query{Expr: fmt.Sprintf(`sum(rate(application_cache_errors_total{job=%q}[%s]))`, promquery.Job(s), documentWindow), Legend: s.ShortName})
	}
	d.Panels = append(d.Panels, cpuPanel, memoryPanel, filesPanel, cacheErrorsPanel, Panel{Title: "Series of Prometheus", Unit: Count, Queries: []Query{
		{Expr: `max(prometheus_tsdb_head_series)`, Legend: "in memory", Exporter: Prometheus},
	}})
	return d
}

// connectionsPanel returns the panel of the connections to PostgreSQL that the pods may open:
// the number of pods times the pool of each pod.
func connectionsPanel(p Platform) Panel {
	pool, err := scaling.Pool(p.Services, p.Connections)
	if err != nil { // the configuration refuses such a stack, and New leaves out a panel without queries
		return Panel{}
	}
	var jobs []string
	for _, s := range p.Services {
		jobs = append(jobs, promquery.Job(s))
	}
	return Panel{
		Title: "Connections to PostgreSQL that the pods may open", Unit: Count,
		Queries: []Query{{Expr: fmt.Sprintf(`%d * sum(up{job=~%q})`, pool, strings.Join(jobs, "|")), Legend: fmt.Sprintf("%d for each pod", pool), Exporter: Prometheus}},
		Lines: []Line{
			{"threshold", float64(p.Connections) * float64(scaling.DesignThresholds().Database.ConnectionPool) / 100},
			{"max_connections", float64(p.Connections)},
		},
	}
}

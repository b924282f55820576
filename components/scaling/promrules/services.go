package promrules

import (
	"fmt"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
)

// sustained is the time for which a service may lack pods or resources before an alert fires. The
// design document's longest scale-up takes less time.
const sustained = 15 * time.Minute

// serviceAlerts returns the alerts about the services' load and connections.
func serviceAlerts(services []scaling.Profile, t scaling.Thresholds) []alert {
	var all []alert
	for _, p := range services {
		for _, m := range p.HPA.Metrics {
			if m, ok := m.(scaling.PodsMetric); ok {
				all = append(all, alert{
					name: "DemandAboveMaximum", severity: Page, labels: map[string]string{"metric": m.Name},
					value: promquery.Demand(p, m), compare: ">", limit: m.AverageValue.AsApproximateFloat64() * float64(p.HPA.MaxReplicas),
					forDuration: sustained,
					summary:     fmt.Sprintf("%s needs more than the maximum of %d pods", m.Name, p.HPA.MaxReplicas),
				}.forService(p))
			}
		}
		all = append(all, alert{
			// While this alert fires, the HPA removes no pods. It can still add pods because of the
			// CPU.
			name: "ServiceNotScraped", severity: Page,
			value: fmt.Sprintf(`(sum(up{job=%q}) or vector(0))`, promquery.Job(p)), compare: "<", limit: 1, forDuration: 2 * time.Minute,
			summary: "Prometheus reads the metrics of no pod, so that the number of pods does not follow the load",
		}.forService(p), alert{
			name: "ConnectionsHigh", severity: Ticket, threshold: "database_tier.connection_pool_utilization",
			value:   fmt.Sprintf(`sum(avg_over_time(database_pool_acquired_connections{job=%[1]q}[%[2]s])) / sum(avg_over_time(database_pool_max_connections{job=%[1]q}[%[2]s]))`, promquery.Job(p), rateWindow),
			compare: ">", limit: toRatio(t.Database.ConnectionPool), forDuration: 5 * time.Minute,
			summary: fmt.Sprintf("queries use more than %s of the connections to PostgreSQL", t.Database.ConnectionPool),
		}.forService(p))
		all = append(all, alertsOfOneService(p, t)...)
	}
	return all
}

// alertsOfOneService returns the alerts that only this service has. It returns nil for npa and wpa.
func alertsOfOneService(p scaling.Profile, t scaling.Thresholds) []alert {
	job := promquery.Job(p)
	switch p.ShortName {
	case "web":
		return []alert{alert{
			name: "RequestRateHigh", severity: Ticket, threshold: "web_tier.requests_per_second_max",
			value: rateExpr("http_requests_total", p, ""), compare: ">", limit: float64(t.Web.RequestsPerSecondMax), forDuration: 5 * time.Minute,
			summary: fmt.Sprintf("more than %d requests a second, for which the platform is sized", t.Web.RequestsPerSecondMax),
		}.forService(p)}
	case "mca":
		return []alert{alert{
			name: "SessionsAtMaximum", severity: Ticket, threshold: "application_tier.concurrent_agent_sessions",
			value: fmt.Sprintf(`max(avg_over_time(agent_coordination_active_sessions{job=%q}[%s]))`, job, rateWindow), compare: ">=",
			limit: float64(t.Application.ConcurrentAgentSessions), forDuration: time.Minute,
			summary: fmt.Sprintf("a pod has its maximum of %d sessions, and further requests wait", t.Application.ConcurrentAgentSessions),
		}.forService(p), alert{
			name: "QueueFull", severity: Page, threshold: "application_tier.queue_depth_max",
			value: fmt.Sprintf(`max(max_over_time(agent_coordination_queue_depth{job=%q}[1m]))`, job), compare: ">=",
			limit: float64(t.Application.QueueDepth), forDuration: time.Minute,
			summary: fmt.Sprintf("%d requests wait in a pod, and it refuses further ones", t.Application.QueueDepth),
		}.forService(p)}
	}
	return nil
}

// forService returns the alert with the label of a service.
func (a alert) forService(p scaling.Profile) alert {
	a.service = p.ShortName
	return a
}

package dashboards

import (
	"fmt"

	"github.com/progressive-framework/platform/components/scaling"
)

// The windows of the burn rate. The short window shows whether the problem continues. The
// long window shows whether it is large (Google, "The Site Reliability Workbook", "Alerting
// on SLOs").
const shortWindow, longWindow = "5m", "1h"

// objectivesDashboard returns the dashboard of the service level objectives: failed and slow
// requests of each service.
func objectivesDashboard(p Platform) Dashboard {
	failures := scaling.Targets().Web.ErrorRate
	allowedFailures, allowedSlow := formatNumber(float64(failures)/100), formatNumber(float64(100-scaling.FastResponses)/100)
	available := Panel{Title: "Requests that did not fail", Unit: Percent, Lines: []Line{{"objective", float64(100 - failures)}}}
	fast := Panel{Title: "Answers within the threshold", Unit: Percent, Lines: []Line{{"objective", float64(scaling.FastResponses)}}}
	burn := Panel{Title: "Failures as a multiple of what the objective allows", Unit: Count, Lines: []Line{{"allowed", 1}}}
	slow := Panel{Title: "Slow answers as a multiple of what the objective allows", Unit: Count, Lines: []Line{{"allowed", 1}}}
	for _, s := range p.Services {
		available.Queries = append(available.Queries, Query{Expr: fmt.Sprintf(`100 * (1 - (%s or vector(0)))`, failedShareExpr(s, shortWindow)), Legend: s.Short})
		share, limit := slowShareExpr(s, shortWindow)
		fast.Queries = append(fast.Queries, Query{Expr: fmt.Sprintf(`100 * (1 - (%s))`, share), Legend: fmt.Sprintf("%s: %s", s.Short, limit)})
		for _, window := range []string{shortWindow, longWindow} {
			legend := s.Short + " in " + window
			burn.Queries = append(burn.Queries, Query{Expr: fmt.Sprintf(`(%s or vector(0)) / %s`, failedShareExpr(s, window), allowedFailures), Legend: legend})
			share, _ := slowShareExpr(s, window)
			slow.Queries = append(slow.Queries, Query{Expr: fmt.Sprintf(`(%s) / %s`, share, allowedSlow), Legend: legend})
		}
	}
	return Dashboard{Name: "objectives", Title: "Service level objectives", Panels: []Panel{
		available, fast, burn, slow,
		{Title: "Alerts that fire", Unit: Count, Queries: []Query{
			{Expr: `count(ALERTS{alertstate="firing"}) or vector(0)`, Legend: "alerts", Exporter: Rules},
		}},
	}}
}

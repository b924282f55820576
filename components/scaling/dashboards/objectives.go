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
	maxErrorRate := scaling.DesignThresholds().Web.ErrorRate
	allowedFailures, allowedSlow := formatNumber(float64(maxErrorRate)/100), formatNumber(float64(100-scaling.FastResponses)/100)
	availablePanel := Panel{Title: "Requests that did not fail", Unit: Percent, Lines: []Line{{"objective", float64(100 - maxErrorRate)}}}
	fastPanel := Panel{Title: "Answers within the threshold", Unit: Percent, Lines: []Line{{"objective", float64(scaling.FastResponses)}}}
	burnPanel := Panel{Title: "Failures as a multiple of what the objective allows", Unit: Count, Lines: []Line{{"allowed", 1}}}
	slowPanel := Panel{Title: "Slow answers as a multiple of what the objective allows", Unit: Count, Lines: []Line{{"allowed", 1}}}
	for _, s := range p.Services {
		availablePanel.Queries = append(availablePanel.Queries, Query{Expr: fmt.Sprintf(`100 * (1 - (%s or vector(0)))`, failedShareExpr(s, shortWindow)), Legend: s.ShortName})
		slowShare, threshold := slowShareExpr(s, shortWindow)
		fastPanel.Queries = append(fastPanel.Queries, Query{Expr: fmt.Sprintf(`100 * (1 - (%s))`, slowShare), Legend: fmt.Sprintf("%s: %s", s.ShortName, threshold)})
		for _, window := range []string{shortWindow, longWindow} {
			legend := s.ShortName + " in " + window
			burnPanel.Queries = append(burnPanel.Queries, Query{Expr: fmt.Sprintf(`(%s or vector(0)) / %s`, failedShareExpr(s, window), allowedFailures), Legend: legend})
			slowShare, _ := slowShareExpr(s, window)
			slowPanel.Queries = append(slowPanel.Queries, Query{Expr: fmt.Sprintf(`(%s) / %s`, slowShare, allowedSlow), Legend: legend})
		}
	}
	return Dashboard{Name: "objectives", Title: "Service level objectives", Panels: []Panel{
		availablePanel, fastPanel, burnPanel, slowPanel,
		{Title: "Alerts that fire", Unit: Count, Queries: []Query{
			{Expr: `count(ALERTS{alertstate="firing"}) or vector(0)`, Legend: "alerts", Exporter: Rules},
		}},
	}}
}

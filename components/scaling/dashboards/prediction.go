package dashboards

import (
	"fmt"

	"github.com/progressive-framework/platform/components/scaling/promquery"
)

// horizon is the time between a forecast and the moment that it predicts
// (agents/forecaster).
const horizon = "90s"

// predictionPanels returns the panels of the forecaster: the predicted and the real load, and the
// state of the gate that chooses the forecast. A forecaster that has just started has no
// series for some seconds. The panels then show 0.
func predictionPanels(p Platform) []Panel {
	// overloadBudget is forecast.Budget in percent.
	const overloadBudget = 0.07
	var panels []Panel
	for _, s := range p.Services {
		seriesExpr := func(name, offset string) string {
			return fmt.Sprintf(`max(%s{job=%q,service=%q}%s) or vector(0)`, name, promquery.ForecasterJob, s.ShortName, offset)
		}
		newQuery := func(expr, legend string) Query { return Query{Expr: expr, Legend: legend, Exporter: Forecaster} }
		panels = append(panels, Panel{
			Title: s.ShortName + ": load in pods, predicted and real", Unit: Count,
			Queries: []Query{
				newQuery(seriesExpr("forecast_load", " offset "+horizon), "median that was predicted 90 s before"),
				newQuery(seriesExpr("forecast_present_load", ""), "load that came"),
				newQuery(seriesExpr("forecast_published_pods", ""), "pods that the forecast asks for"),
			},
		})
	}
	newQueryBy := func(label, series string) Query {
		return Query{Expr: fmt.Sprintf(`max by (service, %s) (%s{job=%q})`, label, series, promquery.ForecasterJob), Exporter: Forecaster}
	}
	gateState, candidateInUse, overload := newQueryBy("state", "gate_state"), newQueryBy("candidate", "candidate"), newQueryBy("window", "gate_overload")
	gateState.Legend, candidateInUse.Legend, overload.Legend = "{{service}}: {{state}}", "{{service}}: {{candidate}}", "{{service}}: {{window}}"
	overload.Expr = fmt.Sprintf("100 * %s or vector(0)", overload.Expr)
	return append(panels,
		Panel{Title: "Forecast: why there is none, or how it is chosen", Unit: Count, Queries: []Query{gateState}},
		Panel{Title: "Forecast: days of history", Unit: Count, Lines: []Line{{"first choice of the gate", 1}}, Queries: []Query{
			{Expr: fmt.Sprintf(`max by (service) (history_days{job=%q})`, promquery.ForecasterJob), Legend: "{{service}}", Exporter: Forecaster},
		}},
		Panel{Title: "Forecast: candidate in use", Unit: Count, Queries: []Query{candidateInUse}},
		Panel{Title: "Forecast: overload in the simulation, in percent of the load", Unit: Percent, Lines: []Line{{"budget", overloadBudget}}, Queries: []Query{overload}},
	)
}

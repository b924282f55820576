package promrules

import (
	"fmt"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
)

// slowShare is the share of requests that may be slower than a threshold: the design document
// compares the 95th percentile.
const slowShare = 0.05

// objective is a service level objective. The share of bad requests may be at most budget.
type objective struct {
	service string
	// name is availability, or the key of the design document's threshold.
	name string
	// allRate is the expression for the number of all requests a second. badRate is the expression
	// for the number of bad requests a second.
	allRate, badRate string
	budget           float64
	// alert is the name of the alert that fires when the share of bad requests in five minutes is
	// above budget.
	alert, summary string
}

// objectives returns one objective for the design document's share of failed requests, and one for
// each of its durations. Each duration is an edge of the histograms' buckets
// (agents/internal/telemetry), so that the share is exact.
func objectives(services []scaling.Profile, t scaling.Thresholds) []objective {
	var all []objective
	for _, p := range services {
		requestRate := func(matchers string) string { return rateExpr("http_requests_total", p, matchers) }
		all = append(all, objective{
			service: p.ShortName, name: "availability", budget: toRatio(t.Web.ErrorRate), alert: "ErrorRateHigh",
			allRate: requestRate(""),
			badRate: fmt.Sprintf(`(%s or 0 * %s)`, requestRate(`,status=~"5.."`), requestRate("")),
			summary: fmt.Sprintf("more than %s of the requests fail", t.Web.ErrorRate),
		})
		for _, l := range append(latencies(p, t), latency{"database_tier.query_response_time", "QueriesSlow", "database_query_duration_seconds", "", "queries", t.Database.QueryTime}) {
			allRate := rateExpr(l.histogram+"_count", p, l.matchers)
			all = append(all, objective{
				service: p.ShortName, name: l.threshold, budget: slowShare, alert: l.alert,
				allRate: allRate,
				badRate: fmt.Sprintf(`(%s - %s)`, allRate, rateExpr(l.histogram+"_bucket", p, fmt.Sprintf(`%s,le=%q`, l.matchers, formatNumber(l.limit.Seconds())))),
				summary: fmt.Sprintf("more than 5 %% of the %s take longer than %s", l.noun, l.limit),
			})
		}
	}
	return all
}

// latency is one of the design document's durations. noun is the noun in the alert's summary, such
// as "queries".
type latency struct {
	threshold, alert    string
	histogram, matchers string
	noun                string
	limit               time.Duration
}

// latencies returns the durations of the design document that apply to a service.
func latencies(p scaling.Profile, t scaling.Thresholds) []latency {
	const (
		httpHistogram = "http_request_duration_seconds"
		// userRequests leaves out probes. It also leaves out WebSockets, because they last as long
		// as the connection.
		userRequests          = `,route!~"GET /(health(/.*)?|metrics|ws)"`
		coordinationHistogram = "agent_coordination_duration_seconds"
	)
	switch p.ShortName {
	case "web":
		return []latency{{"web_tier.response_time_threshold", "ResponsesSlow", httpHistogram, userRequests, "answers", t.Web.ResponseTime}}
	case "mca":
		return []latency{
			{"application_tier.agent_coordination_latency", "ResponsesSlow", coordinationHistogram, "", "coordinations", t.Application.AgentCoordination},
			{"agent_specific.mca_coordination_latency", "ResponsesSlow", coordinationHistogram, "", "coordinations", t.Agents.MCACoordination},
			{"agent_specific.inter_agent_communication", "AgentRequestsSlow", "agent_request_duration_seconds", "", "answers of other agents", t.Agents.InterAgent},
		}
	case "npa":
		return []latency{{"agent_specific.npa_calculation_time", "ResponsesSlow", httpHistogram, userRequests, "answers", t.Agents.NPACalculation}}
	case "wpa":
		return []latency{{"agent_specific.wpa_generation_time", "ResponsesSlow", httpHistogram, userRequests, "answers", t.Agents.WPAGeneration}}
	}
	return nil
}

// rateExpr returns the expression for the rate of a counter, summed over the pods of a service.
func rateExpr(counter string, p scaling.Profile, matchers string) string {
	return fmt.Sprintf(`sum(rate(%s{job=%q%s}[%s]))`, counter, promquery.Job(p), matchers, rateWindow)
}

// The recorded series of an objective, with the labels service and objective. Prometheus can add up
// these sums over days. The series of all pods would be too many.
const (
	requestsSeries    = "objective:requests:rate5m"
	badRequestsSeries = "objective:bad_requests:rate5m"
	budgetSeries      = "objective:budget:ratio"
)

// objectiveRules returns the recording rules of the objectives.
func objectiveRules(all []objective) []Rule {
	var rules []Rule
	for _, o := range all {
		labels := map[string]string{"service": o.service, "objective": o.name}
		rules = append(rules,
			Rule{Record: requestsSeries, Expr: o.allRate, Labels: labels},
			Rule{Record: badRequestsSeries, Expr: o.badRate, Labels: labels},
			Rule{Record: budgetSeries, Expr: fmt.Sprintf("vector(%s)", formatNumber(o.budget)), Labels: labels})
	}
	return rules
}

// objectiveAlerts returns the alerts that fire when the share of bad requests is above the design
// document's threshold. They open tickets only. Users notice if the share stays above the threshold
// for long, or is many times as high. For these cases burnAlerts returns alerts that page somebody.
func objectiveAlerts(all []objective) []alert {
	var alerts []alert
	for _, o := range all {
		threshold := o.name
		if threshold == "availability" {
			threshold = "web_tier.error_rate_threshold"
		}
		alerts = append(alerts, alert{
			name: o.alert, severity: Ticket, service: o.service, threshold: threshold,
			value: fmt.Sprintf("%s / %s", o.badRate, o.allRate), compare: ">", limit: o.budget, forDuration: 5 * time.Minute, summary: o.summary,
		})
	}
	return alerts
}

// burn is one row of table 5-8 of Google's "The Site Reliability Workbook", chapter 5, "Alerting on
// SLOs". In this row, the budget of 30 days burns factor times as fast as allowed. spent is the
// share of the budget that burns in the long window. The short window ends the alert soon after the
// end of its cause.
type burn struct {
	longWindow, shortWindow string
	factor                  float64
	severity                string
	spent                   string
}

var burns = []burn{
	{"1h", "5m", 14.4, Page, "2 % in an hour"},
	{"6h", "30m", 6, Page, "5 % in six hours"},
	{"3d", "6h", 1, Ticket, "10 % in three days"},
}

// minBadRequests is the smallest number of bad requests in the long window for which an alert
// fires: the platform's choice. One failure of two requests at night is not an emergency ("The Site
// Reliability Workbook", "Low-Traffic Services and Error Budget Alerting").
const minBadRequests = 10

// burnAlerts returns the alerts that fire while the budget of an objective burns too fast.
func burnAlerts() []alert {
	windowSum := func(series, window string) string {
		if window == rateWindow {
			return series
		}
		return fmt.Sprintf("sum_over_time(%s[%s])", series, window)
	}
	burnRate := func(window string) string {
		return fmt.Sprintf("%s / %s / %s", windowSum(badRequestsSeries, window), windowSum(requestsSeries, window), budgetSeries)
	}
	var alerts []alert
	for _, b := range burns {
		alerts = append(alerts, alert{
			name: "ErrorBudgetBurn", severity: b.severity, labels: map[string]string{"window": b.longWindow},
			value: burnRate(b.longWindow), compare: ">", limit: b.factor,
			condition: fmt.Sprintf("%s > %s and %s * %s >= %d", burnRate(b.shortWindow), formatNumber(b.factor),
				windowSum(badRequestsSeries, b.longWindow), formatNumber(Interval.Seconds()), minBadRequests),
			summary: fmt.Sprintf("the budget of bad requests for 30 days burns by %s ({{ $labels.objective }})", b.spent),
		})
	}
	return alerts
}

package dashboards

import (
	"fmt"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
)

// failedShare returns the expression for the share of a service's requests that failed
// with 5xx, 0 to 1, in a window such as "5m". Without requests the expression has the value
// NaN or no value.
func failedShare(p scaling.Profile, window string) string {
	rate := func(where string) string {
		return fmt.Sprintf(`sum(rate(%s[%s]))`, selector(p, "http_requests_total", where), window)
	}
	return fmt.Sprintf(`%s / %s`, rate(`status=~"5.."`), rate(""))
}

// slowShare returns the expression for the share of a service's slow answers, 0 to 1, and
// the threshold. An answer is slow if it took longer than the service's threshold in
// scaling.Targets. The share is exact, because the threshold is an edge of the histogram's
// buckets. For a service without a threshold, slowShare returns "" and 0.
func slowShare(p scaling.Profile, window string) (expr string, limit time.Duration) {
	t := scaling.Targets()
	metric, where := "http_request_duration_seconds", userAnswers()
	switch p.Short {
	case "web":
		limit = t.Web.ResponseTime
	case "mca":
		metric, where, limit = "agent_coordination_duration_seconds", "", t.Agents.MCACoordination
	case "npa":
		limit = t.Agents.NPACalculation
	case "wpa":
		limit = t.Agents.WPAGeneration
	default:
		return "", 0
	}
	rate := func(suffix, where string) string {
		return fmt.Sprintf(`sum(rate(%s[%s]))`, selector(p, metric+suffix, where), window)
	}
	edge := fmt.Sprintf(`le=%q`, number(limit.Seconds()))
	if where != "" {
		edge = where + "," + edge
	}
	return fmt.Sprintf(`1 - %s / %s`, rate("_bucket", edge), rate("_count", where)), limit
}

// selector returns the PromQL selector of a service's series. where has further matchers.
func selector(p scaling.Profile, series, where string) string {
	if where != "" {
		where = "," + where
	}
	return fmt.Sprintf(`%s{job=%q%s}`, series, promquery.Job(p), where)
}

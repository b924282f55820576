package dashboards

import (
	"fmt"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
)

// failedShareExpr returns the expression for the share of a service's requests that failed
// with 5xx, 0 to 1, in a window such as "5m". Without requests the expression has the value
// NaN or no value.
func failedShareExpr(p scaling.Profile, window string) string {
	rateExpr := func(matchers string) string {
		return fmt.Sprintf(`sum(rate(%s[%s]))`, selector(p, "http_requests_total", matchers), window)
	}
	return fmt.Sprintf(`%s / %s`, rateExpr(`status=~"5.."`), rateExpr(""))
}

// slowShareExpr returns the expression for the share of a service's responses that are slow, 0 to
// 1, and the threshold. A response is slow if it took longer than the service's threshold in
// scaling.DesignThresholds. The share is exact, because the threshold is an edge of the histogram's
// buckets. For a service without a threshold, slowShareExpr returns "" and 0.
func slowShareExpr(p scaling.Profile, window string) (expr string, threshold time.Duration) {
	t := scaling.DesignThresholds()
	metric, matchers := "http_request_duration_seconds", userRequestMatchers()
	switch p.ShortName {
	case "web":
		threshold = t.Web.ResponseTime
	case "mca":
		metric, matchers, threshold = "agent_coordination_duration_seconds", "", t.Agents.MCACoordination
	case "npa":
		threshold = t.Agents.NPACalculation
	case "wpa":
		threshold = t.Agents.WPAGeneration
	default:
		return "", 0
	}
	rateExpr := func(suffix, matchers string) string {
		return fmt.Sprintf(`sum(rate(%s[%s]))`, selector(p, metric+suffix, matchers), window)
	}
	bucketMatchers := fmt.Sprintf(`le=%q`, formatNumber(threshold.Seconds()))
	if matchers != "" {
		bucketMatchers = matchers + "," + bucketMatchers
	}
	return fmt.Sprintf(`1 - %s / %s`, rateExpr("_bucket", bucketMatchers), rateExpr("_count", matchers)), threshold
}

// selector returns the PromQL selector of a service's series. matchers are further label matchers,
// or "" for none.
func selector(p scaling.Profile, series, matchers string) string {
	if matchers != "" {
		matchers = "," + matchers
	}
	return fmt.Sprintf(`%s{job=%q%s}`, series, promquery.Job(p), matchers)
}

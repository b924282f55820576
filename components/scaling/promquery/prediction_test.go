package promquery

import (
	"fmt"
	"strings"
	"testing"

	"github.com/progressive-framework/platform/components/scaling"
)

// A scrape each 5 s; the expression is evaluated after five minutes.
func later(expr string, want ...float64) expression {
	e := expression{Expr: fmt.Sprintf("round(%s, 0.001)", expr), At: "5m"}
	for _, v := range want {
		e.Samples = append(e.Samples, sample{"{}", v})
	}
	return e
}

// The guard has the demand while there is no forecast, whatever the reason, and nothing
// while there is one. Where the forecast has a value, KEDA reads the same.
func TestGuardHoldsWhileThereIsNoForecast(t *testing.T) {
	const scrapes = 61 // five minutes
	p, m := metric(t, "nutrition_calculations_per_minute")
	load := []series{
		{`up{job="npa",pod="a"}`, gauge(1, 0, scrapes)}, {`nutrition_calculations_total{job="npa",pod="a",outcome="ok"}`, counter(5, 0, scrapes)},
	}
	published := func(pod, values string) series {
		return series{fmt.Sprintf(`forecast_published_pods{job="forecaster",service="npa",pod=%q}`, pod), values}
	}
	silent := []float64(nil)
	var tests []unitTest
	for _, tc := range []struct {
		reason   string
		input    []series
		forecast []float64
	}{
		{"there is a forecast", []series{published("a", gauge(4, 0, scrapes))}, []float64{4}},
		{"it asks for nothing", []series{published("a", gauge(0, 0, scrapes))}, []float64{0}},
		{"there is no forecaster", nil, silent},
		{"it has no number any more: Prometheus marks the series as stale", []series{published("a", "4x40 stale _x19")}, silent},
		{"a scrape failed 10 s ago", []series{published("a", "4x58 stale _")}, []float64{4}},
		{"its last scrape was 50 s ago", []series{published("a", "4x50 _x10")}, []float64{4}},
		{"its last scrape was 65 s ago", []series{published("a", "4x47 _x13")}, silent},
		{"its last scrape was three minutes ago", []series{published("a", "4x24 _x36")}, silent},
		{"it publishes no number", []series{published("a", "4x40"+strings.Repeat(" NaN", 20))}, silent},
		{"it publishes infinity", []series{published("a", strings.TrimSpace(strings.Repeat("Inf ", scrapes)))}, silent},
		{"it publishes less than nothing", []series{published("a", "-1x60")}, silent},
		{"a new pod has a number", []series{published("a", "9x20 _x40"), published("b", "_x48 5x12")}, []float64{5}},
		{"a new pod has none, and the old one has ended", []series{published("a", "9x20 stale _x39"), published("b", "_x47"+strings.Repeat(" NaN", 13))}, silent},
		{"another service's forecast", []series{{`forecast_published_pods{job="forecaster",service="wpa",pod="a"}`, gauge(4, 0, scrapes)}}, silent},
	} {
		var guard []float64
		if tc.forecast == nil {
			guard = []float64{60}
		}
		tests = append(tests, unitTest{Interval: "5s", Input: append(tc.input, load...), Exprs: []expression{
			later(Forecast(p), tc.forecast...), later(Guard(p, Demand(p, m)), guard...),
		}})
	}
	evaluate(t, tests)
}

func TestArrivalsAreOneValue(t *testing.T) {
	const scrapes = 61
	web, requests := metric(t, "http_requests_per_second")
	up := series{`up{job="progressive-framework-v5",pod="a"}`, gauge(1, 0, scrapes)}
	evaluate(t, []unitTest{
		{Interval: "5s", Input: []series{
			up,
			{`http_requests_total{job="progressive-framework-v5",pod="a",route="GET /x",status="200"}`, counter(500, 0, scrapes)},
			{`http_requests_total{job="progressive-framework-v5",pod="a",route="GET /x",status="503"}`, counter(50, 0, scrapes)},
			{`http_requests_total{job="progressive-framework-v5",pod="a",route="GET /health",status="200"}`, counter(50, 0, scrapes)},
		}, Exprs: []expression{later("("+Arrivals(web, requests)+")", 110)}},
		{Interval: "5s", Input: []series{up}, Exprs: []expression{later("("+Arrivals(web, requests)+")", 0)}},
		{Interval: "5s", Exprs: []expression{later("(" + Arrivals(web, requests) + ")")}},
	})
}

func TestUsageIsThatOfTheServicesPods(t *testing.T) {
	web := scaling.Web()
	container := func(namespace, pod, values string) series {
		return series{fmt.Sprintf(`container_cpu_usage_seconds_total{namespace=%q,pod=%q,container="c"}`, namespace, pod), values}
	}
	const pod = "progressive-framework-v5-7d9c5b8f6-x2x4z"
	evaluate(t, []unitTest{{Interval: "15s", Input: []series{
		container("app", pod, counter(3, 0, 21)), container("app", "mca-7d9c5b8f6-x2x4z", counter(300, 0, 21)), container("other", pod, counter(300, 0, 21)),
		{fmt.Sprintf(`container_memory_working_set_bytes{namespace="app",pod=%q,container="c"}`, pod), gauge(1e6, 0, 21)},
	}, Exprs: []expression{later(Usage(web, "app", scaling.CPU), 0.2), later(Usage(web, "app", scaling.Memory), 1e6)}}})
}

package promquery

import (
	"fmt"
	"strings"
	"testing"

	"github.com/progressive-framework/platform/components/scaling"
)

// newFiveMinuteCheck returns the check of an expression after five minutes, rounded to 0.001.
// Without want the expression must have no value.
func newFiveMinuteCheck(expr string, want ...float64) expression {
	e := expression{Expr: fmt.Sprintf("round(%s, 0.001)", expr), At: "5m"}
	for _, v := range want {
		e.Samples = append(e.Samples, sample{"{}", v})
	}
	return e
}

// Guard has the value of the demand while there is no forecast, whatever the reason, and no value
// while there is a forecast. So one of the two expressions always has a value.
func TestGuardHasTheDemandWhileThereIsNoForecast(t *testing.T) {
	const scrapes = 61 // five minutes
	p, m := findMetric(t, "nutrition_calculations_per_minute")
	load := []series{
		{`up{job="npa",pod="a"}`, gaugeSamples(1, 0, scrapes)}, {`nutrition_calculations_total{job="npa",pod="a",outcome="ok"}`, counterSamples(5, 0, scrapes)},
	}
	forecastSeries := func(pod, values string) series {
		return series{fmt.Sprintf(`forecast_published_pods{job="forecaster",service="npa",pod=%q}`, pod), values}
	}
	noValue := []float64(nil)
	var tests []unitTest
	for _, tc := range []struct {
		reason   string
		input    []series
		forecast []float64
	}{
		{"there is a forecast", []series{forecastSeries("a", gaugeSamples(4, 0, scrapes))}, []float64{4}},
		{"the forecast is zero pods", []series{forecastSeries("a", gaugeSamples(0, 0, scrapes))}, []float64{0}},
		{"there is no forecaster", nil, noValue},
		{"the forecaster stops publishing: Prometheus marks the series as stale", []series{forecastSeries("a", "4x40 stale _x19")}, noValue},
		{"a scrape failed 10 s ago", []series{forecastSeries("a", "4x58 stale _")}, []float64{4}},
		{"the last scrape was 50 s ago", []series{forecastSeries("a", "4x50 _x10")}, []float64{4}},
		{"the last scrape was 65 s ago", []series{forecastSeries("a", "4x47 _x13")}, noValue},
		{"the last scrape was three minutes ago", []series{forecastSeries("a", "4x24 _x36")}, noValue},
		{"the forecaster publishes NaN", []series{forecastSeries("a", "4x40"+strings.Repeat(" NaN", 20))}, noValue},
		{"the forecaster publishes infinity", []series{forecastSeries("a", strings.TrimSpace(strings.Repeat("Inf ", scrapes)))}, noValue},
		{"the forecaster publishes a negative number", []series{forecastSeries("a", "-1x60")}, noValue},
		{"a new pod has a number", []series{forecastSeries("a", "9x20 _x40"), forecastSeries("b", "_x48 5x12")}, []float64{5}},
		{"a new pod publishes NaN, and the old one has ended", []series{forecastSeries("a", "9x20 stale _x39"), forecastSeries("b", "_x47"+strings.Repeat(" NaN", 13))}, noValue},
		{"another service's forecast", []series{{`forecast_published_pods{job="forecaster",service="wpa",pod="a"}`, gaugeSamples(4, 0, scrapes)}}, noValue},
	} {
		var guard []float64
		if tc.forecast == nil {
			guard = []float64{60} // 5 calculations in 5 s are 60 a minute
		}
		tests = append(tests, unitTest{Interval: "5s", Input: append(tc.input, load...), Exprs: []expression{
			newFiveMinuteCheck(Forecast(p), tc.forecast...), newFiveMinuteCheck(DemandWithoutForecast(p, Demand(p, m)), guard...),
		}})
	}
	runPromtool(t, tests)
}

func TestArrivalsSumsAllStatusesWithoutHealthChecks(t *testing.T) {
	const scrapes = 61
	web, requests := findMetric(t, "http_requests_per_second")
	up := series{`up{job="progressive-framework-v5",pod="a"}`, gaugeSamples(1, 0, scrapes)}
	runPromtool(t, []unitTest{
		{Interval: "5s", Input: []series{
			up,
			{`http_requests_total{job="progressive-framework-v5",pod="a",route="GET /x",status="200"}`, counterSamples(500, 0, scrapes)},
			{`http_requests_total{job="progressive-framework-v5",pod="a",route="GET /x",status="503"}`, counterSamples(50, 0, scrapes)},
			{`http_requests_total{job="progressive-framework-v5",pod="a",route="GET /health",status="200"}`, counterSamples(50, 0, scrapes)},
		}, Exprs: []expression{newFiveMinuteCheck("("+Arrivals(web, requests)+")", 110)}}, // (500+50)/5 s
		{Interval: "5s", Input: []series{up}, Exprs: []expression{newFiveMinuteCheck("("+Arrivals(web, requests)+")", 0)}},
		{Interval: "5s", Exprs: []expression{newFiveMinuteCheck("(" + Arrivals(web, requests) + ")")}},
	})
}

func TestUsageCountsOnlyThePodsOfTheServiceInTheNamespace(t *testing.T) {
	web := scaling.Web()
	cpuSeries := func(namespace, pod, values string) series {
		return series{fmt.Sprintf(`container_cpu_usage_seconds_total{namespace=%q,pod=%q,container="c"}`, namespace, pod), values}
	}
	const pod = "progressive-framework-v5-7d9c5b8f6-x2x4z"
	runPromtool(t, []unitTest{{Interval: "15s", Input: []series{
		cpuSeries("app", pod, counterSamples(3, 0, 21)), cpuSeries("app", "mca-7d9c5b8f6-x2x4z", counterSamples(300, 0, 21)), cpuSeries("other", pod, counterSamples(300, 0, 21)),
		{fmt.Sprintf(`container_memory_working_set_bytes{namespace="app",pod=%q,container="c"}`, pod), gaugeSamples(1e6, 0, 21)},
	}, Exprs: []expression{newFiveMinuteCheck(Usage(web, "app", scaling.CPU), 0.2), newFiveMinuteCheck(Usage(web, "app", scaling.Memory), 1e6)}}})
}

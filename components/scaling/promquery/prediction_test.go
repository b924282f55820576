package promquery

import (
	"fmt"
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

// The guard has the demand while KEDA gets no number, whatever the reason, and nothing
// while it gets one.
func TestGuardHoldsWhileTheForecasterIsSilent(t *testing.T) {
	const scrapes = 61 // five minutes
	p, m := metric(t, "nutrition_calculations_per_minute")
	load := []series{
		{`up{job="npa",pod="a"}`, gauge(1, 0, scrapes)}, {`nutrition_calculations_total{job="npa",pod="a",outcome="ok"}`, counter(5, 0, scrapes)},
	}
	answers := func(pod, values string) series {
		return series{fmt.Sprintf(`forecast_answers_total{job="forecaster",service="npa",pod=%q}`, pod), values}
	}
	// It is asked each 15 s: three scrapes of these tests.
	const growing = "0x3 1x3 2x3 3x3 4x3 5x3 6x3 7x3 8x3 9x3 10x3 11x3 12x3 13x3 14x3"
	var tests []unitTest
	for _, tc := range []struct {
		reason string
		input  []series
		want   []float64
	}{
		{"it answers", []series{answers("a", growing)}, nil},
		{"there is no forecaster", nil, []float64{60}},
		{"it runs, and KEDA does not reach it or it has no forecast", []series{answers("a", gauge(7, 0, scrapes))}, []float64{60}},
		{"it ended 100 s ago", []series{answers("a", "0x20 1x3 2x3 3x3 4x3 5 _x19")}, nil},
		{"it ended three minutes ago", []series{answers("a", "0x3 1x3 2x3 3x3 4x3 5 _x39")}, []float64{60}},
		{"a new pod answers", []series{answers("a", "0+1x20 _x39"), answers("b", "_x48 0x3 1x3 2x3")}, nil},
		{"another service's forecast", []series{{`forecast_answers_total{job="forecaster",service="wpa",pod="a"}`, growing}}, []float64{60}},
	} {
		tests = append(tests, unitTest{Interval: "5s", Input: append(tc.input, load...), Exprs: []expression{later(Guard(p, Demand(p, m)), tc.want...)}})
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

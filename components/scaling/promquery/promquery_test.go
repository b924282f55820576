package promquery

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/progressive-framework/platform/components/scaling"
)

// A unit test of promtool (Prometheus, "Unit testing for rules").
type (
	unitTest struct {
		Interval string       `json:"interval"`
		Input    []series     `json:"input_series"`
		Exprs    []expression `json:"promql_expr_test"`
	}
	series struct {
		Series string `json:"series"`
		Values string `json:"values"`
	}
	expression struct {
		Expr    string   `json:"expr"`
		At      string   `json:"eval_time"`
		Samples []sample `json:"exp_samples"`
	}
	sample struct {
		Labels string  `json:"labels"`
		Value  float64 `json:"value"`
	}
)

// runPromtool runs the tests with promtool.
func runPromtool(t *testing.T, tests []unitTest) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	require.NoError(t, err, "apt-get install prometheus")
	text, err := yaml.Marshal(map[string]any{"tests": tests})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "tests.yaml")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	out, err := exec.CommandContext(t.Context(), path, "test", "rules", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// newEqualCheck returns the check that an expression has a value, up to rounding. promtool itself
// compares exactly, but the order in which PromQL adds numbers is not defined.
func newEqualCheck(expr string, want float64) expression {
	return expression{fmt.Sprintf("abs(%s - %s) < bool 1e-9", expr, formatNumber(want)), "1m", []sample{{"{}", 1}}}
}

// findMetric returns the metric with this name and its service.
func findMetric(t *testing.T, name string) (scaling.Profile, scaling.PodsMetric) {
	t.Helper()
	for _, p := range scaling.Services() {
		for _, m := range p.HPA.Metrics {
			if podsMetric, ok := m.(scaling.PodsMetric); ok && podsMetric.Name == name {
				return p, podsMetric
			}
		}
	}
	require.Fail(t, "no such metric", name)
	return scaling.Profile{}, scaling.PodsMetric{}
}

// counterSamples returns count samples of a counter that grows by step from one scrape to the next. The
// first one is at the scrape with the index start.
func counterSamples(step float64, start, count int) string {
	text := ""
	if start > 0 {
		text = fmt.Sprintf("_x%d ", start-1) // promtool writes one more than the number
	}
	return text + fmt.Sprintf("0+%sx%d", formatNumber(step), count-1)
}

// gaugeSamples returns count equal samples. The first one is at the scrape with the index start.
func gaugeSamples(value float64, start, count int) string {
	if start == 0 {
		return fmt.Sprintf("%s+0x%d", formatNumber(value), count-1)
	}
	return fmt.Sprintf("_x%d %s+0x%d", start-1, formatNumber(value), count-1) // promtool writes one more than the number
}

// The test evaluates Demand in each situation for which its expression has a rule. 13 scrapes are a
// minute, and the test evaluates the expression at the end of the minute. A scrape takes place
// every 5 s, so a counter that grows by 500 at each scrape has a rate of 100 a second.
func TestDemandInEverySituation(t *testing.T) {
	const (
		scrapes = 13
		web     = `{job="progressive-framework-v5",pod="%s",method="GET",route="%s",status="200"}`
		npa     = `{job="npa",pod="%s",agent="npa",outcome="%s"}`
	)
	upSeries := func(job, pod, values string) series {
		return series{fmt.Sprintf(`up{job=%q,pod=%q}`, job, pod), values}
	}
	requestSeries := func(pod, route, values string) series {
		return series{"http_requests_total" + fmt.Sprintf(web, pod, route), values}
	}
	durationSeries := func(suffix, pod, route, values string) series {
		return series{"http_request_duration_seconds" + suffix + fmt.Sprintf(strings.Replace(web, `,status="200"`, "", 1), pod, route), values}
	}
	calculationSeries := func(pod, outcome, values string) series {
		return series{"nutrition_calculations_total" + fmt.Sprintf(npa, pod, outcome), values}
	}
	upSamples := gaugeSamples(1, 0, scrapes)
	const app = "progressive-framework-v5"
	const noValue = -1.0
	for _, tc := range []struct {
		reason, metric string
		input          []series
		want           float64
	}{
		{"busy: the sum over pods and routes", "http_requests_per_second", []series{
			upSeries(app, "a", upSamples), upSeries(app, "b", upSamples),
			requestSeries("a", "GET /x", counterSamples(500, 0, scrapes)), requestSeries("a", "POST /y", counterSamples(50, 0, scrapes)), requestSeries("b", "GET /x", counterSamples(1000, 0, scrapes)),
		}, 310},
		{"probes and scrapes are not demand", "http_requests_per_second", []series{
			upSeries(app, "a", upSamples), requestSeries("a", "GET /x", counterSamples(500, 0, scrapes)),
			requestSeries("a", "GET /health", counterSamples(500, 0, scrapes)), requestSeries("a", "GET /health/ready", counterSamples(500, 0, scrapes)), requestSeries("a", "GET /metrics", counterSamples(500, 0, scrapes)),
		}, 100},
		{"another service's pods are not demand", "http_requests_per_second", []series{
			upSeries(app, "a", upSamples), upSeries("mca", "b", upSamples), requestSeries("a", "GET /x", counterSamples(500, 0, scrapes)),
			{`http_requests_total{job="mca",pod="b",method="GET",route="GET /x",status="200"}`, counterSamples(500, 0, scrapes)},
		}, 100},
		{"idle, without a series: 0", "http_requests_per_second", []series{upSeries(app, "a", upSamples), upSeries(app, "b", upSamples)}, 0},
		{"no pod: no value", "http_requests_per_second", nil, noValue},
		{"no pod responds to scrapes: no value", "http_requests_per_second", []series{
			upSeries(app, "a", gaugeSamples(0, 0, scrapes)), upSeries(app, "b", gaugeSamples(0, 0, scrapes)),
		}, noValue},
		{"Prometheus restarted without its data 10 s ago: no value", "http_requests_per_second", []series{
			upSeries(app, "a", gaugeSamples(1, 11, 2)), requestSeries("a", "GET /x", counterSamples(500, 11, 2)),
		}, noValue},
		{"one of three pods can't be scraped, demand below the target: that pod counts as its target, 100", "http_requests_per_second", []series{
			upSeries(app, "a", upSamples), upSeries(app, "b", upSamples), upSeries(app, "c", gaugeSamples(0, 0, scrapes)),
			requestSeries("a", "GET /x", counterSamples(200, 0, scrapes)), requestSeries("b", "GET /x", counterSamples(200, 0, scrapes)),
		}, 180},
		{"one of three pods can't be scraped, the others near the target: no more than three targets", "http_requests_per_second", []series{
			upSeries(app, "a", upSamples), upSeries(app, "b", upSamples), upSeries(app, "c", gaugeSamples(0, 0, scrapes)),
			requestSeries("a", "GET /x", counterSamples(600, 0, scrapes)), requestSeries("b", "GET /x", counterSamples(600, 0, scrapes)),
		}, 300},
		{"one of three pods can't be scraped, demand above the target: that pod counts as 0", "http_requests_per_second", []series{
			upSeries(app, "a", upSamples), upSeries(app, "b", upSamples), upSeries(app, "c", gaugeSamples(0, 0, scrapes)),
			requestSeries("a", "GET /x", counterSamples(1000, 0, scrapes)), requestSeries("b", "GET /x", counterSamples(1000, 0, scrapes)),
		}, 400},
		{"a pod that ended 10 s ago: its requests still count, but the pod does not", "http_requests_per_second", []series{
			upSeries(app, "a", upSamples), upSeries(app, "b", gaugeSamples(1, 0, 11)+" stale"),
			requestSeries("a", "GET /x", counterSamples(500, 0, scrapes)), requestSeries("b", "GET /x", counterSamples(500, 0, 11)+" stale"),
		}, 162.5},
		{"per minute, all outcomes", "nutrition_calculations_per_minute", []series{
			upSeries("npa", "a", upSamples), upSeries("npa", "b", upSamples),
			calculationSeries("a", "ok", counterSamples(2, 0, scrapes)), calculationSeries("b", "ok", counterSamples(3, 0, scrapes)), calculationSeries("b", "failed", counterSamples(1, 0, scrapes)),
		}, 72},
		{"the sum of the pods' mean durations", "http_request_duration_seconds", []series{
			upSeries(app, "a", upSamples), upSeries(app, "b", upSamples),
			durationSeries("_sum", "a", "GET /x", counterSamples(20, 0, scrapes)), durationSeries("_count", "a", "GET /x", counterSamples(100, 0, scrapes)),
			durationSeries("_sum", "b", "GET /x", counterSamples(1, 0, scrapes)), durationSeries("_count", "b", "GET /x", counterSamples(10, 0, scrapes)),
			durationSeries("_sum", "b", "GET /y", counterSamples(5, 0, scrapes)), durationSeries("_count", "b", "GET /y", counterSamples(10, 0, scrapes)),
		}, 0.5},
		{"the mean duration of an idle pod, 0/0, does not count", "http_request_duration_seconds", []series{
			upSeries(app, "a", upSamples), upSeries(app, "b", upSamples),
			durationSeries("_sum", "a", "GET /x", counterSamples(20, 0, scrapes)), durationSeries("_count", "a", "GET /x", counterSamples(100, 0, scrapes)),
			durationSeries("_sum", "b", "GET /x", gaugeSamples(7, 0, scrapes)), durationSeries("_count", "b", "GET /x", gaugeSamples(9, 0, scrapes)),
		}, 0.2},
		{"all pods idle: 0", "http_request_duration_seconds", []series{
			upSeries(app, "a", upSamples), durationSeries("_sum", "a", "GET /x", gaugeSamples(7, 0, scrapes)), durationSeries("_count", "a", "GET /x", gaugeSamples(9, 0, scrapes)),
		}, 0},
		{"the mean duration of an ended pod does not count", "http_request_duration_seconds", []series{
			upSeries(app, "a", upSamples), upSeries(app, "b", gaugeSamples(1, 0, 11)+" stale"),
			durationSeries("_sum", "a", "GET /x", counterSamples(20, 0, scrapes)), durationSeries("_count", "a", "GET /x", counterSamples(100, 0, scrapes)),
			durationSeries("_sum", "b", "GET /x", counterSamples(90, 0, 11)+" stale"), durationSeries("_count", "b", "GET /x", counterSamples(100, 0, 11)+" stale"),
		}, 0.2},
		{"a WebSocket is not a slow request", "http_request_duration_seconds", []series{
			upSeries(app, "a", upSamples),
			durationSeries("_sum", "a", "GET /x", counterSamples(20, 0, scrapes)), durationSeries("_count", "a", "GET /x", counterSamples(100, 0, scrapes)),
			durationSeries("_sum", "a", "GET /ws", counterSamples(900, 0, scrapes)), durationSeries("_count", "a", "GET /ws", counterSamples(1, 0, scrapes)),
		}, 0.2},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			p, m := findMetric(t, tc.metric)
			check := expression{Expr: Demand(p, m), At: "1m"} // without samples: the expression must have no value
			if tc.want != noValue {
				check = newEqualCheck(check.Expr, tc.want)
			}
			runPromtool(t, []unitTest{{"5s", tc.input, []expression{check}}})
		})
	}
}

// For every metric, in many random states, the PromQL expression of Demand has the result of
// DemandValue. A property test with Kubernetes' calculator checks DemandValue.
func TestDemandEqualsDemandValueInRandomStates(t *testing.T) {
	const scrapes, states = 13, 30
	rng := rand.New(rand.NewPCG(1, 2))
	var tests []unitTest
	for _, p := range scaling.Services() {
		for _, m := range p.HPA.Metrics {
			m, ok := m.(scaling.PodsMetric)
			if !ok {
				continue
			}
			target := m.AverageValue.AsApproximateFloat64()
			for range states {
				pods := 1 + rng.IntN(12)
				fullWindowPods := 1 + rng.IntN(pods)
				var input []series
				sum := 0.0
				for i := range pods {
					labels := fmt.Sprintf(`job=%q,pod="p%d"`, Job(p), i)
					if i >= fullWindowPods {
						input = append(input, series{"up{" + labels + "}", gaugeSamples(0, 0, scrapes)})
						continue
					}
					input = append(input, series{"up{" + labels + "}", gaugeSamples(1, 0, scrapes)})
					switch s := m.Source.(type) {
					case scaling.Rate:
						step := float64(rng.IntN(int(3*target*5/s.Per.Seconds()) + 2))
						sum += step / 5 * s.Per.Seconds()
						input = append(input, series{s.Counter + "{" + labels + "}", counterSamples(step, 0, scrapes)})
					case scaling.MeanDuration:
						step := float64(1 + rng.IntN(150))
						sum += step / 100
						input = append(input, series{s.Histogram + "_sum{" + labels + "}", counterSamples(step, 0, scrapes)}, series{s.Histogram + "_count{" + labels + "}", counterSamples(100, 0, scrapes)})
					}
				}
				tests = append(tests, unitTest{"5s", input, []expression{newEqualCheck(Demand(p, m), DemandValue(sum, target, pods, fullWindowPods))}})
			}
		}
	}
	require.Len(t, tests, 5*states)
	runPromtool(t, tests)
}

// PerPod groups by job and pod, so that people see the value of each pod.
func TestPerPodGroupsByJobAndPod(t *testing.T) {
	p, m := findMetric(t, "nutrition_calculations_per_minute")
	require.Equal(t, `60 * sum by (job, pod) (rate(nutrition_calculations_total{job="npa"}[30s]))`, PerPod(p, m))
	p, m = findMetric(t, "http_request_duration_seconds")
	require.Equal(t, `(sum by (job, pod) (rate(http_request_duration_seconds_sum{job="progressive-framework-v5",route!~"GET /(health(/.*)?|metrics|ws)"}[20s]))`+
		` / sum by (job, pod) (rate(http_request_duration_seconds_count{job="progressive-framework-v5",route!~"GET /(health(/.*)?|metrics|ws)"}[20s])) > 0)`, PerPod(p, m))
}

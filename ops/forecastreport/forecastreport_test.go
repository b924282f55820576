package forecastreport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/kubeclient/portforwardtest"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// runForecast runs the subcommand, and returns the output and the exit code.
func runForecast(t *testing.T, readOutputs func(context.Context) (stackoutput.Outputs, error), args ...string) (string, int) {
	t.Helper()
	c := Command(readOutputs)
	var out bytes.Buffer
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(&out)
	c.SilenceErrors, c.SilenceUsage = true, true
	err := c.ExecuteContext(t.Context())
	code, _ := exitcode.FromError(err)
	if err != nil {
		out.WriteString(err.Error())
	}
	return out.String(), code
}

// readNoStack returns an error, because there is no stack.
func readNoStack(context.Context) (stackoutput.Outputs, error) {
	return stackoutput.Outputs{}, errors.New("no stack")
}

// writeTrace writes a file with days of a daily wave. It has a sample each five minutes.
func writeTrace(t *testing.T, days int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("unix_seconds,load\n")
	for i := range days * 288 {
		fmt.Fprintf(&b, "%d,%.4g\n", 1_700_000_000+300*i, 1000+800*math.Sin(2*math.Pi*float64(i)/288))
	}
	path := filepath.Join(t.TempDir(), "wave.csv")
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	return path
}

func TestBacktestWritesItsReports(t *testing.T) {
	html := filepath.Join(t.TempDir(), "report.html")
	out, code := runForecast(t, readNoStack, "backtest", writeTrace(t, 4), "--json", "--html", html)
	require.Zero(t, code, out)
	var r struct {
		Traces []struct {
			Results map[string]struct {
				PodHours float64 `json:"pod_hours"`
			}
		}
		Timeline struct{ Days, Load []float64 }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Less(t, r.Traces[0].Results["ours"].PodHours, r.Traces[0].Results["document"].PodHours)
	require.Len(t, r.Timeline.Load, len(r.Timeline.Days))
	page, err := os.ReadFile(html)
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(string(page), "<svg"))
	require.Contains(t, string(page), "<td>ours, document&#39;s policies")
	require.NotContains(t, string(page), "<script")
}

func TestWrongFileIsWrongUsage(t *testing.T) {
	wrong := filepath.Join(t.TempDir(), "wrong.csv")
	require.NoError(t, os.WriteFile(wrong, []byte("time,load\n1,2\n"), 0o600))
	for _, tc := range []struct{ path, message string }{
		{wrong, "must have the header unix_seconds,load"}, {writeTrace(t, 2), "must have more than 3"}, {filepath.Join(t.TempDir(), "none.csv"), "no such file"},
	} {
		out, code := runForecast(t, readNoStack, "backtest", tc.path)
		require.Equal(t, exitcode.Usage, code)
		require.Contains(t, out, tc.message)
	}
}

// newMeasuredCluster returns a stack with an HPA of web with 2 to 8 pods. Its Prometheus has days of
// web's load: a daily wave of one to five pods' capacity, in which one hour is missing. mostPoints is
// the highest number of points in one query.
func newMeasuredCluster(t *testing.T, days int) (readOutputs func(context.Context) (stackoutput.Outputs, error), mostPoints *int) {
	t.Helper()
	begin := time.Now().Add(-time.Duration(days) * 24 * time.Hour).Unix()
	mostPoints = new(int)
	return startStack(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case hpasPath + "/progressive-framework-hpa":
			fmt.Fprint(w, `{"kind":"HorizontalPodAutoscaler","apiVersion":"autoscaling/v2","spec":{"minReplicas":2,"maxReplicas":8}}`)
		case podsPath:
			fmt.Fprintf(w, podList, "prometheus-0", "True")
		case forwardPath("prometheus-0"):
			portforwardtest.Serve(w, r, func(port string, request *http.Request) (response, failure string) {
				if port+request.URL.Path != "9090/api/v1/query_range" {
					return "", "connection refused"
				}
				return respondToRangeQuery(request.URL.Query(), begin, mostPoints), ""
			})
		default:
			http.NotFound(w, r)
		}
	}), mostPoints
}

// respondToRangeQuery returns the HTTP response to a range query. The load starts at begin.
func respondToRangeQuery(form url.Values, begin int64, mostPoints *int) string {
	var first, last int64
	_, err := fmt.Sscan(form.Get("start")+" "+form.Get("end"), &first, &last)
	if err != nil || form.Get("step") != "15" || !strings.Contains(form.Get("query"), `rate(http_requests_total{job="progressive-framework-v5"`) {
		return "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
	}
	*mostPoints = max(*mostPoints, int(last-first)/15+1)
	var points []string
	for at := first; at <= last; at += 15 {
		if at > begin && (at-begin)/3600 != 30 {
			points = append(points, fmt.Sprintf(`[%d,"%.4g"]`, at, 1000./7*(3+2*math.Sin(2*math.Pi*float64(at)/86400))))
		}
	}
	var series string
	if len(points) > 0 {
		series = fmt.Sprintf(`{"metric":{},"values":[%s]}`, strings.Join(points, ","))
	}
	return httpResponse(`{"status":"success","data":{"resultType":"matrix","result":[` + series + `]}}`)
}

// httpResponse returns a response with a body.
func httpResponse(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

const (
	podsPath = "/api/v1/namespaces/app-prometheus/pods"
	hpasPath = "/apis/autoscaling/v2/namespaces/app/horizontalpodautoscalers"
	// podList is a list of one pod, by its name and whether it is ready.
	podList = `{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":%q},"status":{"conditions":[{"type":"Ready","status":%q}]}}]}`
)

// forwardPath is the path of a port-forward to a pod.
func forwardPath(pod string) string { return podsPath + "/" + pod + "/portforward" }

func TestBacktestOfAServiceReadsItsStack(t *testing.T) {
	readOutputs, mostPoints := newMeasuredCluster(t, 4)
	out, code := runForecast(t, readOutputs, "backtest", "--service", "web", "--json")
	require.Zero(t, code, out)
	require.LessOrEqual(t, *mostPoints, 11_000, "Prometheus refuses more points")
	var r struct {
		Trace  string
		Traces []struct {
			Results map[string]struct {
				PodHours float64 `json:"pod_hours"`
			}
		}
		Timeline struct{ Load []float64 }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Equal(t, "web", r.Trace)
	require.InDelta(t, 5, slices.Max(r.Timeline.Load), 0.1, "the load is not scaled")
	documentPodHours := r.Traces[0].Results["document"].PodHours
	require.InDelta(t, 24*3/0.7, documentPodHours, 20, "a day of three pods at 70 %, between two and eight")
	require.Less(t, r.Traces[0].Results["ours"].PodHours, documentPodHours)
}

func TestServiceWithoutAMeasuredLoadIsAnError(t *testing.T) {
	short, _ := newMeasuredCluster(t, 2)
	for _, tc := range []struct {
		readOutputs func(context.Context) (stackoutput.Outputs, error)
		args        []string
		code        int
		message     string
	}{
		{readNoStack, []string{"--service", "mail"}, exitcode.Usage, "must be one of web, mca, npa, wpa"},
		{readNoStack, []string{"--service", "web", "--days", "30"}, exitcode.Usage, "must be 4 to 15"},
		{readNoStack, []string{"--service", "web", "x.csv"}, exitcode.Usage, "either a file or --service"},
		{readNoStack, nil, exitcode.Usage, "either a file or --service"},
		{readNoStack, []string{"--service", "web"}, exitcode.Incomplete, "no stack"},
		{short, []string{"--service", "mca"}, exitcode.Incomplete, "HPA of mca"},
		{short, []string{"--service", "web"}, exitcode.Incomplete, "2.0 days: must have more than 3"},
	} {
		out, code := runForecast(t, tc.readOutputs, append([]string{"backtest"}, tc.args...)...)
		require.Equal(t, tc.code, code, out)
		require.Contains(t, out, tc.message)
	}
}

const metrics = `# TYPE gate_state gauge
gate_state{service="web",state="learning"} 1
# TYPE history_days gauge
history_days{service="web"} 0.25
# TYPE candidate gauge
candidate{service="web",candidate="headroom 0.70"} 1
# TYPE forecast_present_load gauge
forecast_present_load{service="web"} 3
# TYPE forecast_load gauge
forecast_load{service="web"} 3.5
# TYPE forecast_published_pods gauge
forecast_published_pods{service="web"} 4.25
# TYPE gate_overload gauge
gate_overload{service="web",window="2d"} 0.0001
gate_overload{service="web",window="12h"} 0.5
`

// newForecasterCluster returns a stack with one pod of the forecaster, which serves metrics. The
// HPA of web has these external metrics.
func newForecasterCluster(t *testing.T, ready, metrics string, external ...string) func(context.Context) (stackoutput.Outputs, error) {
	t.Helper()
	return startStack(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case podsPath:
			fmt.Fprintf(w, podList, "forecaster-1", ready)
		case hpasPath:
			var specs []map[string]any
			for _, name := range external {
				specs = append(specs, map[string]any{"type": "External", "external": map[string]any{"metric": map[string]any{"name": name}}})
			}
			require.NoError(t, json.NewEncoder(w).Encode(map[string]any{
				"kind": "HorizontalPodAutoscalerList", "apiVersion": "autoscaling/v2", "items": []map[string]any{
					{"metadata": map[string]any{"name": "progressive-framework-hpa"}, "spec": map[string]any{"metrics": specs}},
				},
			}))
		case forwardPath("forecaster-1"):
			portforwardtest.Serve(w, r, func(port string, request *http.Request) (response, failure string) {
				if port+request.URL.Path != "9090/metrics" {
					return "", "connection refused"
				}
				return httpResponse(metrics), ""
			})
		default:
			http.NotFound(w, r)
		}
	})
}

// startStack starts an API server that calls handler. It returns a function that reads the outputs of
// the server's stack.
func startStack(t *testing.T, handler http.HandlerFunc) func(context.Context) (stackoutput.Outputs, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	kubeconfig, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "c",
		"clusters": []any{map[string]any{"name": "c", "cluster": map[string]any{"server": server.URL}}},
		"contexts": []any{map[string]any{"name": "c", "context": map[string]any{"cluster": "c", "user": "u"}}},
		"users":    []any{map[string]any{"name": "u", "user": map[string]any{}}},
	})
	require.NoError(t, err)
	return func(context.Context) (stackoutput.Outputs, error) {
		return stackoutput.Outputs{Namespace: "app", Kubeconfig: kubeconfig}, nil
	}
}

func TestExplainHasTheReasonOfEachState(t *testing.T) {
	documentMetrics := []string{"s2-prometheus", "s3-prometheus"}
	allMetrics := append(documentMetrics, "s4-prometheus", "s5-prometheus")
	out, code := runForecast(t, newForecasterCluster(t, "True", metrics, allMetrics...), "explain")
	require.Zero(t, code, out)
	for _, want := range []string{
		"web: learning: less than a day of history", "0.25 days", "3.00 pods; the median of the next 90 s is 3.50", "headroom 0.70",
		"0.0600 % of the budget of 0.07 % is left", "publishes  4.25 pods; the HPA has it among its metrics",
	} {
		require.Contains(t, out, want)
	}
	out, code = runForecast(t, newForecasterCluster(t, "True", metrics, documentMetrics...), "explain")
	require.Zero(t, code, out)
	require.Contains(t, out, "publishes  4.25 pods; a shadow: the HPA is the document's")
	noHistory := "# TYPE gate_state gauge\ngate_state{service=\"web\",state=\"no history\"} 1\nhistory_days{service=\"web\"} 0\n"
	out, code = runForecast(t, newForecasterCluster(t, "True", noHistory, allMetrics...), "explain")
	require.Equal(t, exitcode.Found, code)
	require.Contains(t, out, "web: no history: Prometheus has no load")
	require.Contains(t, out, "publishes  nothing; the guard triggers are the document's HPA")
	out, code = runForecast(t, newForecasterCluster(t, "True", noHistory), "explain", "--json")
	require.Equal(t, exitcode.Found, code)
	require.Contains(t, out, `"published": null`)
}

func TestExplainIsIncompleteIfTheForecasterCannotBeRead(t *testing.T) {
	for reason, tc := range map[string]struct {
		readOutputs func(context.Context) (stackoutput.Outputs, error)
		message     string
	}{
		"no stack":       {readNoStack, "no stack"},
		"no ready pod":   {newForecasterCluster(t, "False", ""), "podScaling.predictive must be shadow or on"},
		"no metrics":     {newForecasterCluster(t, "True", ""), "have no service"},
		"broken metrics": {newForecasterCluster(t, "True", "gate_state{"), "metrics of the forecaster"},
	} {
		out, code := runForecast(t, tc.readOutputs, "explain")
		require.Equal(t, exitcode.Incomplete, code, reason)
		require.Contains(t, out, tc.message, reason)
	}
}

package live

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// prometheusPath returns the path of the stack's Prometheus on the API server.
func prometheusPath(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("/api/v1/namespaces/%s-prometheus/services/prometheus:9090/proxy", stackOutput[string](t, "namespace"))
}

// queryPrometheus evaluates an expression in the stack's Prometheus, through the API server. It
// returns the first value of the result. found is false if the result is empty.
func queryPrometheus(t *testing.T, expression string) (value float64, found bool) {
	t.Helper()
	return queryPrometheusAt(t, prometheusPath(t), expression)
}

// queryPrometheusAt evaluates an expression like queryPrometheus, in the Prometheus at path.
// queryPrometheus calls prometheusPath each time, which takes longer than the request. So a test
// with many expressions calls prometheusPath once and then queryPrometheusAt.
func queryPrometheusAt(t *testing.T, path, expression string) (value float64, found bool) {
	t.Helper()
	raw, err := run(t, "kubectl", "get", "--raw", path+"/api/v1/query?query="+url.QueryEscape(expression))
	if err != nil {
		return 0, false
	}
	var response struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	require.NoError(t, json.Unmarshal([]byte(raw), &response))
	if len(response.Data.Result) == 0 {
		return 0, false
	}
	value, err = strconv.ParseFloat(response.Data.Result[0].Value[1].(string), 64)
	require.NoError(t, err)
	return value, true
}

// TestPrometheusScrapesEveryPodEveryFiveSeconds requires at least five samples of every pod in
// half a minute. The autoscalers read these series.
func TestPrometheusScrapesEveryPodEveryFiveSeconds(t *testing.T) {
	namespace := stackOutput[string](t, "namespace")
	for _, service := range []string{"progressive-framework-v5", "mca", "npa", "wpa"} {
		require.Eventually(t, func() bool {
			pods := strings.Fields(mustRun(t, "kubectl", "-n", namespace, "get", "pods", "-l", "app="+service,
				"--field-selector=status.phase=Running", "-o", "jsonpath={.items[*].metadata.name}"))
			upCount, _ := queryPrometheus(t, fmt.Sprintf(`count(up{job=%q} == 1)`, service))
			samples, _ := queryPrometheus(t, fmt.Sprintf(`min(count_over_time(up{job=%q}[30s]))`, service))
			return len(pods) > 0 && int(upCount) == len(pods) && samples >= 5
		}, 2*time.Minute, 3*time.Second, service)
	}
	_, found := queryPrometheus(t, `sum(rate(container_cpu_usage_seconds_total[1m]))`)
	require.True(t, found, "Prometheus scrapes the CPU of containers from the kubelet")
	require.Eventually(t, func() bool {
		_, found := queryPrometheus(t, `sum(container_cpu_cfs_periods_total{job="throttling",container!=""})`)
		return found
	}, time.Minute, 5*time.Second, "Prometheus scrapes the CPU periods of containers from cAdvisor")
}

// requestCoordination sends a request to mca for which mca needs responses of npa and wpa.
func requestCoordination(t *testing.T, token string) {
	t.Helper()
	grams := time.Now().UnixMilli() % 100_000 // a different weight in each call, so that no response comes from the cache
	body := fmt.Sprintf(`{"task":"coordinate_agents","agents":["npa","wpa"],"priority":"normal","nutrition":{"weightKg":%d.%03d}}`, 50+grams/1000%100, grams%1000)
	status, responseBody, err := post(t.Context(), &http.Client{Timeout: 10 * time.Second}, stackOutput[string](t, "url")+"/api/v1/agents/mca/coordinate", token, body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, responseBody)
}

// TestEveryAlertHasItsData evaluates the expression that each alert compares with a threshold. The
// expression is in an annotation of the alert. It must have a value, because an alert without data
// never fires.
func TestEveryAlertHasItsData(t *testing.T) {
	path := prometheusPath(t)
	rulesJSON := mustRun(t, "kubectl", "get", "--raw", path+"/api/v1/rules?type=alert")
	var response struct {
		Data struct {
			Groups []struct {
				Rules []struct {
					Name, Health, LastError string
					Labels, Annotations     map[string]string
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(rulesJSON), &response))
	missing := map[string]string{} // the expressions without a value so far, by alert
	for _, g := range response.Data.Groups {
		for _, r := range g.Rules {
			require.NotEqual(t, "err", r.Health, "%s: %s", r.Name, r.LastError)
			missing[fmt.Sprintf("%s %v", r.Name, r.Labels)] = r.Annotations["value_expr"]
		}
	}
	require.Greater(t, len(missing), 40)
	requestCoordination(t, strings.TrimSpace(mustRun(t, "make", "-s", "token")))
	require.Eventually(t, func() bool {
		for name, expression := range missing {
			// NaN is data: the series exist, and a service may have no query in five minutes.
			if _, found := queryPrometheusAt(t, path, expression); found {
				delete(missing, name)
			}
		}
		return len(missing) == 0
	}, 2*time.Minute, 5*time.Second, "alerts without data: %v", missing)
}

// TestUsersReadNoMetrics requires that the platform's URL does not serve metrics. The services
// serve their metrics on another port.
func TestUsersReadNoMetrics(t *testing.T) {
	_, body, err := get(t.Context(), &http.Client{Timeout: 5 * time.Second}, stackOutput[string](t, "url")+"/metrics")
	require.NoError(t, err)
	require.NotContains(t, body, "http_requests_total")
}

// sendCalculations sends two requests a second to npa until ctx ends. Each request is for a
// different plan, because a response from the cache is not a calculation.
func sendCalculations(ctx context.Context, requests *requestCounter, platformURL, token string) {
	client := &http.Client{Timeout: 10 * time.Second}
	for grams := time.Now().UnixMilli(); ctx.Err() == nil; grams++ {
		// Each request has another weight, and the weights of earlier runs are also different.
		body := fmt.Sprintf(`{"userId":"test-user-123","duration":1,"weightKg":%d.%03d}`, 50+grams/1000%100, grams%1000)
		status, responseBody, err := post(ctx, client, platformURL+"/api/v1/agents/npa/plan", token, body)
		if ctx.Err() != nil {
			return
		}
		requests.count(status, responseBody, err)
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// TestPodsFollowTheLoadThroughFaults sends two calculations a second, which are 120 a minute
// and six times the target of a pod. While npa scales up, a rollout replaces its pods. Then
// one fault follows the other. Without load the number of pods must fall to the minimum. No
// request to the front page or to npa may fail.
func TestPodsFollowTheLoadThroughFaults(t *testing.T) {
	namespace, url := stackOutput[string](t, "namespace"), stackOutput[string](t, "url")
	token := strings.TrimSpace(mustRun(t, "make", "-s", "token"))
	// The design document's HPA of npa waits five minutes before it removes pods. That is Kubernetes'
	// default. In this test the HPA waits 15 s.
	const behavior = "/spec/advanced/horizontalPodAutoscalerConfig/behavior"
	patchScaledObject := func(operation string) {
		mustRun(t, "kubectl", "-n", namespace, "patch", "scaledobject", "npa", "--type=json", "-p", operation)
	}
	patchScaledObject(`[{"op":"add","path":"` + behavior + `","value":{"scaleDown":{"stabilizationWindowSeconds":15}}}]`)
	t.Cleanup(func() { patchScaledObject(`[{"op":"remove","path":"` + behavior + `"}]`) })
	readyReplicas := func() string {
		return mustRun(t, "kubectl", "-n", namespace, "get", "deployment", "npa", "-o", "jsonpath={.status.readyReplicas}")
	}
	require.Eventually(t, func() bool { return readyReplicas() == "1" }, 2*time.Minute, time.Second, "npa is idle")
	pods := watchReplicas(t, namespace)

	requests := sendRequestsWhile(t, url, func(requests *requestCounter) {
		loadCtx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		defer func() { stop(); <-ended }()
		began := time.Now()
		go func() {
			defer close(ended)
			sendCalculations(loadCtx, requests, url, token)
		}()
		require.Eventually(t, func() bool { return pods.replicas()["npa"] > 1 }, 4*time.Minute, 100*time.Millisecond, "KEDA scales up")
		mustRun(t, "kubectl", "-n", namespace, "rollout", "restart", "deployment/npa")
		mustRun(t, "kubectl", "-n", namespace, "rollout", "status", "deployment/npa", "--timeout=2m")
		require.Eventually(t, func() bool { return readyReplicas() == "3" }, 2*time.Minute, time.Second, "npa has its maximum of pods")
		t.Logf("all pods were ready after %s of load and a rollout; %d requests", time.Since(began).Round(time.Second), requests.sentCount())
		require.Empty(t, requests.failures())
		events := mustRun(t, "kubectl", "-n", namespace, "get", "events", "--field-selector=reason=SuccessfulRescale,involvedObject.name=npa-hpa", "-o", "jsonpath={.items[*].message}")
		require.Contains(t, events, "external metric s1-prometheus")
		injectFaults(t, scalingFaults(t, requests, token), requests, pods)
	})
	require.Empty(t, requests.failed, "of %d requests", requests.total)
	require.Empty(t, pods.describeViolations())
	require.Eventually(t, func() bool { return readyReplicas() == "1" }, 4*time.Minute, time.Second, "npa scales down to its minimum")
}

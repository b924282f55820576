package diagnose

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/kubeclient"
)

func TestHealthyPlatformHasNoFinding(t *testing.T) {
	r, _ := newHealthyFixture().diagnose(t, Checks)
	require.Empty(t, r.Findings)
	require.Empty(t, r.Missing)
	require.NoError(t, r.write(&bytes.Buffer{}, false, ""), "exit code 0")
}

// TestOldFaultsAndFewRequestsAreNoFindings: old faults were repaired, and a share of a few requests
// is no evidence.
func TestOldFaultsAndFewRequestsAreNoFindings(t *testing.T) {
	f := newHealthyFixture()
	setTerminated(f, "OOMKilled", 137, 2*time.Hour)
	f.pods["mca"].Status.ContainerStatuses[0].RestartCount = 9
	f.pods["npa"].Status.Conditions[0] = corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(now.Add(-time.Second))}
	f.pods["npa"].Spec.Containers[0].Resources.Limits = nil
	f.metrics["wpa-0"] = metricsText(50, 25, 5, 1, 9, 0)
	f.usage["mca"].Containers[0].Usage[corev1.ResourceMemory] = resource.MustParse("860Mi") // 84 %, of 85
	setRedisMemory(f, "455Mi")                                                              // 89 %, of 90
	replaceMetric("mca-0", `sum{agent="mca",upstream="wpa"} 40`, `sum{agent="mca",upstream="wpa"} 99`)(f)
	r, _ := f.diagnose(t, Checks)
	require.Empty(t, r.Findings)
}

// TestLocalTierMayServeMostReads: a service reads Redis only for a value that the local tier does not
// have. Here Redis does not have these values either.
func TestLocalTierMayServeMostReads(t *testing.T) {
	f := newHealthyFixture()
	for _, s := range scaling.Services() {
		text := metricsText(1000, 0, 0.05, 225, 775, 0)
		f.metrics[s.ShortName+"-0"] = strings.Replace(text, `strategy="profile",tier="local"} 0`, `strategy="profile",tier="local"} 90000`, 1)
	}
	r, _ := f.diagnose(t, []Check{Cache})
	require.Empty(t, r.Findings)
}

// TestResetCounterCountsSinceItsReset: the counter's value is above its value of one window ago, so
// the difference of both values would be too small.
func TestResetCounterCountsSinceItsReset(t *testing.T) {
	f := newHealthyFixture()
	replaceMetric("redis-cluster-1", "slowlog_last_id 40", "slowlog_last_id 45")(f)
	r, _ := f.diagnose(t, []Check{Database})
	require.Empty(t, r.Findings, "5 slow commands since the value of 40")
	f.resetCounters = vectorResponse(`{"metric":{"reset_series":"redis_slowlog_last_id","job":"stores","instance":"x","pod":"redis-cluster-1","namespace":"n"},"value":[1,"1"]}`)
	r, _ = f.diagnose(t, []Check{Database})
	require.Len(t, r.Findings, 1)
	require.Contains(t, r.Findings[0].Evidence, "45 slow commands in the last 10m0s")
}

// TestResetsQueryFindsTheResetSeries runs the query in Prometheus' own engine. Two series of a pod
// have the same labels. One series was reset and passed its old value.
func TestResetsQueryFindsTheResetSeries(t *testing.T) {
	labels := `{namespace="app",pod="p",job="stores"}`
	text, err := json.Marshal(map[string]any{"evaluation_interval": "15s", "tests": []map[string]any{{
		"interval": "15s",
		"input_series": []map[string]any{
			{"series": "redis_evicted_keys_total" + labels, "values": "500+1x40"},
			{"series": "redis_slowlog_last_id" + labels, "values": "10+0x20 0+5x20"},
			{"series": "up" + labels, "values": "1 0 1+0x39"},
		},
		"promql_expr_test": []map[string]any{
			{"expr": resetsQuery("app"), "eval_time": "10m", "exp_samples": []map[string]any{{"labels": `{namespace="app",pod="p",job="stores",reset_series="redis_slowlog_last_id"}`, "value": 1}}},
			{"expr": resetsQuery("other"), "eval_time": "10m", "exp_samples": []map[string]any{}},
			{"expr": oldValuesQuery("app"), "eval_time": "10m", "exp_samples": []map[string]any{
				{"labels": "redis_evicted_keys_total" + labels, "value": 500}, {"labels": "redis_slowlog_last_id" + labels, "value": 10},
			}},
		},
	}}})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "tests.yaml") // JSON is YAML
	require.NoError(t, os.WriteFile(file, text, 0o600))
	out, err := exec.CommandContext(t.Context(), "promtool", "test", "rules", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// TestYoungAutoscalersMayLackAMetric: first a missing metric is a note, and later it is a finding.
func TestYoungAutoscalersMayLackAMetric(t *testing.T) {
	for _, row := range []struct {
		reason    string
		hpa, pods time.Duration
		condition string
		note      string
	}{
		{"a new HPA", 20 * time.Second, time.Hour, "FailedGetExternalMetric", "the HPA is 20s old, and the first value may need 2m0s"},
		{"new pods", time.Hour, 50 * time.Second, "FailedGetResourceMetric", "its oldest pod is 50s old"},
		{"an old HPA with old pods", 3 * time.Minute, 3 * time.Minute, "FailedGetExternalMetric", ""},
		{"a new HPA with a wrong selector", 20 * time.Second, time.Hour, "InvalidSelector", ""},
	} {
		t.Run(row.reason, func(t *testing.T) {
			f := newHealthyFixture()
			f.hpa.CreationTimestamp = metav1.NewTime(now.Add(-row.hpa))
			f.hpa.Spec.ScaleTargetRef.Name = scaling.MCA().Name
			start := metav1.NewTime(now.Add(-row.pods))
			f.pods["mca"].Status.StartTime = &start
			f.hpa.Status.Conditions[0] = autoscalingv2.HorizontalPodAutoscalerCondition{Type: autoscalingv2.ScalingActive, Status: corev1.ConditionFalse, Reason: row.condition}
			r, _ := f.diagnose(t, []Check{Scaling})
			var out bytes.Buffer
			require.NoError(t, r.writeText(&out))
			if row.note == "" {
				require.Len(t, r.Findings, 1)
				require.Equal(t, "hpa-metric-missing", r.Findings[0].Name)
				return
			}
			require.Empty(t, r.Findings)
			require.Contains(t, out.String(), row.note)
		})
	}
}

// TestStackWithoutPrometheusIsComplete: a stack without podScaling has no Prometheus, so nothing is
// missing.
func TestStackWithoutPrometheusIsComplete(t *testing.T) {
	f := newHealthyFixture()
	f.prometheus = nil
	r, _ := f.diagnose(t, Checks)
	require.Empty(t, r.Findings)
	require.Empty(t, r.Missing)
	for _, check := range []Check{Database, Agents, Cache} {
		require.Contains(t, r.Absent, Absent{check, "counters of the last 10m0s in Prometheus",
			"query of Prometheus: the platform has no pod of Prometheus in " + namespace + "-prometheus, because podScaling is off; so " + effectWithoutOldCounters[check]})
	}
	require.NoError(t, r.write(&bytes.Buffer{}, false, ""), "exit code 0")
}

// TestPrometheusWithoutOldValuesMakesChecksIncomplete: after the loss of its disk, Prometheus
// responds without the values of ten minutes ago. Each check that needs them is incomplete.
func TestPrometheusWithoutOldValuesMakesChecksIncomplete(t *testing.T) {
	f := newHealthyFixture()
	f.oldCounters = vectorResponse()
	r, _ := f.diagnose(t, Checks)
	require.Empty(t, r.Findings)
	var checks []Check
	for _, m := range r.Missing {
		checks = append(checks, m.Check)
	}
	require.Equal(t, []Check{Database, Agents, Cache}, checks, "once for each check")
	require.Equal(t, Missing{Database, "counters of the last 10m0s in Prometheus, so they count since each pod's start, and evictions, slow commands, deadlocks and missing indexes are not judged",
		"Prometheus has no value of 10m0s ago of pod/postgres-exporter-0, pod/redis-cluster-0, pod/redis-cluster-1, pod/redis-cluster-2, pod/redis-cluster-3 and 2 more"}, r.Missing[0])
	for _, pod := range f.pods {
		start := metav1.NewTime(now.Add(-11 * time.Minute))
		pod.Status.StartTime = &start
	}
	r, _ = f.diagnose(t, []Check{Agents, Cache})
	require.Empty(t, r.Missing, "new pods: Prometheus scraped them first after their start")
}

func TestUnreachablePlatformHasAFindingForEachRequest(t *testing.T) {
	for _, row := range []struct {
		reason, base, finding string
		findings              int
	}{
		{"nothing listens", "http://127.0.0.1:1", "endpoint-unreachable", len(endpoints)},
		{"the name does not exist", "https://platform.invalid", "host-not-resolved", len(endpoints)},
		{"a token is not sent unencrypted", "http://platform.invalid", "host-not-resolved", 4},
	} {
		t.Run(row.reason, func(t *testing.T) {
			f := newHealthyFixture()
			f.baseURL = row.base
			r, _ := f.diagnose(t, []Check{App})
			require.Len(t, r.Findings, row.findings)
			for _, found := range r.Findings {
				require.Equal(t, row.finding, found.Name)
			}
		})
	}
}

func TestCertificateNearItsEndIsOneFinding(t *testing.T) {
	base := &url.URL{Scheme: "https", Host: "example.com"}
	responses := []response{{status: 200, certificateEnd: now.Add(9 * 24 * time.Hour)}, {status: 200, certificateEnd: now.Add(9 * 24 * time.Hour)}}
	list := appFindings(base, responses, now)
	require.Len(t, list, 1, "once for all endpoints")
	require.Equal(t, "certificate-near-end", list[0].Name)
	require.Contains(t, list[0].Evidence, "in 9 days")
	responses[0].certificateEnd, responses[1].certificateEnd = now.Add(40*24*time.Hour), time.Time{}
	require.Empty(t, appFindings(base, responses, now))
}

// TestUnreadablePartsAreReported: the exit code is 3, and the check is incomplete.
func TestUnreadablePartsAreReported(t *testing.T) {
	for _, row := range []struct {
		reason string
		seed   func(*fixture)
		check  Check
		text   string
	}{
		{"no permission for pods", func(f *fixture) { f.forbidden = "pods" }, Resources, "no permission: pods is forbidden"},
		{"no permission for the pods of stores", func(f *fixture) { f.forbidden = "pods" }, Database, "database: pods: no permission"},
		{"no permission for the pods of agents", func(f *fixture) { f.forbidden = "pods" }, Agents, "agents: pods: no permission"},
		{"no permission for the nodes of tiers", func(f *fixture) { f.forbidden = "nodes" }, Scaling, "scaling: nodes: no permission"},
		{"no permission for nodes", func(f *fixture) { f.forbidden = "nodes" }, Resources, "no permission: nodes is forbidden"},
		{"no permission for HPAs", func(f *fixture) { f.forbidden = "horizontalpodautoscalers.autoscaling" }, Scaling, "horizontalpodautoscalers.autoscaling is forbidden"},
		{"a pod without metrics", func(f *fixture) { f.scrapeErr = errors.New("connection refused") }, Cache, "metrics of pod/web-0: not readable: connection refused"},
		{"an incomplete response", func(f *fixture) { f.metrics["web-0"] = "http_requests_total{" }, Agents, "metrics of pod/web-0: not readable"},
		{"no permission for VPA", func(f *fixture) {
			f.verticalErr = apierrors.NewForbidden(vpaResource.GroupResource(), "", errors.New("no"))
		}, Scaling, "no permission: verticalpodautoscalers"},
		{"no permission for the status of Cluster Autoscaler", func(f *fixture) { f.forbidden = "configmaps" }, Scaling, "status of Cluster Autoscaler: no permission"},
		{"a pod without values in metrics-server", func(f *fixture) { delete(f.usage, "npa") }, Resources, "CPU and memory of pod/npa-0: metrics.k8s.io has no entry of them, so they are not judged"},
		{"no permission for logs", func(f *fixture) { f.forbidden = "pods/log" }, Agents, "log of pod/mca-0: no permission"},
		{"Prometheus that does not respond", func(f *fixture) { f.prometheusErr = errors.New("connection refused") }, Cache, "since each pod's start: not readable: query of Prometheus: connection refused"},
		{"Prometheus that does not respond to the query for throttling", func(f *fixture) { f.prometheusErr = errors.New("connection refused") }, Resources, "throttled CPU periods in Prometheus: not readable: query of Prometheus: connection refused"},
		{"an incomplete response of Prometheus", func(f *fixture) { f.oldCounters = f.oldCounters[:90] }, Database, "query of Prometheus: bad_response"},
		{"an error of Prometheus", func(f *fixture) {
			f.prometheusErr = &kubeclient.StatusError{Code: http.StatusUnprocessableEntity, Body: []byte(`{"status":"error","errorType":"timeout","error":"query timed out"}`)}
		}, Database, "query of Prometheus: timeout: query timed out"},
		{"Prometheus that is starting", func(f *fixture) { f.prometheusErr = &kubeclient.StatusError{Code: http.StatusServiceUnavailable} }, Database, "query of Prometheus: server_error: server error: 503"},
		{"no permission for the port-forward to Prometheus", func(f *fixture) {
			f.prometheusErr = apierrors.NewForbidden(schema.GroupResource{Resource: "pods/portforward"}, "", errors.New("no"))
		}, Database, "no permission: query of Prometheus: pods/portforward"},
		{"a value that is not a number", func(f *fixture) { f.oldCounters = strings.Replace(f.oldCounters, `"4e7"`, `"x"`, 1) }, Database, "query of Prometheus: "},
		{"Redis without metrics", func(f *fixture) { f.metrics["redis-cluster-2"] = "{" }, Database, "metrics of pod/redis-cluster-2: not readable"},
		{"statistics that the exporter can't read", addMetric("postgres-exporter-0", "# TYPE pg_exporter_last_scrape_error gauge\npg_exporter_last_scrape_error 1\n"), Database, "a part of PostgreSQL's statistics: the log of pod/postgres-exporter-0"},
		{"no permission for StatefulSets", func(f *fixture) { f.forbidden = "statefulsets.apps" }, Database, "StatefulSets: no permission"},
		{"AWS that refuses", func(f *fixture) { f.cloudMissing = []Missing{{Scaling, "scaling activities", "AccessDenied"}} }, Scaling, "scaling activities: AccessDenied"},
		{"no pod that is ready", func(f *fixture) { f.pods["web"].Status.Conditions[0].Status = corev1.ConditionUnknown }, Cache, "metrics of progressive-framework-v5: none of its 1 pods is ready"},
		{"no token", func(f *fixture) { f.token = "" }, App, "no token: set TOKEN"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			f := newHealthyFixture()
			row.seed(f)
			r, _ := f.diagnose(t, []Check{row.check})
			require.Empty(t, r.Findings)
			require.NotEmpty(t, r.Missing)
			var out bytes.Buffer
			code, _ := exitcode.FromError(r.write(&out, false, ""))
			require.Equal(t, exitcode.Incomplete, code)
			require.Contains(t, out.String(), row.text)
			require.Contains(t, out.String(), string(row.check)+": 0 findings, incomplete")
		})
	}
}

func TestJSONHasEachField(t *testing.T) {
	f := newHealthyFixture()
	f.agents["wpa"] = "failing"
	r, _ := f.diagnose(t, []Check{Agents})
	var out bytes.Buffer
	require.Error(t, r.write(&out, true, ""))
	var read report
	require.NoError(t, json.Unmarshal(out.Bytes(), &read))
	require.Equal(t, *r, read)
	require.Contains(t, out.String(), `"schema": 2`)
}

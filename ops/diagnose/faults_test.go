package diagnose

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubefake "k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	metricsfake "k8s.io/metrics/pkg/client/clientset/versioned/fake"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/kubeclient"
)

const (
	namespace = "progressive-framework-test"
	goodToken = "good"
)

// now is the time of every diagnosis in these tests.
var now = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// fixture is a healthy platform that a row of the table damages. The API server is
// client-go's fake, web is a real HTTP server.
type fixture struct {
	pods    map[string]*corev1.Pod // by service
	usage   map[string]*metricsv1beta1.PodMetrics
	hpa     *autoscalingv2.HorizontalPodAutoscaler
	pdb     *policyv1.PodDisruptionBudget
	deploy  *appsv1.Deployment
	node    *corev1.Node
	metrics map[string]string // by pod
	agents  map[string]string // the states in mca's status
	// serve responds in place of web if it returns true.
	serve func(w http.ResponseWriter, r *http.Request) bool
	// base is in place of the server's url.
	base string
	// forbidden is a resource that the API server refuses to list.
	forbidden string
	scrapeErr error
	token     string
}

func healthy() *fixture {
	f := &fixture{pods: map[string]*corev1.Pod{}, usage: map[string]*metricsv1beta1.PodMetrics{}, metrics: map[string]string{}, token: goodToken,
		agents: map[string]string{"mca": "up", "npa": "up", "wpa": "up"}}
	for _, s := range scaling.Services() {
		limits := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("1Gi")}
		f.pods[s.Short] = &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: s.Short + "-0", Labels: map[string]string{"app": s.Name}},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Resources: corev1.ResourceRequirements{Limits: limits}}}},
			Status: corev1.PodStatus{
				Phase:             corev1.PodRunning,
				Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
				ContainerStatuses: []corev1.ContainerStatus{{Name: "app", Image: "registry/app@sha256:1", Ready: true, RestartCount: 1}},
			},
		}
		f.usage[s.Short] = &metricsv1beta1.PodMetrics{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: s.Short + "-0"}, Containers: []metricsv1beta1.ContainerMetrics{
			{Name: "app", Usage: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("400m"), corev1.ResourceMemory: resource.MustParse("512Mi")}},
		}}
		f.metrics[s.Short+"-0"] = metricsText(1000, 0, 0.05, 900, 100, 0)
	}
	f.hpa = &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "mca-hpa"},
		Spec:       autoscalingv2.HorizontalPodAutoscalerSpec{MaxReplicas: 3},
		Status: autoscalingv2.HorizontalPodAutoscalerStatus{CurrentReplicas: 1, Conditions: []autoscalingv2.HorizontalPodAutoscalerCondition{
			{Type: autoscalingv2.ScalingActive, Status: corev1.ConditionTrue}, {Type: autoscalingv2.AbleToScale, Status: corev1.ConditionTrue},
			{Type: autoscalingv2.ScalingLimited, Status: corev1.ConditionTrue, Reason: "TooFewReplicas"},
		}},
	}
	f.pdb = &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "mca"},
		Status: policyv1.PodDisruptionBudgetStatus{ExpectedPods: 1, CurrentHealthy: 1, DisruptionsAllowed: 1}}
	f.deploy = &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "mca"}}
	f.node = &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-1"}, Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{
		{Type: corev1.NodeReady, Status: corev1.ConditionTrue}, {Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse},
	}}}
	return f
}

// metricsText has the numbers of requests, of failed ones, their mean duration in seconds,
// and of the cache's hits, misses and errors in Redis, times 10.
func metricsText(requests, failed int, mean float64, hits, misses, errs int) string {
	return fmt.Sprintf(`# TYPE http_requests_total counter
http_requests_total{method="GET",route="GET /health",status="503"} 5000
http_requests_total{method="POST",route="POST /work",status="200"} %d
http_requests_total{method="POST",route="POST /work",status="503"} %d
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{method="GET",route="GET /ws",le="+Inf"} 500
http_request_duration_seconds_sum{method="GET",route="GET /ws"} 30000
http_request_duration_seconds_count{method="GET",route="GET /ws"} 500
http_request_duration_seconds_bucket{method="POST",route="POST /work",le="+Inf"} %d
http_request_duration_seconds_sum{method="POST",route="POST /work"} %g
http_request_duration_seconds_count{method="POST",route="POST /work"} %d
# TYPE application_cache_hits_total counter
application_cache_hits_total{strategy="profile",tier="redis"} %d
application_cache_hits_total{strategy="profile",tier="local"} 0
# TYPE application_cache_misses_total counter
application_cache_misses_total{strategy="profile",tier="redis"} %d
application_cache_misses_total{strategy="profile",tier="local"} 90000
# TYPE application_cache_errors_total counter
application_cache_errors_total{strategy="profile",tier="redis"} %d
`, requests-failed, failed, requests, mean*float64(requests), requests, 10*hits, 10*misses, 10*errs)
}

func (f *fixture) handler(w http.ResponseWriter, r *http.Request) {
	switch {
	case f.serve != nil && f.serve(w, r):
	case strings.Contains(r.URL.Path, "health"):
		fmt.Fprint(w, `{"status":"ok"}`)
	case r.Header.Get("Authorization") != "Bearer "+goodToken:
		w.WriteHeader(http.StatusUnauthorized)
	default:
		_ = json.NewEncoder(w).Encode(map[string]any{"agents": f.agents})
	}
}

// diagnose runs every check. The fake API server records what was sent to it.
func (f *fixture) diagnose(t *testing.T, checks []Check) (*report, []clienttesting.Action) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(f.handler))
	defer server.Close()
	if f.base == "" {
		f.base = server.URL
	}
	base, err := url.Parse(f.base)
	require.NoError(t, err)
	list := []runtime.Object{f.hpa, f.pdb, f.deploy, f.node}
	var usage metricsv1beta1.PodMetricsList
	for _, s := range scaling.Services() {
		list = append(list, f.pods[s.Short])
		usage.Items = append(usage.Items, *f.usage[s.Short])
	}
	kube, metrics := kubefake.NewClientset(list...), metricsfake.NewSimpleClientset()
	refuse := func(action clienttesting.Action) (bool, runtime.Object, error) {
		gr := schema.GroupResource{Group: action.GetResource().Group, Resource: action.GetResource().Resource}
		if gr.String() != f.forbidden {
			return false, nil, nil
		}
		return true, nil, apierrors.NewForbidden(gr, "", errors.New("the role has no permission"))
	}
	kube.PrependReactor("list", "*", refuse)
	metrics.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) { return true, &usage, nil })
	metrics.PrependReactor("list", "*", refuse)
	clients := kubeclient.Clients{Kubernetes: kube, Metrics: metrics}
	p := platform{
		url: base, token: f.token,
		objects: func(ctx context.Context) (objects, []Missing) { return readObjects(ctx, clients, namespace, now) },
		scrape: func(_ context.Context, pod string) ([]byte, error) {
			return []byte(f.metrics[pod]), f.scrapeErr
		},
	}
	return p.diagnose(t.Context(), checks, now), kube.Actions()
}

func waiting(f *fixture, reason, message string) {
	c := &f.pods["mca"].Status.ContainerStatuses[0]
	c.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	f.pods["mca"].Status.Conditions[0] = corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(now.Add(-time.Hour))}
}

func ended(f *fixture, reason string, code int32, ago time.Duration) {
	f.pods["mca"].Status.ContainerStatuses[0].LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		Reason: reason, ExitCode: code, FinishedAt: metav1.NewTime(now.Add(-ago)),
	}}
}

func respond(path string, status int) func(*fixture) {
	return func(f *fixture) {
		f.serve = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == path {
				w.WriteHeader(status)
			}
			return r.URL.Path == path
		}
	}
}

// faults are the seeded faults. Each has exactly one finding.
var faults = []struct {
	fault, finding, where, evidence, cause string
	seed                                   func(*fixture)
}{
	{"a pod without enough CPU", "pod-cpu-starved", "pod/npa-0/app", "uses 950m of 1 (95 %)", "throttled", func(f *fixture) {
		f.usage["npa"].Containers[0].Usage[corev1.ResourceCPU] = resource.MustParse("950m")
	}},
	{"memory near its limit", "pod-memory-near-limit", "pod/npa-0/app", "uses 900Mi of 1Gi (88 %)", "killed soon", func(f *fixture) {
		f.usage["npa"].Containers[0].Usage[corev1.ResourceMemory] = resource.MustParse("900Mi")
	}},
	{"a container killed for its memory", "pod-out-of-memory", "pod/mca-0/app", "OOMKilled at 2026-01-31T11:59:00Z, exit code 137", "more memory than its limit", func(f *fixture) {
		waiting(f, "CrashLoopBackOff", "back-off")
		ended(f, "OOMKilled", 137, time.Minute)
	}},
	{"a crash loop", "pod-crash-loop", "pod/mca-0/app", "exit code 2 (Error)", "ends at its start", func(f *fixture) {
		waiting(f, "CrashLoopBackOff", "back-off")
		ended(f, "Error", 2, time.Minute)
	}},
	{"frequent restarts", "pod-restarts", "pod/mca-0/app", "7 restarts", "from time to time", func(f *fixture) {
		ended(f, "Error", 1, 10*time.Minute)
		f.pods["mca"].Status.ContainerStatuses[0].RestartCount = 7
	}},
	{"an image that can't be pulled", "image-not-pulled", "pod/mca-0/app", "registry/app@sha256:1: not found", "registry does not have", func(f *fixture) {
		waiting(f, "ImagePullBackOff", "not found")
	}},
	{"a Secret that is gone", "pod-configuration-invalid", "pod/mca-0/app", `secret "db" not found`, "does not exist", func(f *fixture) {
		waiting(f, "CreateContainerConfigError", `secret "db" not found`)
	}},
	{"a pod that no node has room for", "pod-unschedulable", "pod/mca-0", "0/3 nodes are available: 3 Insufficient memory", "no node has", func(f *fixture) {
		f.pods["mca"].Status.Phase = corev1.PodPending
		f.pods["mca"].Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/3 nodes are available: 3 Insufficient memory."}}
	}},
	{"a failing readiness probe", "pod-not-ready", "pod/mca-0", "not ready for 10m0s", "readiness probe", func(f *fixture) {
		f.pods["mca"].Status.Conditions[0] = corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(now.Add(-10 * time.Minute))}
	}},
	{"a rollout that does not end", "rollout-stuck", "deployment/mca", "timed out", "do not become ready", func(f *fixture) {
		f.deploy.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded", Message: "timed out"}}
	}},
	{"a node that is gone", "node-not-ready", "node/node-1", "Kubelet stopped posting", "kubelet", func(f *fixture) {
		f.node.Status.Conditions[0] = corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, Reason: "NodeStatusUnknown", Message: "Kubelet stopped posting node status."}
	}},
	{"a node without memory", "node-pressure", "node/node-1", "MemoryPressure", "more than they request", func(f *fixture) { f.node.Status.Conditions[1].Status = corev1.ConditionTrue }},
	{"an HPA without its metric", "hpa-metric-missing", "hpa/mca-hpa", "FailedGetExternalMetric", "KEDA", func(f *fixture) {
		f.hpa.Status.Conditions[0] = autoscalingv2.HorizontalPodAutoscalerCondition{Type: autoscalingv2.ScalingActive, Status: corev1.ConditionFalse, Reason: "FailedGetExternalMetric"}
	}},
	{"an HPA at its maximum", "hpa-at-maximum", "hpa/mca-hpa", "3 pods, more are wanted: cpu 140 %", "services.NAME.max", func(f *fixture) {
		utilization := int32(140)
		f.hpa.Status.CurrentReplicas = 3
		f.hpa.Status.Conditions[2].Reason = "TooManyReplicas"
		f.hpa.Status.CurrentMetrics = []autoscalingv2.MetricStatus{{Resource: &autoscalingv2.ResourceMetricStatus{Name: "cpu", Current: autoscalingv2.MetricValueStatus{AverageUtilization: &utilization}}}}
	}},
	{"a PDB that blocks a drain", "drain-blocked", "poddisruptionbudget/mca", "1 of 1 pods are healthy, and 1 must be", "as many pods as there are", func(f *fixture) {
		f.pdb.Status.DisruptionsAllowed, f.pdb.Status.DesiredHealthy = 0, 1
	}},
	{"a slow agent", "agent-slow", "pod/npa-0", "a mean of 450 ms over 1000 requests", "too little CPU", func(f *fixture) { f.metrics["npa-0"] = metricsText(1000, 0, 0.45, 900, 100, 0) }},
	{"an agent that fails 30 %", "requests-failing", "pod/wpa-0", "30.0 % of 1000 requests", "wpa", func(f *fixture) { f.metrics["wpa-0"] = metricsText(1000, 300, 0.05, 900, 100, 0) }},
	{"coordinations that fail", "coordinations-failing", "pod/mca-0", "20 failed and 80 partial of 1000", "npa or wpa", func(f *fixture) {
		f.metrics["mca-0"] += "# TYPE agent_coordination_requests_total counter\nagent_coordination_requests_total{outcome=\"ok\"} 900\n" +
			"agent_coordination_requests_total{outcome=\"failed\"} 20\nagent_coordination_requests_total{outcome=\"partial\"} 80\n"
	}},
	{"an open breaker", "breaker-open", "wpa", "mca says failing of wpa", "requests of mca to the agent failed", func(f *fixture) { f.agents["wpa"] = "failing" }},
	{"another program at mca's path", "status-unreadable", "", "", "another program", func(f *fixture) { f.agents = nil }},
	{"a cold cache", "cache-cold", "profile in redis", "22 % of 40000 reads", "emptied", func(f *fixture) {
		for pod := range f.metrics {
			f.metrics[pod] = metricsText(1000, 0, 0.05, 225, 775, 0)
		}
	}},
	{"a Redis node that is down", "cache-failing", "profile in redis", "3.6 % of 41500 commands", "Redis node is down", func(f *fixture) { f.metrics["web-0"] = metricsText(1000, 0, 0.05, 900, 100, 150) }},
	{"an expired issuer", "token-refused", "", "status 401", "another issuer", func(f *fixture) {
		f.token = "expired"
		f.serve = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == statusPath {
				fmt.Fprint(w, `{"agents":{"mca":"up"}}`)
			}
			return r.URL.Path == statusPath
		}
	}},
	{"a failing endpoint", "endpoint-failing", "", "status 503", "a store behind it", respond("/api/v1/users/profile", http.StatusServiceUnavailable)},
	{"a slow endpoint", "endpoint-slow", "", "first byte 5", "waits for a store", func(f *fixture) {
		f.serve = func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/api/v1/users/profile" {
				time.Sleep(scaling.Targets().Web.ResponseTime + 10*time.Millisecond)
			}
			return false
		}
	}},
}

// TestSeededFaultsAreFoundByName prints the table. Each fault gives its finding and no
// other.
func TestSeededFaultsAreFoundByName(t *testing.T) {
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "seeded fault\tfinding\tevidence")
	for _, row := range faults {
		t.Run(row.fault, func(t *testing.T) {
			f := healthy()
			row.seed(f)
			r, actions := f.diagnose(t, Checks)
			require.Empty(t, r.Missing)
			require.Len(t, r.Findings, 1, "%+v", r.Findings)
			found := r.Findings[0]
			require.Equal(t, row.finding, found.Name)
			require.Contains(t, found.Where, row.where)
			require.Contains(t, found.Evidence, row.evidence)
			require.Contains(t, found.Cause, row.cause)
			require.NotEmpty(t, found.Fix)
			require.NotEmpty(t, found.Next)
			for _, action := range actions {
				require.Equal(t, "list", action.GetVerb(), "a diagnosis changes nothing")
			}
			fmt.Fprintf(w, "%s\t%s\t%.70s\n", row.fault, found.Name, found.Evidence)
			err := r.write(&bytes.Buffer{}, false)
			code, silent := exitcode.FromError(err)
			require.Equal(t, exitcode.Found, code)
			require.True(t, silent)
		})
	}
	require.NoError(t, w.Flush())
	t.Logf("%d faults\n%s", len(faults), &table)
}

// TestRunbookHasEachFinding: the page is the place that a finding leads to.
func TestRunbookHasEachFinding(t *testing.T) {
	page, err := os.ReadFile("../../docs/runbooks/diagnose.md")
	require.NoError(t, err)
	for _, name := range []string{"endpoint-unreachable", "host-not-resolved", "certificate-near-end"} {
		require.Contains(t, string(page), "`"+name+"`")
	}
	for _, row := range faults {
		require.Contains(t, string(page), "`"+row.finding+"`")
	}
}

func TestHealthyPlatformHasNoFinding(t *testing.T) {
	r, _ := healthy().diagnose(t, Checks)
	require.Empty(t, r.Findings)
	require.Empty(t, r.Missing)
	require.NoError(t, r.write(&bytes.Buffer{}, false), "exit code 0")
}

// TestOldAndSmallThingsAreNoFindings: what was repaired, and shares of few.
func TestOldAndSmallThingsAreNoFindings(t *testing.T) {
	f := healthy()
	ended(f, "OOMKilled", 137, 2*time.Hour)
	f.pods["mca"].Status.ContainerStatuses[0].RestartCount = 9
	f.pods["npa"].Status.Conditions[0] = corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(now.Add(-time.Second))}
	f.pods["npa"].Spec.Containers[0].Resources.Limits = nil
	f.metrics["wpa-0"] = metricsText(50, 25, 5, 1, 9, 0)
	r, _ := f.diagnose(t, Checks)
	require.Empty(t, r.Findings)
}

func TestUnreachablePlatforms(t *testing.T) {
	for _, row := range []struct {
		reason, base, finding string
		requests              int
	}{
		{"nothing listens", "http://127.0.0.1:1", "endpoint-unreachable", len(endpoints)},
		{"the name does not exist", "https://platform.invalid", "host-not-resolved", len(endpoints)},
		{"a token is not sent unencrypted", "http://platform.invalid", "host-not-resolved", 4},
	} {
		t.Run(row.reason, func(t *testing.T) {
			f := healthy()
			f.base = row.base
			r, _ := f.diagnose(t, []Check{App})
			require.Len(t, r.Findings, row.requests)
			for _, found := range r.Findings {
				require.Equal(t, row.finding, found.Name)
			}
		})
	}
}

func TestCertificateNearItsEnd(t *testing.T) {
	base := &url.URL{Scheme: "https", Host: "example.com"}
	answers := []response{{status: 200, certificateEnd: now.Add(9 * 24 * time.Hour)}, {status: 200, certificateEnd: now.Add(9 * 24 * time.Hour)}}
	list := appFindings(base, answers, now)
	require.Len(t, list, 1, "once for all endpoints")
	require.Equal(t, "certificate-near-end", list[0].Name)
	require.Contains(t, list[0].Evidence, "in 9 days")
	answers[0].certificateEnd, answers[1].certificateEnd = now.Add(40*24*time.Hour), time.Time{}
	require.Empty(t, appFindings(base, answers, now))
}

// TestWhatCanNotBeReadIsSaid: the exit code is then 3, and the check is incomplete.
func TestWhatCanNotBeReadIsSaid(t *testing.T) {
	for _, row := range []struct {
		reason string
		seed   func(*fixture)
		check  Check
		text   string
	}{
		{"no permission for pods", func(f *fixture) { f.forbidden = "pods" }, Resources, "no permission: pods is forbidden"},
		{"no permission for nodes", func(f *fixture) { f.forbidden = "nodes" }, Resources, "no permission: nodes is forbidden"},
		{"no permission for HPAs", func(f *fixture) { f.forbidden = "horizontalpodautoscalers.autoscaling" }, Scaling, "horizontalpodautoscalers.autoscaling is forbidden"},
		{"a pod without metrics", func(f *fixture) { f.scrapeErr = errors.New("connection refused") }, Cache, "metrics of pod/web-0: not readable: connection refused"},
		{"half an answer", func(f *fixture) { f.metrics["web-0"] = "http_requests_total{" }, Agents, "metrics of pod/web-0: not readable"},
		{"no token", func(f *fixture) { f.token = "" }, App, "no token: set TOKEN"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			f := healthy()
			row.seed(f)
			r, _ := f.diagnose(t, []Check{row.check})
			require.Empty(t, r.Findings)
			require.NotEmpty(t, r.Missing)
			var out bytes.Buffer
			code, _ := exitcode.FromError(r.write(&out, false))
			require.Equal(t, exitcode.NotLooked, code)
			require.Contains(t, out.String(), row.text)
			require.Contains(t, out.String(), string(row.check)+": 0 findings, incomplete")
		})
	}
}

func TestJSONHasEachMember(t *testing.T) {
	f := healthy()
	f.agents["wpa"] = "failing"
	r, _ := f.diagnose(t, []Check{Agents})
	var out bytes.Buffer
	require.Error(t, r.write(&out, true))
	var read report
	require.NoError(t, json.Unmarshal(out.Bytes(), &read))
	require.Equal(t, *r, read)
	require.Contains(t, out.String(), `"schema": 1`)
}

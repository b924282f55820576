package diagnose

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	kubefake "k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	metricsfake "k8s.io/metrics/pkg/client/clientset/versioned/fake"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/ops/kubeclient"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

const (
	namespace = "progressive-framework-test"
	goodToken = "good"
)

// now is the time of every diagnosis in these tests.
var now = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// tenMinutesAgo is the time of a condition.
var tenMinutesAgo = metav1.NewTime(now.Add(-10 * time.Minute))

// fixture describes a platform for a test. newHealthyFixture returns a healthy platform, and each
// test row adds a fault. The API server is client-go's fake, and web is a real HTTP server.
type fixture struct {
	pods       map[string]*corev1.Pod // by service
	usage      map[string]*metricsv1beta1.PodMetrics
	hpa        *autoscalingv2.HorizontalPodAutoscaler
	pdb        *policyv1.PodDisruptionBudget
	deployment *appsv1.Deployment
	node       *corev1.Node
	metrics    map[string]string // by pod
	// oldCounters is the response of Prometheus with the counters of one window ago. resetCounters is
	// the response with the counters that were reset since then.
	oldCounters, resetCounters string
	// throttled is Prometheus' response with the throttled containers.
	throttled string
	// redis are the Redis nodes. exporter is the pod of PostgreSQL's exporter.
	redis             []*corev1.Pod
	redisStatefulSet  *appsv1.StatefulSet
	exporter          *corev1.Pod
	prometheus        *corev1.Pod // nil: the stack has no Prometheus
	vpa               *unstructured.Unstructured
	clusterAutoscaler *corev1.ConfigMap // Cluster Autoscaler's status; nil: none
	cloud             Cloud
	agents            map[string]string // the states in mca's status
	// serve responds in place of web if it returns true.
	serve func(w http.ResponseWriter, r *http.Request) bool
	// certificate is the certificate of the test server. If it is nil, the server does not use TLS.
	certificate *certificate
	// now is the time of the requests to web.
	now time.Time
	// baseURL replaces the URL of the test server if it is not empty.
	baseURL string
	// forbidden is a resource that the API server refuses to list.
	forbidden                             string
	scrapeErr, prometheusErr, verticalErr error
	cloudMissing                          []Missing
	token                                 string
}

// newHealthyFixture returns a platform without a fault.
func newHealthyFixture() *fixture {
	f := &fixture{now: now, pods: map[string]*corev1.Pod{}, usage: map[string]*metricsv1beta1.PodMetrics{}, metrics: map[string]string{}, token: goodToken,
		agents: map[string]string{"mca": "up", "npa": "up", "wpa": "up"}}
	for _, s := range scaling.Services() {
		limits := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("1Gi")}
		requests := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("300m"), corev1.ResourceMemory: resource.MustParse("512Mi")}
		f.pods[s.ShortName] = &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: s.ShortName + "-0", Labels: map[string]string{"app": s.Name}},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Resources: corev1.ResourceRequirements{Limits: limits, Requests: requests}}}},
			Status: corev1.PodStatus{
				Phase:             corev1.PodRunning,
				Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
				ContainerStatuses: []corev1.ContainerStatus{{Name: "app", Image: "registry/app@sha256:1", Ready: true, RestartCount: 1}},
			},
		}
		f.usage[s.ShortName] = newPodUsage(s.ShortName+"-0", "app")
		f.metrics[s.ShortName+"-0"] = metricsText(1000, 0, 0.05, 900, 100, 0)
	}
	newPod := func(name, app, namespace string) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": app}},
			Spec:       corev1.PodSpec{NodeName: "node-1"},
			Status:     corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
		}
	}
	for i := range 6 {
		name := fmt.Sprintf("redis-cluster-%d", i)
		f.redis = append(f.redis, newPod(name, redisApp, namespace))
		f.metrics[name] = redisText
	}
	six := int32(6)
	f.redisStatefulSet = &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: redisApp}, Spec: appsv1.StatefulSetSpec{Replicas: &six}, Status: appsv1.StatefulSetStatus{ReadyReplicas: 6}}
	f.exporter, f.prometheus = newPod("postgres-exporter-0", exporterApp, namespace), newPod("prometheus-0", "prometheus", namespace+"-prometheus")
	f.metrics["postgres-exporter-0"] = postgresText
	f.usage["exporter"] = newPodUsage("postgres-exporter-0", "exporter")
	f.metrics["mca-0"] += upstreamText
	old := []string{
		`{"metric":{"__name__":"pg_stat_user_tables_seq_scan","job":"postgres-exporter","instance":"x","pod":"postgres-exporter-0","namespace":"n","relname":"users","schemaname":"public"},"value":[1,"1000"]}`,
		`{"metric":{"__name__":"pg_stat_user_tables_seq_tup_read","job":"postgres-exporter","instance":"x","pod":"postgres-exporter-0","namespace":"n","relname":"users","schemaname":"public"},"value":[1,"4e7"]}`,
	}
	for i := range 6 {
		f.usage[fmt.Sprintf("redis-cluster-%d", i)] = newPodUsage(fmt.Sprintf("redis-cluster-%d", i), "redis")
		for name, value := range map[string]string{"redis_evicted_keys_total": "0", "redis_slowlog_last_id": "40"} {
			old = append(old, fmt.Sprintf(`{"metric":{"__name__":%q,"job":"stores","instance":"x","pod":"redis-cluster-%d","namespace":"n"},"value":[1,%q]}`, name, i, value))
		}
	}
	for _, s := range scaling.Services() {
		old = append(old, fmt.Sprintf(`{"metric":{"__name__":"http_requests_total","job":"x","instance":"x","pod":"%s-0","namespace":"n","method":"GET","route":"GET /health","status":"503"},"value":[1,"0"]}`, s.ShortName))
	}
	f.oldCounters, f.resetCounters, f.throttled = vectorResponse(old...), vectorResponse(), vectorResponse()
	f.vpa = &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "autoscaling.k8s.io/v1", "kind": "VerticalPodAutoscaler", "metadata": map[string]any{"namespace": namespace, "name": "mca-vpa"},
		"spec": map[string]any{"targetRef": map[string]any{"name": "mca"}, "updatePolicy": map[string]any{"updateMode": "Off"}},
		"status": map[string]any{
			"conditions":     []any{map[string]any{"type": "RecommendationProvided", "status": "True", "lastTransitionTime": "2026-01-31T09:00:00Z"}},
			"recommendation": map[string]any{"containerRecommendations": []any{map[string]any{"containerName": "app", "target": map[string]any{"cpu": "250m", "memory": "300Mi"}, "uncappedTarget": map[string]any{"cpu": "25m", "memory": "300Mi"}}}},
		},
	}}
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
	f.deployment = &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "mca"}}
	f.node = &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-1", Labels: map[string]string{scaling.NodeLabel: "application"}}, Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{
		{Type: corev1.NodeReady, Status: corev1.ConditionTrue}, {Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse},
	}}}
	return f
}

// newPodUsage returns the CPU and memory of a pod with one container.
func newPodUsage(pod, container string) *metricsv1beta1.PodMetrics {
	return &metricsv1beta1.PodMetrics{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: pod}, Containers: []metricsv1beta1.ContainerMetrics{
		{Name: container, Usage: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("400m"), corev1.ResourceMemory: resource.MustParse("512Mi")}},
	}}
}

// vectorResponse returns a response of Prometheus to an instant query.
func vectorResponse(samples ...string) string {
	return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(samples, ",") + `]}}`
}

// redisText has the metrics of a healthy node. Half of its memory is used.
const redisText = `# TYPE redis_up gauge
redis_up 1
# TYPE redis_cluster_state gauge
redis_cluster_state 1
# TYPE redis_cluster_slots_ok gauge
redis_cluster_slots_ok 16384
# TYPE redis_keyspace_hits_total counter
redis_keyspace_hits_total 9000
# TYPE redis_keyspace_misses_total counter
redis_keyspace_misses_total 1000
# TYPE redis_evicted_keys_total counter
redis_evicted_keys_total 0
# TYPE redis_slowlog_last_id gauge
redis_slowlog_last_id 40
# TYPE redis_last_slow_execution_duration_seconds gauge
redis_last_slow_execution_duration_seconds 0.03
# TYPE redis_mem_fragmentation_ratio gauge
redis_mem_fragmentation_ratio 1.1
# TYPE redis_memory_used_bytes gauge
redis_memory_used_bytes 6e+07
# TYPE redis_memory_max_bytes gauge
redis_memory_max_bytes 1e+08
`

// postgresText has the metrics of a healthy server.
const postgresText = `# TYPE pg_up gauge
pg_up 1
# TYPE pg_settings_max_connections gauge
pg_settings_max_connections 200
# TYPE pg_stat_activity_count gauge
pg_stat_activity_count{datname="d",state="idle",usename="web_a"} 24
pg_stat_activity_count{datname="d",state="active",usename="mca_a"} 8
# TYPE pg_stat_database_deadlocks counter
pg_stat_database_deadlocks{datname="d"} 0
# TYPE pg_stat_database_stats_reset gauge
pg_stat_database_stats_reset 1.7e+09
# TYPE pg_stat_user_tables_seq_scan counter
pg_stat_user_tables_seq_scan{relname="users",schemaname="public"} 1000
# TYPE pg_stat_user_tables_seq_tup_read counter
pg_stat_user_tables_seq_tup_read{relname="users",schemaname="public"} 4e+07
# TYPE pg_stat_user_tables_idx_scan counter
pg_stat_user_tables_idx_scan{relname="users",schemaname="public"} 90000
# TYPE pg_stat_user_tables_n_live_tup gauge
pg_stat_user_tables_n_live_tup{relname="users",schemaname="public"} 50000
# TYPE pg_stat_user_tables_n_dead_tup gauge
pg_stat_user_tables_n_dead_tup{relname="users",schemaname="public"} 5000
# TYPE pg_stat_user_tables_table_size_bytes gauge
pg_stat_user_tables_table_size_bytes{relname="users",schemaname="public"} 1e+08
# TYPE pg_stat_user_indexes_idx_scan counter
pg_stat_user_indexes_idx_scan{indexrelname="idx_users_email",relname="users",schemaname="public"} 7
# TYPE pg_stat_user_indexes_size_bytes gauge
pg_stat_user_indexes_size_bytes{indexrelname="idx_users_email",relname="users",schemaname="public"} 1e+08
`

// upstreamText has the metrics of mca's requests to the agents.
const upstreamText = `# TYPE agent_request_duration_seconds histogram
agent_request_duration_seconds_bucket{agent="mca",upstream="wpa",le="+Inf"} 1000
agent_request_duration_seconds_sum{agent="mca",upstream="wpa"} 40
agent_request_duration_seconds_count{agent="mca",upstream="wpa"} 1000
# TYPE agent_request_failures_total counter
agent_request_failures_total{agent="mca",reason="timeout",upstream="wpa"} 2
# TYPE agent_request_hedges_total counter
agent_request_hedges_total{agent="mca",upstream="wpa"} 40
# TYPE agent_breaker_state gauge
agent_breaker_state{agent="mca",upstream="wpa"} 0
# TYPE agent_coordination_queue_depth gauge
agent_coordination_queue_depth{agent="mca"} 3
`

// clusterAutoscalerText is the status of Cluster Autoscaler.
const clusterAutoscalerText = `time: 2026-01-31 11:59:55.1 +0000 UTC
autoscalerStatus: Running
clusterWide:
  health:
    status: Healthy
    nodeCounts: {registered: {total: 3, ready: 3}}
    lastProbeTime: "2026-01-31T11:59:55Z"
nodeGroups:
- name: test-application
  health:
    status: Healthy
    nodeCounts: {registered: {total: 2, ready: 2}}
    cloudProviderTarget: 2
    minSize: 1
    maxSize: 4
  scaleUp: {status: NoActivity}
  scaleDown: {status: NoCandidates}
`

// replaceMetric returns a change of the fixture: replacement replaces the text old in the metrics
// of a pod.
func replaceMetric(pod, old, replacement string) func(*fixture) {
	return func(f *fixture) {
		if !strings.Contains(f.metrics[pod], old) {
			panic("no line " + old + " in the metrics of " + pod)
		}
		f.metrics[pod] = strings.Replace(f.metrics[pod], old, replacement, 1)
	}
}

// addMetric returns a change of the fixture: the metrics of a pod have additional lines.
func addMetric(pod, lines string) func(*fixture) {
	return func(f *fixture) { f.metrics[pod] += lines }
}

// metricsText returns the metrics of a service: requests, failed requests, their mean duration in
// seconds, and a tenth of the hits, misses and errors of the cache in Redis.
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

// handle responds as web does.
func (f *fixture) handle(w http.ResponseWriter, r *http.Request) {
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

// diagnose runs the checks. It also returns the requests to the fake API server.
func (f *fixture) diagnose(t *testing.T, checks []Check) (*report, []clienttesting.Action) {
	t.Helper()
	p, actions := f.startPlatform(t)
	return p.diagnose(t.Context(), checks, f.now), actions()
}

// startPlatform starts web, and returns the platform of the fixture. The second result returns the
// requests to the fake API server.
func (f *fixture) startPlatform(t *testing.T) (platform, func() []clienttesting.Action) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(f.handle))
	t.Cleanup(server.Close)
	var roots *x509.CertPool
	if f.certificate == nil {
		server.Start()
	} else {
		roots = f.certificate.startServer(t, server)
	}
	if f.baseURL == "" {
		f.baseURL = server.URL
	}
	base, err := url.Parse(f.baseURL)
	require.NoError(t, err)
	list := []runtime.Object{f.hpa, f.pdb, f.deployment, f.node, f.redisStatefulSet, f.exporter}
	if f.prometheus != nil {
		list = append(list, f.prometheus)
	}
	for _, node := range f.redis {
		list = append(list, node)
	}
	if f.clusterAutoscaler != nil {
		list = append(list, f.clusterAutoscaler)
	}
	var usage metricsv1beta1.PodMetricsList
	for _, s := range scaling.Services() {
		list = append(list, f.pods[s.ShortName])
	}
	for _, pod := range sortedKeys(f.usage) {
		usage.Items = append(usage.Items, *f.usage[pod])
	}
	kube, metrics := kubefake.NewClientset(list...), metricsfake.NewSimpleClientset()
	refuse := func(action clienttesting.Action) (bool, runtime.Object, error) {
		gr := schema.GroupResource{Group: action.GetResource().Group, Resource: action.GetResource().Resource}
		if action.GetSubresource() != "" {
			gr.Resource += "/" + action.GetSubresource()
		}
		if gr.String() != f.forbidden {
			return false, nil, nil
		}
		return true, nil, apierrors.NewForbidden(gr, "", errors.New("the role has no permission"))
	}
	kube.PrependReactor("*", "*", refuse)
	metrics.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) { return true, &usage, nil })
	metrics.PrependReactor("list", "*", refuse)
	dynamic := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{vpaResource: "VerticalPodAutoscalerList"}, f.vpa)
	if f.verticalErr != nil {
		dynamic.PrependReactor("list", "*", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, f.verticalErr })
	}
	clients := kubeclient.Clients{
		Kubernetes: kube, Metrics: metrics, Dynamic: dynamic,
		Get: func(_ context.Context, _, pod string, _ int, path string) ([]byte, error) {
			switch {
			case !strings.HasPrefix(path, "/api/v1/query?"):
				return []byte(f.metrics[pod]), f.scrapeErr
			case strings.Contains(path, "query=resets"):
				return []byte(f.resetCounters), f.prometheusErr
			case strings.Contains(path, "container_cpu_cfs_periods_total"):
				return []byte(f.throttled), f.prometheusErr
			}
			return []byte(f.oldCounters), f.prometheusErr
		},
	}
	p := platform{
		url: base, token: f.token, roots: roots, clients: clients, outputs: stackoutput.Outputs{Redis: stackoutput.Store{Host: "redis"}, Postgres: stackoutput.Store{Host: "db.example.com"}},
		readObjects: func(ctx context.Context) (objects, []Missing, []Absent) {
			return readObjects(ctx, clients, namespace, now)
		},
		readCloud: func(context.Context) (Cloud, []Missing, []Absent) { return f.cloud, f.cloudMissing, nil },
	}
	return p, kube.Actions
}

// setWaiting sets the state of the container of mca to waiting, and the pod to not ready.
func setWaiting(f *fixture, reason, message string) {
	c := &f.pods["mca"].Status.ContainerStatuses[0]
	c.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	f.pods["mca"].Status.Conditions[0] = corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(now.Add(-time.Hour))}
}

// setRedisMemory sets the used memory of a Redis node with a limit of 512 MiB.
func setRedisMemory(f *fixture, used string) {
	limits := corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("512Mi")}
	f.redis[2].Spec.Containers = []corev1.Container{{Name: "redis", Resources: corev1.ResourceRequirements{Limits: limits}}}
	f.usage["redis-cluster-2"].Containers[0].Usage[corev1.ResourceMemory] = resource.MustParse(used)
}

// setTerminated sets the last termination of the container of mca.
func setTerminated(f *fixture, reason string, code int32, ago time.Duration) {
	f.pods["mca"].Status.ContainerStatuses[0].LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		Reason: reason, ExitCode: code, FinishedAt: metav1.NewTime(now.Add(-ago)),
	}}
}

// respondWith returns a change of the fixture: web responds to a path with a status.
func respondWith(path string, status int) func(*fixture) {
	return func(f *fixture) {
		f.serve = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == path {
				w.WriteHeader(status)
			}
			return r.URL.Path == path
		}
	}
}

// setRecommendation sets one value of VPA's recommendation for mca. kind is target or uncappedTarget.
// It sets both values if kind is target.
func setRecommendation(f *fixture, kind, name, value string) {
	r := f.vpa.Object["status"].(map[string]any)["recommendation"].(map[string]any)["containerRecommendations"].([]any)[0].(map[string]any)
	r[kind].(map[string]any)[name] = value
	if kind == "target" {
		r["uncappedTarget"].(map[string]any)[name] = value
	}
}

// setClusterAutoscalerStatus returns a change of the fixture: Cluster Autoscaler has the status
// clusterAutoscalerText, with replacement in place of old.
func setClusterAutoscalerStatus(old, replacement string) func(*fixture) {
	return func(f *fixture) {
		f.clusterAutoscaler = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: clusterAutoscalerNamespace, Name: clusterAutoscalerConfigMap}, Data: map[string]string{"status": strings.Replace(clusterAutoscalerText, old, replacement, 1)}}
	}
}

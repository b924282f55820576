package diagnose

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/ops/exitcode"
)

// faults are the seeded faults. Each causes exactly one finding.
var faults = []struct {
	fault, finding, where, evidence, cause string
	seed                                   func(*fixture)
}{
	{"a pod that is throttled in bursts", "pod-throttled", "pod/npa-0/app", "throttled in 40 % of its CPU periods in the last 10m0s; usage 300m, limit 1000m", "within a period of 100 ms", func(f *fixture) {
		f.usage["npa"].Containers[0].Usage[corev1.ResourceCPU] = resource.MustParse("300m")
		f.throttled = vectorResponse(`{"metric":{"pod":"npa-0","container":"app"},"value":[1,"0.4"]}`, `{"metric":{"pod":"npa-gone","container":"app"},"value":[1,"0.9"]}`)
	}},
	{"a throttled pod at its limit", "pod-throttled", "pod/npa-0/app", "throttled in 99 % of its CPU periods in the last 10m0s; usage 1000m, limit 1000m", "within a period of 100 ms", func(f *fixture) {
		f.usage["npa"].Containers[0].Usage[corev1.ResourceCPU] = resource.MustParse("1")
		f.throttled = vectorResponse(`{"metric":{"pod":"npa-0","container":"app"},"value":[1,"0.99"]}`)
	}},
	{"a pod near its CPU limit", "pod-cpu-near-limit", "pod/npa-0/app", "uses 950m of 1 (95 %)", "will be throttled", func(f *fixture) {
		f.usage["npa"].Containers[0].Usage[corev1.ResourceCPU] = resource.MustParse("950m")
	}},
	{"memory near its limit", "pod-memory-near-limit", "pod/npa-0/app", "uses 900Mi of 1Gi (88 %)", "killed soon", func(f *fixture) {
		f.usage["npa"].Containers[0].Usage[corev1.ResourceMemory] = resource.MustParse("900Mi")
	}},
	{"memory of web near its limit", "pod-memory-near-limit", "pod/web-0/app", "uses 840Mi of 1Gi (82 %)", "killed soon", func(f *fixture) {
		f.usage["web"].Containers[0].Usage[corev1.ResourceMemory] = resource.MustParse("840Mi")
	}},
	{"memory of a store near its limit", "pod-memory-near-limit", "pod/redis-cluster-2/redis", "uses 470Mi of 512Mi (92 %)", "killed soon", func(f *fixture) { setRedisMemory(f, "470Mi") }},
	{"a container killed for its memory", "pod-out-of-memory", "pod/mca-0/app", "OOMKilled at 2026-01-31T11:59:00Z, exit code 137, 1 restarts; it said: fake logs", "more memory than its limit", func(f *fixture) {
		setWaiting(f, "CrashLoopBackOff", "back-off")
		setTerminated(f, "OOMKilled", 137, time.Minute)
	}},
	{"a crash loop", "pod-crash-loop", "pod/mca-0/app", "1 restarts, the last at 2026-01-31T11:59:00Z with exit code 2 (Error); it said: fake logs", "ends at its start", func(f *fixture) {
		setWaiting(f, "CrashLoopBackOff", "back-off")
		setTerminated(f, "Error", 2, time.Minute)
	}},
	{"a crash loop between two starts", "pod-crash-loop", "pod/mca-0/app", "4 restarts, the last at 2026-01-31T11:59:00Z with exit code 2 (Error)", "ends at its start", func(f *fixture) {
		setTerminated(f, "Error", 2, time.Minute)
		status := &f.pods["mca"].Status.ContainerStatuses[0]
		status.State, status.RestartCount = status.LastTerminationState, 4
	}},
	{"an init container that ends with an error", "pod-crash-loop", "pod/mca-0/init", "exit code 3 (Error); it said: fake logs", "ends at its start", func(f *fixture) {
		setTerminated(f, "Error", 3, time.Minute)
		status := f.pods["mca"].Status.ContainerStatuses[0]
		status.Name, status.State = "init", corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
		f.pods["mca"].Status.InitContainerStatuses = []corev1.ContainerStatus{status}
		f.pods["mca"].Status.ContainerStatuses[0].LastTerminationState = corev1.ContainerState{}
	}},
	{"frequent restarts", "pod-restarts", "pod/mca-0/app", "7 restarts", "from time to time", func(f *fixture) {
		setTerminated(f, "Error", 1, 10*time.Minute)
		f.pods["mca"].Status.ContainerStatuses[0].RestartCount = 7
	}},
	{"an image that can't be pulled", "image-not-pulled", "pod/mca-0/app", "ImagePullBackOff since 2026-01-31T11:00:00Z: registry/app@sha256:1: not found", "registry does not have the image", func(f *fixture) {
		setWaiting(f, "ImagePullBackOff", "not found")
	}},
	{"a Secret that is gone", "pod-configuration-invalid", "pod/mca-0/app", `secret "db" not found`, "does not exist", func(f *fixture) {
		setWaiting(f, "CreateContainerConfigError", `secret "db" not found`)
	}},
	{"a pod that fits on no node", "pod-unschedulable", "pod/mca-0", "Unschedulable since 2026-01-31T11:50:00Z: 0/3 nodes are available: 3 Insufficient memory", "no node has enough free CPU", func(f *fixture) {
		f.pods["mca"].Status.Phase = corev1.PodPending
		f.pods["mca"].Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, LastTransitionTime: tenMinutesAgo, Reason: "Unschedulable", Message: "0/3 nodes are available: 3 Insufficient memory."}}
	}},
	{"a failing readiness probe", "pod-not-ready", "pod/mca-0", "not ready for 10m0s", "readiness probe", func(f *fixture) {
		f.pods["mca"].Status.Conditions[0] = corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(now.Add(-10 * time.Minute))}
	}},
	{"a rollout that does not end", "rollout-stuck", "deployment/mca", "0 ready since 2026-01-31T11:50:00Z: timed out", "do not become ready", func(f *fixture) {
		f.deployment.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, LastTransitionTime: tenMinutesAgo, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded", Message: "timed out"}}
	}},
	{"a node that is gone", "node-not-ready", "node/node-1", "NodeStatusUnknown since 2026-01-31T11:50:00Z: Kubelet stopped posting", "kubelet", func(f *fixture) {
		f.node.Status.Conditions[0] = corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, LastTransitionTime: tenMinutesAgo, Reason: "NodeStatusUnknown", Message: "Kubelet stopped posting node status."}
	}},
	{"a node without memory", "node-pressure", "node/node-1", "MemoryPressure", "more than they request", func(f *fixture) { f.node.Status.Conditions[1].Status = corev1.ConditionTrue }},
	{"an HPA without its metric", "hpa-metric-missing", "hpa/mca-hpa", "FailedGetExternalMetric since 2026-01-31T11:50:00Z", "KEDA", func(f *fixture) {
		f.hpa.Status.Conditions[0] = autoscalingv2.HorizontalPodAutoscalerCondition{Type: autoscalingv2.ScalingActive, Status: corev1.ConditionFalse, LastTransitionTime: tenMinutesAgo, Reason: "FailedGetExternalMetric"}
	}},
	{"an HPA at its maximum", "hpa-at-maximum", "hpa/mca-hpa", "3 pods since 2026-01-31T11:50:00Z, more are wanted: cpu 140 % of 70 %, agent_coordination_requests_per_second 13 of 10, http_requests_per_second has no value, target 100", "services.NAME.max", func(f *fixture) {
		utilization, target := int32(140), int32(70)
		external := func(name string) autoscalingv2.MetricIdentifier { return autoscalingv2.MetricIdentifier{Name: name} }
		quantity := func(n int64) *resource.Quantity { return resource.NewQuantity(n, resource.DecimalSI) }
		f.hpa.Status.CurrentReplicas = 3
		f.hpa.Status.Conditions[2].Reason, f.hpa.Status.Conditions[2].LastTransitionTime = "TooManyReplicas", tenMinutesAgo
		f.hpa.Spec.Metrics = []autoscalingv2.MetricSpec{
			{Resource: &autoscalingv2.ResourceMetricSource{Name: "cpu", Target: autoscalingv2.MetricTarget{AverageUtilization: &target}}},
			{External: &autoscalingv2.ExternalMetricSource{Metric: external("agent_coordination_requests_per_second"), Target: autoscalingv2.MetricTarget{AverageValue: quantity(10)}}},
			{External: &autoscalingv2.ExternalMetricSource{Metric: external("http_requests_per_second"), Target: autoscalingv2.MetricTarget{AverageValue: quantity(100)}}},
		}
		f.hpa.Status.CurrentMetrics = []autoscalingv2.MetricStatus{
			{External: &autoscalingv2.ExternalMetricStatus{Metric: external("agent_coordination_requests_per_second"), Current: autoscalingv2.MetricValueStatus{AverageValue: quantity(13)}}},
			{Resource: &autoscalingv2.ResourceMetricStatus{Name: "cpu", Current: autoscalingv2.MetricValueStatus{AverageUtilization: &utilization}}},
		}
	}},
	{"a PDB that blocks a drain", "drain-blocked", "poddisruptionbudget/mca", "1 of 1 pods are healthy, and 1 must be", "requires as many healthy pods", func(f *fixture) {
		f.pdb.Status.DisruptionsAllowed, f.pdb.Status.DesiredHealthy = 0, 1
	}},
	{"a slow agent", "agent-slow", "pod/npa-0", "a mean of 450 ms over 1000 requests", "too little CPU", func(f *fixture) { f.metrics["npa-0"] = metricsText(1000, 0, 0.45, 900, 100, 0) }},
	{"an agent that fails 30 %", "requests-failing", "pod/wpa-0", "30.0 % of 1000 requests", "wpa", func(f *fixture) { f.metrics["wpa-0"] = metricsText(1000, 300, 0.05, 900, 100, 0) }},
	{"coordinations that fail", "coordinations-failing", "pod/mca-0", "20 failed and 80 partial of 1000", "npa or wpa", func(f *fixture) {
		f.metrics["mca-0"] += "# TYPE agent_coordination_requests_total counter\nagent_coordination_requests_total{outcome=\"ok\"} 900\n" +
			"agent_coordination_requests_total{outcome=\"failed\"} 20\nagent_coordination_requests_total{outcome=\"partial\"} 80\n"
	}},
	{"an open breaker", "breaker-open", "wpa", "mca reports failing for wpa", "requests of mca to the agent failed", func(f *fixture) { f.agents["wpa"] = "failing" }},
	{"another program at mca's path", "status-unreadable", "", "", "another program", func(f *fixture) { f.agents = nil }},
	{"a cold cache", "cache-cold", "profile in redis", "22 % of 40000 reads", "emptied", func(f *fixture) {
		for _, s := range scaling.Services() {
			f.metrics[s.ShortName+"-0"] = metricsText(1000, 0, 0.05, 225, 775, 0)
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
	{"a slow statement", "slow-query", "postgres statement 42", "a mean of 250 ms over 400 calls", "index is missing", addMetric("postgres-exporter-0", `# TYPE pg_stat_statements_calls_total counter
pg_stat_statements_calls_total{queryid="42",query="SELECT name FROM users WHERE lower(name) = $1"} 400
# TYPE pg_stat_statements_seconds_total counter
pg_stat_statements_seconds_total{queryid="42",query="SELECT name FROM users WHERE lower(name) = $1"} 100
`)},
	{"a missing index", "index-missing", "table public.users", "500 scans of the whole table in the last 10m0s, of 40000 rows each", "no index", func(f *fixture) {
		replaceMetric("postgres-exporter-0", `seq_scan{relname="users",schemaname="public"} 1000`, `seq_scan{relname="users",schemaname="public"} 1500`)(f)
		replaceMetric("postgres-exporter-0", `seq_tup_read{relname="users",schemaname="public"} 4e+07`, `seq_tup_read{relname="users",schemaname="public"} 6e+07`)(f)
	}},
	{"an index that nothing uses", "index-unused", "index idx_users_email", "no scan in 809 days, and 95 MiB", "no statement needs the index", replaceMetric("postgres-exporter-0", `schemaname="public"} 7`, `schemaname="public"} 0`)},
	{"a bloated table", "table-bloated", "table public.users", "50 % of its rows are dead", "autovacuum is too slow", replaceMetric("postgres-exporter-0", `n_dead_tup{relname="users",schemaname="public"} 5000`, `n_dead_tup{relname="users",schemaname="public"} 50000`)},
	{"connections near the limit", "connections-near-limit", "postgres", "172 of 200 connections are open: psql 140, web_a 24", "other clients", addMetric("postgres-exporter-0", "pg_stat_activity_count{datname=\"d\",state=\"idle\",usename=\"psql\"} 140\n")},
	{"a lock that is held", "lock-held", "session 4711", "platform (idle in transaction) has a transaction that is 2m0s old, and blocks 3 sessions, one for 45s", "does not end", addMetric("postgres-exporter-0", `# TYPE pg_blocking_sessions_waiting gauge
pg_blocking_sessions_waiting{pid="4711",usename="platform",state="idle in transaction"} 3
# TYPE pg_blocking_sessions_wait_seconds gauge
pg_blocking_sessions_wait_seconds{pid="4711",usename="platform",state="idle in transaction"} 45
# TYPE pg_blocking_sessions_transaction_seconds gauge
pg_blocking_sessions_transaction_seconds{pid="4711",usename="platform",state="idle in transaction"} 120
`)},
	{"a forgotten transaction", "transaction-idle", "role platform", "open for 5m0s", "forgot its transaction", addMetric("postgres-exporter-0", "# TYPE pg_stat_activity_max_tx_duration gauge\npg_stat_activity_max_tx_duration{state=\"idle in transaction\",usename=\"platform\"} 300\n")},
	{"deadlocks", "database-deadlocks", "postgres", "9 transactions in the last 10m0s", "different orders", replaceMetric("postgres-exporter-0", `deadlocks{datname="d"} 0`, `deadlocks{datname="d"} 9`)},
	{"PostgreSQL that is down", "database-down", "postgres", "can't read", "server is down", func(f *fixture) { f.metrics["postgres-exporter-0"] = "# TYPE pg_up gauge\npg_up 0\n" }},
	{"a Redis node that is gone", "redis-node-down", "statefulset/redis-cluster", "5 of 6 nodes", "has ended", func(f *fixture) { f.redisStatefulSet.Status.ReadyReplicas, f.redis = 5, f.redis[:5] }},
	{"a lost Redis primary", "redis-primary-lost", "pod/redis-cluster-3", "10923 of 16384 slots", "lost its primary", func(f *fixture) {
		replaceMetric("redis-cluster-3", "redis_cluster_state 1", "redis_cluster_state 0")(f)
		replaceMetric("redis-cluster-3", "slots_ok 16384", "slots_ok 10923")(f)
	}},
	{"a replica without its primary", "redis-replica-behind", "pod/redis-cluster-5", "not connected", "primary is down", addMetric("redis-cluster-5", "# TYPE redis_master_link_up gauge\nredis_master_link_up 0\n")},
	{"evictions", "redis-evicting", "statefulset/redis-cluster", "2500 keys were evicted in the last 10m0s", "does not fit", func(f *fixture) {
		replaceMetric("redis-cluster-0", "evicted_keys_total 0", "evicted_keys_total 2500")(f)
	}},
	{"slow commands of Redis", "redis-slow-commands", "pod/redis-cluster-1", "60 slow commands in the last 10m0s, the last of 30 ms", "many keys", replaceMetric("redis-cluster-1", "slowlog_last_id 40", "slowlog_last_id 100")},
	{"a fragmented Redis node", "redis-fragmented", "pod/redis-cluster-2", "1.90 times", "gaps in Redis' memory", replaceMetric("redis-cluster-2", "fragmentation_ratio 1.1", "fragmentation_ratio 1.9")},
	{"a breaker of one pod of mca", "breaker-open", "pod/mca-0 to wpa", "the breaker is open: 2 timeout", "the agent failed", replaceMetric("mca-0", `breaker_state{agent="mca",upstream="wpa"} 0`, `breaker_state{agent="mca",upstream="wpa"} 2`)},
	{"an agent that mca can't reach", "agent-requests-failing", "pod/mca-0 to wpa", "failed: 302 timeout", "can't be reached", replaceMetric("mca-0", `reason="timeout",upstream="wpa"} 2`, `reason="timeout",upstream="wpa"} 302`)},
	{"an agent that is far away", "agent-latency-high", "pod/mca-0 to wpa", "a mean of 140 ms over 1000 responses", "the network between the pods is slow", replaceMetric("mca-0", `sum{agent="mca",upstream="wpa"} 40`, `sum{agent="mca",upstream="wpa"} 140`)},
	{"one slow pod of an agent", "agent-hedged", "pod/mca-0 to wpa", "9.9 % of 1002", "slower than the others", replaceMetric("mca-0", `hedges_total{agent="mca",upstream="wpa"} 40`, `hedges_total{agent="mca",upstream="wpa"} 99`)},
	{"a long queue", "coordination-queue-long", "pod/mca-0", "70 coordinations wait", "more coordinations arrive", replaceMetric("mca-0", `queue_depth{agent="mca"} 3`, `queue_depth{agent="mca"} 70`)},
	{"a request that is too small", "request-too-small", "deployment/mca", "VPA recommends 900m of cpu, the request is 300m", "more than they request", func(f *fixture) { setRecommendation(f, "target", "cpu", "900m") }},
	{"pods that outgrow VPA", "vpa-at-maximum", "vpa/mca-vpa", "need 2048 MiB of memory", "VPA's upper bound", func(f *fixture) { setRecommendation(f, "uncappedTarget", "memory", "2Gi") }},
	{"VPA without a recommendation", "vpa-without-recommendation", "vpa/mca-vpa", "no recommendation for 3h0m0s", "recommender", func(f *fixture) {
		f.vpa.Object["status"].(map[string]any)["conditions"].([]any)[0].(map[string]any)["status"] = "False"
	}},
	{"another version of VPA", "vpa-unreadable", "vpa/mca-vpa", "cannot restore struct from: string", "another version of VPA", func(f *fixture) { f.vpa.Object["spec"] = "x" }},
	{"a group that AWS can't enlarge", "node-group-backoff", "group test-application", "InsufficientInstanceCapacity", "no capacity", setClusterAutoscalerStatus("scaleUp: {status: NoActivity}", "scaleUp: {status: Backoff, backoffInfo: {errorCode: InsufficientInstanceCapacity, errorMessage: none left}}")},
	{"a Cluster Autoscaler that hangs", "node-scaler-silent", "deployment/cluster-autoscaler", "30m0s ago", "its pod", setClusterAutoscalerStatus("2026-01-31T11:59:55Z", "2026-01-31T11:30:00Z")},
	{"nodes that do not become ready", "nodes-unhealthy", "cluster", "Unhealthy: 3 of 3", "stops scaling", setClusterAutoscalerStatus("status: Healthy\n    nodeCounts: {registered: {total: 3", "status: Unhealthy\n    nodeCounts: {registered: {total: 3")},
	{"another Cluster Autoscaler", "node-scaler-unreadable", "configmap/cluster-autoscaler-status", "hello", "another version", setClusterAutoscalerStatus(clusterAutoscalerText, "hello")},
	{"a drain with nowhere to go", "drain-without-target", "node/node-1", "7 pods must leave", "cordoned", func(f *fixture) { f.node.Spec.Unschedulable = true }},
	{"a target that is unhealthy", "target-unhealthy", "target i-1 of web", "Target.FailedHealthChecks", "no ready pod", func(f *fixture) {
		f.cloud.Targets = []Target{{"web", "i-1", "unhealthy", "Target.FailedHealthChecks", "", "arn:web"}, {"web", "i-2", "healthy", "", "", "arn:web"}}
	}},
	{"an instance that AWS can't start", "scaling-activity-failed", "group web", "no capacity", "could not start", func(f *fixture) {
		f.cloud.Activities = []Activity{{"web", "Failed", "Launching a new EC2 instance", "no capacity in us-east-1a", now.Add(-time.Minute)}, {"web", "Failed", "", "", now.Add(-2 * time.Hour)}}
	}},
	{"an instance refresh that failed", "instance-refresh-failed", "group web", "Failed at 50 %", "healthy", func(f *fixture) {
		f.cloud.Refreshes = []Refresh{{"web", "r-1", "Failed", "unhealthy", 50, now.Add(-time.Hour)}}
	}},
	{"a failover of RDS", "database-event", "test-postgres", "failover: Multi-AZ", "RDS reports", func(f *fixture) {
		f.cloud.Events = []Event{{"test-postgres", "Multi-AZ instance failover started.", []string{"failover"}, now.Add(-time.Minute)}, {"test-postgres", "Backup", []string{"backup"}, now}}
	}},
	{"a database with too many sessions", "database-overloaded", "test-postgres", "a mean of 6.5 sessions", "more sessions than processors", func(f *fixture) {
		f.cloud.Waits, f.cloud.CPUs = []Wait{{"test-postgres", "CPU", 2, "db-X"}, {"test-postgres", "IO:DataFileRead", 4.5, "db-X"}}, map[string]int{"test-postgres": 2}
	}},
	{"slow operations of DocumentDB", "slow-operation", "documentdb test-mongo", "4 slow operations in the last 10m0s: query of app.d took 900ms at 2026-01-31T11:59:00Z (COLLSCAN), query of app.b took 300ms at 2026-01-31T11:59:00Z (no plan), query of app.c", "no index", func(f *fixture) {
		operation := func(collection, plan string, took time.Duration) Operation {
			return Operation{"test-mongo", "query", collection, plan, took, now.Add(-time.Minute)}
		}
		f.cloud.Operations = []Operation{operation("app.a", "", 101*time.Millisecond), operation("app.b", "", 300*time.Millisecond), operation("app.c", "IXSCAN", 200*time.Millisecond), operation("app.d", "COLLSCAN", 900*time.Millisecond), operation("app.e", "", 100*time.Millisecond)}
	}},
	{"a failing endpoint", "endpoint-failing", "", "status 503", "a store behind it", respondWith("/api/v1/users/profile", http.StatusServiceUnavailable)},
	{"a response that ends early", "endpoint-failing", "", "an incomplete response: status 200 and 10 bytes, then unexpected EOF", "ended the connection", func(f *fixture) {
		f.serve = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/api/v1/users/profile" {
				w.Header().Set("Content-Length", "100")
				fmt.Fprint(w, "0123456789")
			}
			return r.URL.Path == "/api/v1/users/profile"
		}
	}},
	{"a certificate that is not renewed", "certificate-near-end", "127.0.0.1", "in 9 days", "not renewed", func(f *fixture) {
		f.now = time.Now()
		f.certificate = &certificate{left: 9*24*time.Hour + time.Hour, name: "localhost", trusted: true}
	}},
	{"an expired certificate", "certificate-invalid", "127.0.0.1", "certificate has expired", "has expired", func(f *fixture) {
		f.certificate = &certificate{left: -time.Hour, name: "localhost", trusted: true}
	}},
	{"a certificate for another name", "certificate-invalid", "localhost", "certificate is valid for other.example.com, not localhost", "for other names", func(f *fixture) {
		f.certificate = &certificate{left: 90 * 24 * time.Hour, name: "other.example.com", trusted: true, useName: true}
	}},
	{"a certificate of a foreign authority", "certificate-invalid", "127.0.0.1", "unknown authority", "does not trust", func(f *fixture) {
		f.certificate = &certificate{left: 90 * 24 * time.Hour, name: "localhost"}
	}},
	{"a slow endpoint", "endpoint-slow", "", "first byte 5", "waits for a store", func(f *fixture) {
		f.serve = func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/api/v1/users/profile" {
				time.Sleep(scaling.DesignThresholds().Web.ResponseTime + 10*time.Millisecond)
			}
			return false
		}
	}},
}

// fixes has a part of the expected fix, by the kind of the finding. A fault with a different fix
// than its kind has an entry of its own.
var fixes = map[string]string{
	"agent-hedged":                     "compare its pods",
	"agent-latency-high":               "see agent-slow of the agent; without it, compare the zones",
	"agent-requests-failing":           "alerts.md#agentrequestsslow",
	"agent-slow":                       "see pod-throttled and hpa-at-maximum",
	"breaker-open":                     "repair the agent",
	"cache-cold":                       "raise redis.memoryMiB",
	"cache-failing":                    "wait for the failover",
	"certificate-invalid":              "rotation.md#certificates-that-you-give",
	"certificate-near-end":             "run pulumi up, which creates the record",
	"connections-near-limit":           "end the sessions of other clients",
	"coordination-queue-long":          "alerts.md#queuefull",
	"coordinations-failing":            "see breaker-open, agent-requests-failing and agent-slow",
	"database-deadlocks":               "alerts.md#databasedeadlocks",
	"database-down":                    "alerts.md#databasedown",
	"database-event":                   "restore.md for lost data",
	"database-overloaded":              "use a larger postgres.instanceClass",
	"drain-blocked":                    "use maxUnavailable: 1",
	"drain-without-target":             "raise tiers.NAME.min",
	"endpoint-failing":                 "docs/faults.md has each status",
	"a response that ends early":       "see pod-restarts and pod-out-of-memory",
	"endpoint-slow":                    "alerts.md#responsesslow",
	"hpa-at-maximum":                   "alerts.md#demandabovemaximum",
	"hpa-metric-missing":               "alerts.md#servicenotscraped",
	"image-not-pulled":                 "run pulumi up, which pushes the image",
	"index-missing":                    "add an index in agents/migrate/pgschema/migrations",
	"index-unused":                     "drop the index in a migration",
	"instance-refresh-failed":          "upgrade.md#a-node-does-not-end-or-is-not-drained",
	"lock-held":                        "SELECT pg_terminate_backend(4711)",
	"node-group-backoff":               "add instance types to the tier",
	"node-not-ready":                   "wait until the Auto Scaling group replaces the node",
	"node-pressure":                    "raise the requests of pods",
	"node-scaler-silent":               "read the status and the log of its pod",
	"node-scaler-unreadable":           "compare its image with components/autoscaler",
	"nodes-unhealthy":                  "upgrade.md#a-node-does-not-end-or-is-not-drained",
	"pod-configuration-invalid":        "run pulumi up, which creates the missing object",
	"pod-throttled":                    "a higher limit in components/scaling/services.go",
	"pod-cpu-near-limit":               "more pods (services.NAME.max)",
	"pod-crash-loop":                   "read the last lines of its log",
	"pod-memory-near-limit":            "raise Resources in components/scaling/services.go",
	"memory of a store near its limit": "raise redis.memoryMiB, or find the leak",
	"pod-not-ready":                    "read the probe's message",
	"pod-out-of-memory":                "raise Resources in components/scaling/services.go",
	"pod-restarts":                     "read the log of the ended container",
	"pod-unschedulable":                "raise tiers.NAME.max",
	"redis-evicting":                   "raise redis.memoryMiB",
	"redis-fragmented":                 "alerts.md#redisfragmented",
	"redis-node-down":                  "alerts.md#redisnodesdown",
	"redis-primary-lost":               "wait a few seconds for the failover",
	"redis-replica-behind":             "restart the replica",
	"redis-slow-commands":              "alerts.md#redisslow",
	"request-too-small":                "raise the request in components/scaling/services.go",
	"requests-failing":                 "alerts.md#errorratehigh",
	"rollout-stuck":                    "roll back: docs/runbooks/rollback.md",
	"scaling-activity-failed":          "add instance types or raise the quota",
	"slow-operation":                   "add an index in agents/migrate/mongoindexes",
	"slow-query":                       "see index-missing and lock-held",
	"status-unreadable":                "compare the load balancer's rules",
	"table-bloated":                    "VACUUM (VERBOSE) public.users as the owner",
	"target-unhealthy":                 "see the findings of resources on this node",
	"token-refused":                    "get a new token",
	"transaction-idle":                 "end the session with pg_terminate_backend",
	"vpa-at-maximum":                   "raise the bounds of VPA",
	"vpa-unreadable":                   "compare the CustomResourceDefinition",
	"vpa-without-recommendation":       "check that the pods of VPA run",
}

// TestSeededFaultsAreFoundByName: each fault causes its finding and no other. The test prints the
// table.
func TestSeededFaultsAreFoundByName(t *testing.T) {
	var table bytes.Buffer
	unused := maps.Clone(fixes)
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "seeded fault\tfinding\tevidence")
	for _, row := range faults {
		t.Run(row.fault, func(t *testing.T) {
			f := newHealthyFixture()
			row.seed(f)
			r, actions := f.diagnose(t, Checks)
			// A service has no metrics if its only pod is not ready.
			r.Missing = slices.DeleteFunc(r.Missing, func(m Missing) bool { return m.What == "metrics of mca" })
			require.Empty(t, r.Missing)
			require.Len(t, r.Findings, 1, "%+v", r.Findings)
			found := r.Findings[0]
			require.Equal(t, row.finding, found.Name)
			require.Contains(t, found.Where, row.where)
			require.Contains(t, found.Evidence, row.evidence)
			require.Contains(t, found.Cause, row.cause)
			fix := cmp.Or(fixes[row.fault], fixes[row.finding])
			require.NotEmpty(t, fix)
			require.Contains(t, found.Fix, fix)
			unused[row.fault], unused[row.finding] = "", ""
			require.Equal(t, "https://github.com/progressive-framework/platform/blob/main/docs/runbooks/diagnose.md#"+row.finding, found.Runbook)
			require.Regexp(t, `^(kubectl|aws|curl|openssl|psql|pulumi config|pf watch) `, found.Next)
			out, err := exec.CommandContext(t.Context(), "sh", "-nc", found.Next).CombinedOutput()
			require.NoError(t, err, "%s: %s", found.Next, out)
			for _, action := range actions {
				require.Contains(t, []string{"list", "get"}, action.GetVerb(), "a diagnosis changes nothing")
			}
			fmt.Fprintf(w, "%s\t%s\t%.70s\n", row.fault, found.Name, found.Evidence)
			err = r.write(&bytes.Buffer{}, false, "")
			code, silent := exitcode.FromError(err)
			require.Equal(t, exitcode.Found, code)
			require.True(t, silent)
		})
	}
	for name, fix := range unused {
		require.Empty(t, fix, "%s has no fault", name)
	}
	require.NoError(t, w.Flush())
	t.Logf("%d faults\n%s", len(faults), &table)
}

// TestRunbookHasEachFinding: the runbook has a section for each kind of finding in the sources, and
// no other section. Each section is complete.
func TestRunbookHasEachFinding(t *testing.T) {
	names := map[string]bool{}
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, source := range sources {
		text, err := os.ReadFile(source)
		require.NoError(t, err)
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		for _, match := range regexp.MustCompile(`(?:Name: |f\.Name(?:, f\.\w+)* = |corev1\.Resource\w+, )"([a-z]+(?:-[a-z]+)+)"`).FindAllSubmatch(text, -1) {
			names[string(match[1])] = true
		}
	}
	for _, row := range faults {
		require.True(t, names[row.finding], "%s is found in the sources", row.finding)
	}
	page, err := os.ReadFile("../../docs/runbooks/diagnose.md")
	require.NoError(t, err)
	sections := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^### (.+)$`).FindAllSubmatch(page, -1) {
		sections[string(match[1])] = true
	}
	require.Equal(t, names, sections)
	for _, section := range strings.Split(string(page), "\n### ")[1:] {
		require.Regexp(t, `(?s)^[a-z-]+\n\n[A-Za-z].*\n- Look: .*\n- Fix: .*\n- Verify: `, section, "a section says what the finding means, and how to look, fix and verify")
	}
}

// TestFixesLeadToSections: every page and section that a fix names exists.
func TestFixesLeadToSections(t *testing.T) {
	for _, row := range faults {
		f := newHealthyFixture()
		row.seed(f)
		r, _ := f.diagnose(t, Checks)
		for _, found := range r.Findings {
			for _, link := range regexp.MustCompile(`docs/([\w/.-]+\.md)(?:#([\w-]+))?`).FindAllStringSubmatch(found.Fix, -1) {
				page, err := os.ReadFile("../../docs/" + link[1])
				require.NoError(t, err, found.Fix)
				headings := regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(page), -1)
				require.True(t, link[2] == "" || slices.ContainsFunc(headings, func(heading []string) bool {
					return hasAnchor(heading[1], link[2])
				}), "%s has no heading %s", link[1], link[2])
			}
		}
	}
}

// hasAnchor reports whether GitHub gives a Markdown heading this anchor: the heading in lower case,
// without punctuation, and with hyphens in place of spaces.
func hasAnchor(heading, anchor string) bool {
	words := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(heading), "")
	return words == strings.ReplaceAll(anchor, "-", " ") || strings.ReplaceAll(words, " ", "-") == anchor
}

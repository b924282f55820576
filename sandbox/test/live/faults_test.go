package live

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fault is a fault that the test causes in the platform while npa has load.
type fault struct {
	name string
	// metricsLost is true if autoscalers can't read metrics during the fault. Then no service
	// may lose a pod.
	metricsLost bool
	// inject causes the fault, and undo ends it.
	inject, undo func()
	// hasEffect checks that the fault exists, or that the platform reacts to it.
	hasEffect func() bool
	// effectTimeout is the longest time until hasEffect must return true.
	effectTimeout time.Duration
	// holdFor is how long the fault lasts after hasEffect has returned true. An HPA acts every
	// 15 s.
	holdFor time.Duration
}

// injectFaults injects the faults one after the other while requests are sent. After each
// fault it asserts that no request has failed and no pod was lost.
func injectFaults(t *testing.T, faults []fault, requests *requestCounter, pods *replicaWatch) {
	t.Helper()
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			replicasBefore, sentBefore := pods.replicas(), requests.sentCount()
			pods.forbidScaleDown(f.metricsLost)
			undone := false
			t.Cleanup(func() {
				if !undone {
					f.undo()
				}
			})
			began := time.Now()
			f.inject()
			require.Eventually(t, f.hasEffect, f.effectTimeout, time.Second, "the fault has its effect")
			effectAfter := time.Since(began)
			time.Sleep(f.holdFor)
			f.undo()
			undone = true
			require.Empty(t, requests.failures(), "of %d requests", requests.sentCount()-sentBefore)
			require.Empty(t, pods.describeViolations(), "pods")
			t.Logf("%s: effect after %s, %s in all; %d requests, 0 failed; pods before %v, after %v", f.name,
				effectAfter.Round(time.Second), time.Since(began).Round(time.Second), requests.sentCount()-sentBefore, replicasBefore, pods.replicas())
		})
	}
}

// scalingFaults returns faults of the components that scale npa, of npa's pods, of the node
// and of the database.
func scalingFaults(t *testing.T, requests *requestCounter, token string) []fault {
	t.Helper()
	namespace := stackOutput[string](t, "namespace")
	kubectl := func(args ...string) string { return mustRun(t, "kubectl", args...) }
	kubectlSucceeds := func(args ...string) bool {
		_, err := run(t, "kubectl", append(args, "--request-timeout=3s")...)
		return err == nil
	}
	scale := func(namespace, workload string, replicas int) {
		kubectl("-n", namespace, "scale", workload, "--replicas="+strconv.Itoa(replicas))
	}
	readReplicas := func(service string) int {
		n, err := strconv.Atoi(kubectl("-n", namespace, "get", "deployment", service, "-o", "jsonpath={.spec.replicas}"))
		require.NoError(t, err)
		return n
	}
	haveFallbackReplicas := func(services ...string) bool {
		for _, s := range services {
			fallbackReplicas, err := strconv.Atoi(kubectl("-n", namespace, "get", "scaledobject", s, "-o", "jsonpath={.spec.fallback.replicas}"))
			require.NoError(t, err)
			if readReplicas(s) < fallbackReplicas {
				return false
			}
		}
		return true
	}
	usesFallback := func(service string) bool {
		return kubectl("-n", namespace, "get", "scaledobject", service, "-o", `jsonpath={.status.conditions[?(@.type=="Fallback")].status}`) == "True"
	}
	setMaximum := func(n int) {
		kubectl("-n", namespace, "patch", "scaledobject", "npa", "--type=merge", "-p", fmt.Sprintf(`{"spec":{"maxReplicaCount":%d}}`, n))
	}
	awaitRollout := func() {
		kubectl("-n", namespace, "rollout", "status", "deployment/npa", "--timeout=2m")
	}
	// HPAs read their metrics from metrics-server and from KEDA's adapter. The API server forwards
	// these two paths to them.
	const cpuMetricsPath = "/apis/metrics.k8s.io/v1beta1/nodes"
	demandMetricPath := "/apis/external.metrics.k8s.io/v1beta1/namespaces/" + namespace + "/s1-prometheus?labelSelector=scaledobject.keda.sh%2Fname%3Dnpa"
	prometheusNamespace, kedaNamespace := namespace+"-prometheus", namespace+"-keda"
	var prometheus, adapter, postgres podProcesses
	node := kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
	var stopSlowing context.CancelFunc
	maxConnections := 0

	return []fault{
		{
			name: "Prometheus hangs", metricsLost: true,
			inject: func() { prometheus.freeze(t, prometheusNamespace, "app=prometheus") },
			// KEDA uses the fallback after three failed reads, 15 s apart. Each read waits for
			// the hanging Prometheus, so the limit is 90 s. npa has load and so has enough pods
			// already. The HPA of wpa has no stabilization window for scaling up, so it adds
			// pods immediately.
			hasEffect: func() bool { return usesFallback("wpa") && haveFallbackReplicas("npa", "wpa") }, effectTimeout: 90 * time.Second,
			undo: func() { prometheus.thaw() },
		},
		{
			name: "Prometheus is killed", metricsLost: true,
			inject: func() {
				scale(prometheusNamespace, "statefulset/prometheus", 0)
				kubectl("-n", prometheusNamespace, "delete", "pod", "prometheus-0", "--grace-period=0", "--force", "--ignore-not-found")
			},
			// The HPA of web adds pods after a minute, as in the design document.
			hasEffect: func() bool { return haveFallbackReplicas("npa", "wpa", "mca", "progressive-framework-v5") }, effectTimeout: 2 * time.Minute,
			undo: func() {}, // the next fault starts Prometheus again
		},
		{
			name: "Prometheus starts with an empty disk", metricsLost: true,
			inject: func() {
				kubectl("-n", prometheusNamespace, "delete", "pvc", "-l", "app=prometheus", "--timeout=30s")
				scale(prometheusNamespace, "statefulset/prometheus", 1)
			},
			hasEffect: func() bool {
				_, found := queryPrometheus(t, `nutrition_calculations_per_minute`)
				return found
			},
			effectTimeout: 90 * time.Second, holdFor: 5 * time.Second,
			undo: func() { scale(prometheusNamespace, "statefulset/prometheus", 1) },
		},
		{
			name: "KEDA and metrics-server are lost", metricsLost: true,
			inject: func() {
				scale(kedaNamespace, "deployment/keda-operator", 0)
				scale("kube-system", "deployment/metrics-server", 0)
			},
			hasEffect: func() bool {
				return !kubectlSucceeds("get", "--raw", cpuMetricsPath) && !kubectlSucceeds("get", "--raw", demandMetricPath)
			},
			effectTimeout: 30 * time.Second, holdFor: 30 * time.Second,
			undo: func() {
				scale(kedaNamespace, "deployment/keda-operator", 1)
				scale("kube-system", "deployment/metrics-server", 1)
			},
		},
		{
			name: "KEDA's adapter hangs", metricsLost: true,
			inject:        func() { adapter.freeze(t, kedaNamespace, "app=keda-metrics-apiserver") },
			hasEffect:     func() bool { return !kubectlSucceeds("get", "--raw", demandMetricPath) },
			effectTimeout: 10 * time.Second, holdFor: 20 * time.Second,
			undo: func() { adapter.thaw() },
		},
		{
			name: "a new pod is never ready",
			inject: func() {
				kubectl("-n", namespace, "patch", "deployment", "npa", "-p",
					`{"spec":{"template":{"spec":{"containers":[{"name":"npa","startupProbe":{"httpGet":{"path":"/never"}}}]}}}}`)
			},
			hasEffect: func() bool {
				return kubectl("-n", namespace, "get", "deployment", "npa", "-o", "jsonpath={.status.unavailableReplicas}") != ""
			},
			effectTimeout: 30 * time.Second, holdFor: 15 * time.Second,
			undo: func() { kubectl("-n", namespace, "rollout", "undo", "deployment/npa"); awaitRollout() },
		},
		{
			name: "the node is drained while npa scales up",
			inject: func() {
				setMaximum(2)
				require.Eventually(t, func() bool { return readReplicas("npa") == 2 }, time.Minute, time.Second)
				awaitRollout()
				kubectl("cordon", node) // there is no other node, so a new pod must wait
				drained := make(chan error, 1)
				go func() {
					_, err := run(t, "kubectl", "drain", node, "--pod-selector=app=npa", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=90s")
					drained <- err
				}()
				setMaximum(3)
				time.Sleep(5 * time.Second)
				kubectl("uncordon", node)
				require.NoError(t, <-drained)
			},
			hasEffect: func() bool { return readReplicas("npa") == 3 }, effectTimeout: 30 * time.Second,
			undo: func() {
				kubectl("uncordon", node)
				setMaximum(3)
				awaitRollout()
			},
		},
		{
			name: "PostgreSQL is slow",
			inject: func() {
				postgres.find(t, namespace, "app=postgres")
				var ctx context.Context
				ctx, stopSlowing = context.WithCancel(t.Context())
				go postgres.slowDown(ctx)
				ctx, stop := context.WithTimeout(ctx, 15*time.Second)
				defer stop()
				maxConnections = countMaxConnections(t, func() { storePreferences(ctx, requests, stackOutput[string](t, "url"), token) })
			},
			hasEffect: func() bool { return maxConnections > 0 }, effectTimeout: time.Second,
			undo: func() {
				stopSlowing()
				postgres.thaw()
				limit, err := strconv.Atoi(querySQL(t, `SHOW max_connections`)[0])
				require.NoError(t, err)
				require.LessOrEqual(t, maxConnections, limit*85/100, "connections of all pods")
				t.Logf("at most %d of %d connections were open", maxConnections, limit)
			},
		},
	}
}

// storePreferences sends requests that write to the database, from eight clients at the same
// time, until ctx ends.
func storePreferences(ctx context.Context, requests *requestCounter, platformURL, token string) {
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			client := &http.Client{Timeout: 10 * time.Second}
			for range time.Tick(100 * time.Millisecond) {
				status, body, err := post(ctx, client, platformURL+"/api/v1/users/preferences", token, `{"theme":"dark","notifications":true}`)
				if ctx.Err() != nil {
					return
				}
				requests.count(status, body, err)
			}
		})
	}
	clients.Wait()
}

// countMaxConnections runs do and returns the largest number of connections to PostgreSQL in
// that time.
func countMaxConnections(t *testing.T, do func()) (largest int) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	for {
		for _, count := range querySQL(t, `SELECT count(*) FROM pg_stat_activity WHERE client_addr IS NOT NULL`) {
			open, err := strconv.Atoi(count)
			require.NoError(t, err)
			largest = max(largest, open)
		}
		select {
		case <-done:
			return largest
		case <-time.After(time.Second):
		}
	}
}

// podProcesses are the processes in the containers of some pods. A test pauses the processes
// and lets them continue.
type podProcesses struct{ pids []int }

// find finds the processes of the pods with a label, and stores their process IDs in p.
func (p *podProcesses) find(t *testing.T, namespace, label string) {
	t.Helper()
	p.pids = nil
	containers := strings.Fields(mustRun(t, "kubectl", "-n", namespace, "get", "pods", "-l", label, "-o", "jsonpath={.items[*].status.containerStatuses[*].containerID}"))
	cgroupFiles, err := filepath.Glob("/proc/[0-9]*/cgroup")
	require.NoError(t, err)
	for _, cgroupFile := range cgroupFiles {
		cgroups, _ := os.ReadFile(cgroupFile) // the process may have ended
		for _, c := range containers {
			if strings.Contains(string(cgroups), strings.TrimPrefix(c, "containerd://")) {
				pid, err := strconv.Atoi(filepath.Base(filepath.Dir(cgroupFile)))
				require.NoError(t, err)
				p.pids = append(p.pids, pid)
			}
		}
	}
	require.NotEmpty(t, p.pids, label)
}

// freeze finds the processes of the pods with a label and stops them until thaw.
func (p *podProcesses) freeze(t *testing.T, namespace, label string) {
	t.Helper()
	p.find(t, namespace, label)
	p.signal(syscall.SIGSTOP)
}

func (p *podProcesses) thaw() { p.signal(syscall.SIGCONT) }

// signal sends a signal to the processes. Some of them may have ended since find.
func (p *podProcesses) signal(s syscall.Signal) {
	for _, pid := range p.pids {
		_ = syscall.Kill(pid, s)
	}
}

// slowDown slows the processes down until ctx ends: they run for a fifth of the time. Each
// pause is shorter than any timeout.
func (p *podProcesses) slowDown(ctx context.Context) {
	for ctx.Err() == nil {
		p.signal(syscall.SIGSTOP)
		time.Sleep(200 * time.Millisecond)
		p.thaw()
		time.Sleep(50 * time.Millisecond)
	}
}

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

// fault is something that breaks while npa has load.
type fault struct {
	name string
	// blind says that autoscalers can't read metrics, so that no service may lose a pod.
	blind bool
	// inject breaks it, and undo repairs it.
	inject, undo func()
	// effect becomes true within the limit, and shows that something is broken, or what
	// the platform does about it.
	effect func() bool
	within time.Duration
	// hold is how long it stays broken after that. An HPA acts every 15 s.
	hold time.Duration
}

// during injects the faults one after the other, under the load that runs, and asserts
// after each that no request failed and no pod was lost.
func during(t *testing.T, faults []fault, requests *visits, pods *replicaWatch) {
	t.Helper()
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			before, sent := pods.now(), requests.sent()
			pods.keep(f.blind)
			undone := false
			t.Cleanup(func() {
				if !undone {
					f.undo()
				}
			})
			began := time.Now()
			f.inject()
			require.Eventually(t, f.effect, f.within, time.Second, "the fault has its effect")
			effect := time.Since(began)
			time.Sleep(f.hold)
			f.undo()
			undone = true
			require.Empty(t, requests.failures(), "of %d requests", requests.sent()-sent)
			require.Empty(t, pods.lost(), "pods")
			t.Logf("%s: effect after %s, %s in all; %d requests, 0 failed; pods before %v, after %v", f.name,
				effect.Round(time.Second), time.Since(began).Round(time.Second), requests.sent()-sent, before, pods.now())
		})
	}
}

// scalingFaults are the faults of what scales npa, and of what it scales.
func scalingFaults(t *testing.T, requests *visits, token string) []fault {
	t.Helper()
	namespace := output[string](t, "namespace")
	kubectl := func(args ...string) string { return must(t, "kubectl", args...) }
	works := func(args ...string) bool {
		_, err := run(t, "kubectl", append(args, "--request-timeout=3s")...)
		return err == nil
	}
	scale := func(in, workload string, replicas int) {
		kubectl("-n", in, "scale", workload, "--replicas="+strconv.Itoa(replicas))
	}
	replicas := func(service string) int {
		n, err := strconv.Atoi(kubectl("-n", namespace, "get", "deployment", service, "-o", "jsonpath={.spec.replicas}"))
		require.NoError(t, err)
		return n
	}
	floor := func(services ...string) func() bool {
		return func() bool {
			for _, s := range services {
				least, err := strconv.Atoi(kubectl("-n", namespace, "get", "scaledobject", s, "-o", "jsonpath={.spec.fallback.replicas}"))
				require.NoError(t, err)
				if replicas(s) < least {
					return false
				}
			}
			return true
		}
	}
	fallback := func(service string) bool {
		return kubectl("-n", namespace, "get", "scaledobject", service, "-o", `jsonpath={.status.conditions[?(@.type=="Fallback")].status}`) == "True"
	}
	rolledOut := func() {
		kubectl("-n", namespace, "rollout", "status", "deployment/npa", "--timeout=2m")
	}
	// What HPAs read.
	const cpu = "/apis/metrics.k8s.io/v1beta1/nodes"
	demand := "/apis/external.metrics.k8s.io/v1beta1/namespaces/" + namespace + "/s1-prometheus?labelSelector=scaledobject.keda.sh%2Fname%3Dnpa"
	observers, scaler := namespace+"-prometheus", namespace+"-keda"
	var prometheus, adapter, postgres frozen
	node := kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
	var slow context.CancelFunc
	connections := 0

	return []fault{
		{
			name: "Prometheus hangs", blind: true,
			inject: func() { prometheus.freeze(t, observers, "app=prometheus") },
			// npa has its load's pods, and wpa no window before it adds pods. KEDA says that it
			// answers with the floor.
			effect: func() bool { return fallback("wpa") && floor("npa", "wpa")() }, within: time.Minute,
			undo: func() { prometheus.thaw() },
		},
		{
			name: "Prometheus is killed", blind: true,
			inject: func() {
				scale(observers, "statefulset/prometheus", 0)
				kubectl("-n", observers, "delete", "pod", "prometheus-0", "--grace-period=0", "--force", "--ignore-not-found")
			},
			// Web's HPA waits for a minute before it adds pods, as in the design document.
			effect: floor("npa", "wpa", "mca", "progressive-framework-v5"), within: 2 * time.Minute,
			undo: func() {},
		},
		{
			name: "Prometheus starts with an empty disk", blind: true,
			inject: func() {
				kubectl("-n", observers, "delete", "pvc", "-l", "app=prometheus", "--timeout=30s")
				scale(observers, "statefulset/prometheus", 1)
			},
			effect: func() bool {
				_, found := query(t, `nutrition_calculations_per_minute`)
				return found
			},
			within: 90 * time.Second, hold: 5 * time.Second,
			undo: func() { scale(observers, "statefulset/prometheus", 1) },
		},
		{
			name: "KEDA and metrics-server are lost", blind: true,
			inject: func() {
				scale(scaler, "deployment/keda-operator", 0)
				scale("kube-system", "deployment/metrics-server", 0)
			},
			effect: func() bool { return !works("get", "--raw", cpu) && !works("get", "--raw", demand) },
			within: 30 * time.Second, hold: 30 * time.Second,
			undo: func() {
				scale(scaler, "deployment/keda-operator", 1)
				scale("kube-system", "deployment/metrics-server", 1)
			},
		},
		{
			name: "KEDA's adapter hangs", blind: true,
			inject: func() { adapter.freeze(t, scaler, "app=keda-metrics-apiserver") },
			effect: func() bool { return !works("get", "--raw", demand) },
			within: 10 * time.Second, hold: 20 * time.Second,
			undo: func() { adapter.thaw() },
		},
		{
			name: "a new pod is never ready",
			inject: func() {
				kubectl("-n", namespace, "patch", "deployment", "npa", "-p",
					`{"spec":{"template":{"spec":{"containers":[{"name":"npa","startupProbe":{"httpGet":{"path":"/never"}}}]}}}}`)
			},
			effect: func() bool {
				return kubectl("-n", namespace, "get", "deployment", "npa", "-o", "jsonpath={.status.unavailableReplicas}") != ""
			},
			within: 30 * time.Second, hold: 15 * time.Second,
			undo: func() { kubectl("-n", namespace, "rollout", "undo", "deployment/npa"); rolledOut() },
		},
		{
			name: "the node is drained while npa scales up",
			inject: func() {
				most := func(n int) {
					kubectl("-n", namespace, "patch", "scaledobject", "npa", "--type=merge", "-p", fmt.Sprintf(`{"spec":{"maxReplicaCount":%d}}`, n))
				}
				most(2)
				require.Eventually(t, func() bool { return replicas("npa") == 2 }, time.Minute, time.Second)
				rolledOut()
				kubectl("cordon", node) // and no other node has room
				drained := make(chan error, 1)
				go func() {
					_, err := run(t, "kubectl", "drain", node, "--pod-selector=app=npa", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=90s")
					drained <- err
				}()
				most(3)
				time.Sleep(5 * time.Second)
				kubectl("uncordon", node)
				require.NoError(t, <-drained)
			},
			effect: func() bool { return replicas("npa") == 3 }, within: 30 * time.Second,
			undo: func() {
				kubectl("uncordon", node)
				kubectl("-n", namespace, "patch", "scaledobject", "npa", "--type=merge", "-p", fmt.Sprintf(`{"spec":{"maxReplicaCount":%d}}`, 3))
				rolledOut()
			},
		},
		{
			name: "PostgreSQL is slow",
			inject: func() {
				postgres.find(t, namespace, "app=postgres")
				var ctx context.Context
				ctx, slow = context.WithCancel(t.Context())
				go postgres.slow(ctx)
				ctx, stop := context.WithTimeout(ctx, 15*time.Second)
				defer stop()
				connections = connectionsDuring(t, func() { storePreferences(ctx, requests, output[string](t, "url"), token) })
			},
			effect: func() bool { return connections > 0 }, within: time.Second,
			undo: func() {
				slow()
				postgres.thaw()
				most, err := strconv.Atoi(rows(t, `SHOW max_connections`)[0])
				require.NoError(t, err)
				require.LessOrEqual(t, connections, most*85/100, "connections of all pods")
				t.Logf("at most %d of %d connections were open", connections, most)
			},
		},
	}
}

// storePreferences writes to the database from eight clients at once, until ctx ends.
func storePreferences(ctx context.Context, v *visits, address, token string) {
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			client := &http.Client{Timeout: 10 * time.Second}
			for range time.Tick(100 * time.Millisecond) {
				status, answer, err := post(ctx, client, address+"/api/v1/users/preferences", token, `{"theme":"dark","notifications":true}`)
				if ctx.Err() != nil {
					return
				}
				v.count(status, answer, err)
			}
		})
	}
	clients.Wait()
}

// connectionsDuring returns the largest number of connections to PostgreSQL until do
// returns.
func connectionsDuring(t *testing.T, do func()) (most int) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	for {
		for _, n := range rows(t, `SELECT count(*) FROM pg_stat_activity WHERE client_addr IS NOT NULL`) {
			open, err := strconv.Atoi(n)
			require.NoError(t, err)
			most = max(most, open)
		}
		select {
		case <-done:
			return most
		case <-time.After(time.Second):
		}
	}
}

// frozen are the processes of the containers of pods, which a test stops and continues.
type frozen struct{ pids []int }

// find lists the processes of the pods with a label.
func (f *frozen) find(t *testing.T, namespace, label string) {
	t.Helper()
	f.pids = nil
	containers := strings.Fields(must(t, "kubectl", "-n", namespace, "get", "pods", "-l", label, "-o", "jsonpath={.items[*].status.containerStatuses[*].containerID}"))
	groups, err := filepath.Glob("/proc/[0-9]*/cgroup")
	require.NoError(t, err)
	for _, group := range groups {
		text, _ := os.ReadFile(group) // the process may have ended
		for _, c := range containers {
			if strings.Contains(string(text), strings.TrimPrefix(c, "containerd://")) {
				pid, err := strconv.Atoi(filepath.Base(filepath.Dir(group)))
				require.NoError(t, err)
				f.pids = append(f.pids, pid)
			}
		}
	}
	require.NotEmpty(t, f.pids, label)
}

func (f *frozen) freeze(t *testing.T, namespace, label string) {
	t.Helper()
	f.find(t, namespace, label)
	f.signal(syscall.SIGSTOP)
}

func (f *frozen) thaw() { f.signal(syscall.SIGCONT) }

// signal reaches no process that has ended since find.
func (f *frozen) signal(s syscall.Signal) {
	for _, pid := range f.pids {
		_ = syscall.Kill(pid, s)
	}
}

// slow gives the processes a fifth of the time until ctx ends, in turns that are shorter
// than any timeout.
func (f *frozen) slow(ctx context.Context) {
	for ctx.Err() == nil {
		f.signal(syscall.SIGSTOP)
		time.Sleep(200 * time.Millisecond)
		f.thaw()
		time.Sleep(50 * time.Millisecond)
	}
}

package live

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"
)

// compareCommand is the command of another tool, such as popeye. The command runs while the faults
// exist, so that the findings of the tool can be compared with those of pf diagnose.
var compareCommand = flag.String("compared", "", "a shell command that is run while the faults of TestDiagnoseFindsSeededFaults exist")

// slowFaults adds the faults that take minutes each. Without this flag, make e2e ends sooner.
var slowFaults = flag.Bool("slow-faults", false, "TestDiagnoseFindsSeededFaults also causes the faults of npa, the cache and Redis that take minutes")

// findTimeout is the longest time until pf diagnose must find a fault. The metric of a new HPA
// may be missing for two minutes. A cold cache needs two minutes of load until it is judged.
const findTimeout = 4 * time.Minute

// seededFault is a fault and the finding that pf diagnose must report. finding may have
// alternatives, separated by "|". where and cause are parts of the fields
// Where and Cause of the finding.
type seededFault struct{ fault, check, finding, where, cause string }

// runningFault is a fault of the running platform. Other findings may follow from it, so only one
// such fault exists at a time.
type runningFault struct {
	seededFault
	// inject causes the fault and returns the function that ends it.
	inject func() (undo func())
}

// TestDiagnoseFindsSeededFaults causes faults in the running platform. pf diagnose must find
// each of them. The test prints a table of the findings. Faults that are in separate objects exist
// at the same time. A missing index is not tested, because its finding needs ten minutes of
// Prometheus' history.
func TestDiagnoseFindsSeededFaults(t *testing.T) {
	namespace, tokenFile := stackOutput[string](t, "namespace"), writeTokenFile(t)
	awaitExpiredToken := createExpiringToken(t)
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "seeded fault\tfinding\tevidence")
	defer func() {
		require.NoError(t, w.Flush())
		t.Logf("faults of the running platform\n%s", &table)
	}()
	requireFinding := func(f seededFault) {
		found, exists := awaitFinding(t, tokenFile, f)
		if !exists {
			t.Errorf("%s was not found as %s", f.fault, f.finding)
			return
		}
		if !strings.Contains(found.Cause, f.cause) {
			t.Errorf("the cause of %s is %q, must contain %q", f.fault, found.Cause, f.cause)
		}
		fmt.Fprintf(w, "%s\t%s\t%.90s\n", f.fault, found.Name, found.Evidence)
	}

	for _, f := range append(seedPodFaults(t, namespace), seedScalingFaults(t, namespace)...) {
		requireFinding(f)
	}
	if *compareCommand != "" {
		mustRun(t, "sh", "-c", *compareCommand)
	}
	runningFaults := append(databaseFaults(t, namespace), redisPrimaryFault(t, namespace))
	if *slowFaults {
		runningFaults = slices.Concat(runningFaults, agentFaults(t, namespace, tokenFile), redisFaults(t, namespace))
	}
	for _, f := range runningFaults {
		t.Logf("fault: %s", f.fault)
		func() {
			undo := f.inject()
			defer undo()
			requireFinding(f.seededFault)
		}()
	}

	invalidTokenFile := filepath.Join(t.TempDir(), "wrong")
	require.NoError(t, os.WriteFile(invalidTokenFile, []byte("a.b.c"), 0o600))
	for name, file := range map[string]string{"an invalid token": invalidTokenFile, "an expired token": awaitExpiredToken()} {
		found := diagnose(t, file, "app").Findings
		require.NotEmpty(t, found, name)
		require.Equal(t, "token-refused", found[0].Name, name)
		fmt.Fprintf(w, "%s\t%s\t%s\n", name, found[0].Name, found[0].Evidence)
	}
}

// awaitFinding repeats pf diagnose until it reports the finding of a fault. exists is false if
// findTimeout has passed without the finding.
func awaitFinding(t *testing.T, tokenFile string, f seededFault) (found finding, exists bool) {
	t.Helper()
	names := strings.Split(f.finding, "|")
	for deadline := time.Now().Add(findTimeout); time.Now().Before(deadline); time.Sleep(2 * time.Second) {
		for _, found := range diagnose(t, tokenFile, f.check).Findings {
			if slices.Contains(names, found.Name) && strings.Contains(found.Where, f.where) {
				return found, true
			}
		}
	}
	return found, false
}

// createExpiringToken creates a token that is valid for a second. The returned function waits
// until the services refuse the token, and returns its file. The services accept a token for 30
// seconds after it has expired (JWT_LEEWAY).
func createExpiringToken(t *testing.T) (awaitExpiredToken func() string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "expired")
	require.NoError(t, os.WriteFile(file, []byte(mustRun(t, "go", "run", "./agents/token", "-key", ".sandbox/issuer/key.json", "-ttl", "1s")), 0o600))
	end := time.Now().Add(35 * time.Second)
	return func() string {
		time.Sleep(time.Until(end))
		return file
	}
}

// newFaultSpec returns the spec of a faulty pod. Its image and its security contexts are those of
// the running pod existingPod. change adds the fault.
func newFaultSpec(t *testing.T, namespace, existingPod string, change func(podSpec, container map[string]any)) map[string]any {
	t.Helper()
	var existing struct{ Spec map[string]any }
	require.NoError(t, json.Unmarshal([]byte(mustRun(t, "kubectl", "-n", namespace, "get", "pod", existingPod, "-o", "json")), &existing))
	firstContainer := existing.Spec["containers"].([]any)[0].(map[string]any)
	container := map[string]any{"name": "fault", "image": firstContainer["image"], "securityContext": firstContainer["securityContext"], "resources": map[string]any{
		"requests": map[string]any{"cpu": "10m", "memory": "16Mi"}, "limits": map[string]any{"cpu": "500m", "memory": "64Mi"},
	}}
	spec := map[string]any{"securityContext": existing.Spec["securityContext"], "automountServiceAccountToken": false, "terminationGracePeriodSeconds": 0}
	change(spec, container)
	spec["containers"] = []any{container}
	return spec
}

// applyObject creates an object, and deletes it at the end of the test.
func applyObject(t *testing.T, namespace, kind, name string, object map[string]any) {
	t.Helper()
	encoded, err := json.Marshal(object)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "object.json")
	require.NoError(t, os.WriteFile(file, encoded, 0o600))
	t.Cleanup(func() {
		mustRun(t, "kubectl", "-n", namespace, "delete", kind, name, "--ignore-not-found", "--wait=false")
	})
	mustRun(t, "kubectl", "-n", namespace, "apply", "-f", file)
}

// runInContainer returns a change that runs a script in the container.
func runInContainer(script string) func(_, container map[string]any) {
	return func(_, container map[string]any) { container["command"] = []string{"sh", "-c", script} }
}

// useAllCPU is a change. It gives the container a small CPU limit, and a script that uses all
// of this CPU.
func useAllCPU(_, container map[string]any) {
	runInContainer("while :; do :; done")(nil, container)
	container["resources"] = map[string]any{"requests": map[string]any{"cpu": "10m", "memory": "16Mi"}, "limits": map[string]any{"cpu": "50m", "memory": "64Mi"}}
}

// seedPodFaults creates pods with a fault each, and a PodDisruptionBudget.
func seedPodFaults(t *testing.T, namespace string) []seededFault {
	t.Helper()
	mcaPod := strings.Fields(mustRun(t, "kubectl", "-n", namespace, "get", "pods", "-l", "app=mca", "-o", "jsonpath={.items[*].metadata.name}"))[0]
	const redisPod = "redis-cluster-0" // its image has a shell
	var seeded []seededFault
	for _, f := range []struct {
		name, existingPod string
		change            func(podSpec, container map[string]any)
		seededFault
	}{
		{"fault-crash", redisPod, runInContainer("echo the configuration is wrong; exit 3"), seededFault{"a crash loop", "resources", "pod-crash-loop", "", "at its start"}},
		{"fault-memory", redisPod, runInContainer("sleep 1; tail /dev/zero"), seededFault{"a container killed for its memory", "resources", "pod-out-of-memory", "", "more memory than its limit"}},
		{"fault-place", mcaPod, func(podSpec, _ map[string]any) { podSpec["nodeSelector"] = map[string]any{"no-such-label": "x"} },
			seededFault{"a pod that fits on no node", "resources", "pod-unschedulable", "", "no node has"}},
		{"fault-image", mcaPod, func(_, container map[string]any) {
			repository, _, _ := strings.Cut(container["image"].(string), "@")
			container["image"] = repository + "@sha256:" + strings.Repeat("0", 64)
		}, seededFault{"an image that can't be pulled", "resources", "image-not-pulled", "", "registry does not have"}},
		{"fault-secret", mcaPod, func(_, container map[string]any) {
			container["envFrom"] = []any{map[string]any{"secretRef": map[string]any{"name": "no-such-secret"}}}
		}, seededFault{"a missing Secret", "resources", "pod-configuration-invalid", "", "does not exist"}},
		{"fault-environment", mcaPod, func(_, container map[string]any) {
			container["env"] = []any{map[string]any{"name": "LISTEN_ADDRESS", "value": "nonsense"}}
		}, seededFault{"an invalid environment variable", "resources", "pod-crash-loop", "", "at its start"}},
		// Its finding needs 100 CPU periods, which are ten seconds, and two scrapes of cAdvisor.
		{"fault-cpu", redisPod, useAllCPU, seededFault{"a pod with too little CPU", "resources", "pod-throttled", "", "within a period of 100 ms"}},
	} {
		applyObject(t, namespace, "pod", f.name, map[string]any{
			"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": f.name, "labels": map[string]any{"app": f.name}}, "spec": newFaultSpec(t, namespace, f.existingPod, f.change),
		})
		f.where = "pod/" + f.name
		seeded = append(seeded, f.seededFault)
	}
	mustRun(t, "kubectl", "-n", namespace, "create", "poddisruptionbudget", "fault-budget", "--selector=app=progressive-framework-v5", "--min-available=100%")
	t.Cleanup(func() { mustRun(t, "kubectl", "-n", namespace, "delete", "poddisruptionbudget", "fault-budget") })
	return append(seeded, seededFault{"a PDB that blocks a drain", "scaling", "drain-blocked", "poddisruptionbudget/fault-budget", "requires as many healthy pods"})
}

// seedScalingFaults creates Deployments of one pod, each with an HPA that has a fault. Each HPA has its
// own Deployment, because Kubernetes disables HPAs that select the same pods.
func seedScalingFaults(t *testing.T, namespace string) []seededFault {
	t.Helper()
	var seeded []seededFault
	for _, f := range []struct {
		name   string
		change func(podSpec, container map[string]any)
		metric map[string]any
		seededFault
	}{
		{"fault-metric", runInContainer("sleep 3600"), map[string]any{"type": "External", "external": map[string]any{
			"metric": map[string]any{"name": "no-such-metric"}, "target": map[string]any{"type": "AverageValue", "averageValue": "1"},
		}}, seededFault{"an HPA with a metric that does not exist", "scaling", "hpa-metric-missing", "", "does not respond"}},
		{"fault-maximum", useAllCPU, map[string]any{"type": "Resource", "resource": map[string]any{
			"name": "cpu", "target": map[string]any{"type": "Utilization", "averageUtilization": 1},
		}}, seededFault{"an HPA at its maximum", "scaling", "hpa-at-maximum", "", "more pods"}},
	} {
		labels := map[string]any{"app": f.name}
		applyObject(t, namespace, "deployment", f.name, map[string]any{
			"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": f.name},
			"spec": map[string]any{"replicas": 1, "selector": map[string]any{"matchLabels": labels}, "template": map[string]any{
				"metadata": map[string]any{"labels": labels}, "spec": newFaultSpec(t, namespace, "redis-cluster-0", f.change),
			}},
		})
		applyObject(t, namespace, "hpa", f.name, map[string]any{
			"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": map[string]any{"name": f.name},
			"spec": map[string]any{"minReplicas": 1, "maxReplicas": 1, "metrics": []any{f.metric}, "scaleTargetRef": map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": f.name}},
		})
		f.where = "hpa/" + f.name
		seeded = append(seeded, f.seededFault)
	}
	return seeded
}

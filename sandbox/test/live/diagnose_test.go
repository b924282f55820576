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

// diagnoseFor is the duration of the load during which a healthy platform is diagnosed.
var diagnoseFor = flag.Duration("diagnose-for", time.Minute, "how long a healthy platform under load is diagnosed each 30 s, at most 1h")

// compareCommand is the command of another tool, such as popeye. The test runs the command
// while the faults exist, so that a person can compare its findings with those of pf diagnose.
var compareCommand = flag.String("compared", "", "a shell command that is run while the faults of TestDiagnoseFindsSeededFaults exist")

// finding is a finding in the output of `pf diagnose --json`.
type finding struct{ Check, Name, Where, Evidence, Cause, Fix string }

type diagnosis struct {
	Findings []finding
	Missing  []struct{ Check, What, Reason string }
}

// tokenFile writes a valid token to a file and returns the path of the file.
func tokenFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(must(t, "make", "-s", "token")), 0o600))
	return file
}

// diagnose runs pf diagnose. It ignores the exit code, because the command also fails if it
// finds something.
func diagnose(t *testing.T, token, check string, args ...string) (d diagnosis) {
	t.Helper()
	out, _ := run(t, "pf", append([]string{"diagnose", check, "--stack", "sandbox", "--token-file", token, "--json"}, args...)...)
	require.NoError(t, json.Unmarshal([]byte(out), &d), out)
	return d
}

// awaitFinding repeats pf diagnose until the finding exists, for at most two minutes.
func awaitFinding(t *testing.T, token, check, name, where string) (found finding, exists bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(2 * time.Second) {
		for _, f := range diagnose(t, token, check).Findings {
			if f.Name == name && strings.Contains(f.Where, where) {
				return f, true
			}
		}
	}
	return found, false
}

// objectVersions returns the versions of all objects whose spec or content pf diagnose could
// change. The versions do not change if only the status of an object changes.
func objectVersions(t *testing.T, namespace string) string {
	t.Helper()
	get := func(kinds, version string) string {
		return must(t, "kubectl", "-n", namespace, "get", kinds, "-o", `jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.uid} {.metadata.`+version+`}{"\n"}{end}`)
	}
	// Controllers update the status of the first kinds, and each update changes the resource
	// version. The generation changes only with the spec.
	return get("deployments,statefulsets,poddisruptionbudgets,scaledobjects", "generation") +
		get("services,configmaps,secrets,serviceaccounts,roles,rolebindings,networkpolicies", "resourceVersion")
}

// TestDiagnoseFindsNothingOnAHealthyPlatform requires that pf diagnose can read every part of
// the platform, finds nothing and changes nothing. The log has the duration.
func TestDiagnoseFindsNothingOnAHealthyPlatform(t *testing.T) {
	namespace, token := output[string](t, "namespace"), tokenFile(t)
	before := objectVersions(t, namespace)
	start := time.Now()
	d := diagnose(t, token, "all", "--report", filepath.Join(t.TempDir(), "report.html"))
	t.Logf("diagnose all: %s", time.Since(start).Round(time.Millisecond))
	require.Empty(t, d.Missing)
	require.Empty(t, d.Findings)
	require.Equal(t, before, objectVersions(t, namespace))
	for _, screen := range []string{"redis", "scaling"} {
		out := must(t, "pf", "watch", screen, "--stack", "sandbox", "--interval", "1s", "--count", "2")
		require.NotContains(t, out, "\x1b")
		require.Equal(t, 2, strings.Count(out, " at "), out)
	}
}

// slowMachineFindings are findings that can be true on a healthy platform if the machine has
// no spare CPU.
var slowMachineFindings = []string{"endpoint-slow", "agent-slow", "pod-throttled", "pod-cpu-near-limit", "hpa-at-maximum", "slow-query", "pod-unschedulable", "redis-slow-commands"}

// TestHealthyPlatformUnderLoadHasNoFalseFinding runs pf diagnose every 30 s during a load. It
// must find nothing except the findings of slowMachineFindings.
func TestHealthyPlatformUnderLoadHasNoFalseFinding(t *testing.T) {
	token := tokenFile(t)
	duration := min(*diagnoseFor, time.Hour)
	loadErr := make(chan error, 1)
	go func() {
		_, err := run(t, "pf", "load", "soak", "--stack", "sandbox", "--token-file", token, "--duration", duration.String(), "--rate", "20")
		loadErr <- err
	}()
	counts, diagnoses := map[string]int{}, 0
	for end := time.Now().Add(duration); time.Now().Before(end); time.Sleep(30 * time.Second) {
		diagnoses++
		for _, f := range diagnose(t, token, "all").Findings {
			counts[f.Name]++
			if !slices.Contains(slowMachineFindings, f.Name) {
				t.Errorf("a false finding: %+v", f)
			}
		}
	}
	t.Logf("%d diagnoses in %s of load; findings that a slow machine explains: %v", diagnoses, duration, counts)
	require.NoError(t, <-loadErr)
}

// createFaultPod creates a faulty pod in the platform's namespace. The pod has the image and
// the security settings of the existing pod called template. change adds the fault.
func createFaultPod(t *testing.T, namespace, name, template string, change func(pod, container map[string]any)) {
	t.Helper()
	var existing struct{ Spec map[string]any }
	require.NoError(t, json.Unmarshal([]byte(must(t, "kubectl", "-n", namespace, "get", "pod", template, "-o", "json")), &existing))
	first := existing.Spec["containers"].([]any)[0].(map[string]any)
	container := map[string]any{"name": "fault", "image": first["image"], "securityContext": first["securityContext"], "resources": map[string]any{
		"requests": map[string]any{"cpu": "10m", "memory": "16Mi"}, "limits": map[string]any{"cpu": "500m", "memory": "64Mi"},
	}}
	spec := map[string]any{"securityContext": existing.Spec["securityContext"], "automountServiceAccountToken": false, "terminationGracePeriodSeconds": 0}
	change(spec, container)
	spec["containers"] = []any{container}
	text, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": name, "labels": map[string]any{"app": name}}, "spec": spec})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "pod.json")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	t.Cleanup(func() {
		must(t, "kubectl", "-n", namespace, "delete", "pod", name, "--ignore-not-found", "--wait=false")
	})
	must(t, "kubectl", "-n", namespace, "apply", "-f", file)
}

// TestDiagnoseFindsSeededFaults causes faults in the running platform. pf diagnose must find
// each of them. The test prints a table of the findings. Faults of pods exist at the same
// time, each in a pod of its own. A missing index is not tested, because its finding needs
// ten minutes of Prometheus' history.
func TestDiagnoseFindsSeededFaults(t *testing.T) {
	namespace, token := output[string](t, "namespace"), tokenFile(t)
	mca := strings.Fields(must(t, "kubectl", "-n", namespace, "get", "pods", "-l", "app=mca", "-o", "jsonpath={.items[*].metadata.name}"))[0]
	shell := func(script string) func(_, container map[string]any) {
		return func(_, container map[string]any) { container["command"] = []string{"sh", "-c", script} }
	}
	type fault struct{ fault, check, finding, where, cause string }
	var seeded []fault
	seed := func(f fault) { seeded = append(seeded, f) }

	createFaultPod(t, namespace, "fault-crash", "redis-cluster-0", shell("echo the configuration is wrong; exit 3"))
	seed(fault{"a crash loop", "resources", "pod-crash-loop", "pod/fault-crash", "at its start"})
	createFaultPod(t, namespace, "fault-memory", "redis-cluster-0", shell("sleep 1; tail /dev/zero"))
	seed(fault{"a container killed for its memory", "resources", "pod-out-of-memory", "pod/fault-memory", "more memory than its limit"})
	createFaultPod(t, namespace, "fault-place", mca, func(pod, _ map[string]any) { pod["nodeSelector"] = map[string]any{"no-such-label": "x"} })
	seed(fault{"a pod that fits on no node", "resources", "pod-unschedulable", "pod/fault-place", "no node has"})
	createFaultPod(t, namespace, "fault-image", mca, func(_, container map[string]any) {
		repository, _, _ := strings.Cut(container["image"].(string), "@")
		container["image"] = repository + "@sha256:" + strings.Repeat("0", 64)
	})
	seed(fault{"an image that can't be pulled", "resources", "image-not-pulled", "pod/fault-image", "registry does not have"})
	createFaultPod(t, namespace, "fault-secret", mca, func(_, container map[string]any) {
		container["envFrom"] = []any{map[string]any{"secretRef": map[string]any{"name": "no-such-secret"}}}
	})
	seed(fault{"a missing Secret", "resources", "pod-configuration-invalid", "pod/fault-secret", "does not exist"})
	createFaultPod(t, namespace, "fault-environment", mca, func(_, container map[string]any) {
		container["env"] = []any{map[string]any{"name": "LISTEN_ADDRESS", "value": "nonsense"}}
	})
	seed(fault{"an invalid environment variable", "resources", "pod-crash-loop", "pod/fault-environment", "at its start"})
	createFaultPod(t, namespace, "fault-cpu", "redis-cluster-0", func(_, container map[string]any) {
		container["command"] = []string{"sh", "-c", "while :; do :; done"}
		container["resources"] = map[string]any{"requests": map[string]any{"cpu": "10m", "memory": "16Mi"}, "limits": map[string]any{"cpu": "50m", "memory": "64Mi"}}
	})
	seed(fault{"a pod with too little CPU", "resources", "pod-throttled", "pod/fault-cpu", "within a period of 100 ms"})
	must(t, "kubectl", "-n", namespace, "create", "poddisruptionbudget", "fault-budget", "--selector=app=progressive-framework-v5", "--min-available=100%")
	t.Cleanup(func() { must(t, "kubectl", "-n", namespace, "delete", "poddisruptionbudget", "fault-budget") })
	seed(fault{"a PDB that blocks a drain", "scaling", "drain-blocked", "poddisruptionbudget/fault-budget", "requires as many healthy pods"})

	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "seeded fault\tfinding\tevidence")
	expect := func(f fault) {
		found, exists := awaitFinding(t, token, f.check, f.finding, f.where)
		if !exists {
			t.Errorf("%s was not found as %s", f.fault, f.finding)
			return
		}
		if !strings.Contains(found.Cause, f.cause) {
			t.Errorf("the cause of %s is %q, must contain %q", f.fault, found.Cause, f.cause)
		}
		fmt.Fprintf(w, "%s\t%s\t%.90s\n", f.fault, found.Name, found.Evidence)
	}
	for _, f := range seeded {
		expect(f)
	}
	if *compareCommand != "" {
		must(t, "sh", "-c", *compareCommand)
	}

	// The number of columns differs between runs, so PostgreSQL counts this statement apart
	// from the statement of an earlier run.
	slow := "SELECT pg_sleep(0.15), 'literal of the fault'" + strings.Repeat(", 1", int(time.Now().Unix()%97))
	for range 6 {
		_, err := runSQL(t, slow)
		require.NoError(t, err)
	}
	expect(fault{"a slow statement", "database", "slow-query", "postgres statement", "reads too much"})

	waitForHolder := startSession(t, namespace, "BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(90); COMMIT")
	require.Eventually(t, func() bool {
		return slices.Equal(sqlValues(t, "SELECT count(*) FROM pg_locks WHERE relation = 'users'::regclass AND mode = 'AccessExclusiveLock' AND granted"), []string{"1"})
	}, 30*time.Second, time.Second)
	waitForReader := startSession(t, namespace, "SET statement_timeout = '80s'; SELECT count(*) FROM users")
	expect(fault{"a lock that is held", "database", "lock-held", "postgres session", "does not end"})
	_, _ = runSQL(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK TABLE users%' AND pid <> pg_backend_pid()")
	waitForHolder()
	waitForReader()

	invalidToken := filepath.Join(t.TempDir(), "invalid-token")
	require.NoError(t, os.WriteFile(invalidToken, []byte("a.b.c"), 0o600))
	found := diagnose(t, invalidToken, "app").Findings
	require.NotEmpty(t, found)
	require.Equal(t, "token-refused", found[0].Name)
	fmt.Fprintf(w, "an invalid token\t%s\t%s\n", found[0].Name, found[0].Evidence)

	must(t, "kubectl", "-n", namespace, "delete", "pod", "redis-cluster-5", "--wait=false")
	expect(fault{"a deleted Redis node", "database", "redis-node-down", "statefulset/redis-cluster", "has ended"})
	must(t, "kubectl", "-n", namespace, "wait", "pod", "-l", "app=redis-cluster", "--for=condition=Ready", "--timeout=180s")
	require.NoError(t, w.Flush())
	t.Logf("faults of the running platform\n%s", &table)
}

// startSession runs SQL statements in the background, as the owner of the database. The
// returned function waits until the statements have ended.
func startSession(t *testing.T, namespace, sql string) (wait func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = run(t, "kubectl", "-n", namespace, "exec", "postgres-0", "-c", "postgres", "--", "sh", "-c", `exec psql -h "$SOCKETS" -U "$OWNER" -d "$DATABASE" -AtX -c "$0"`, sql)
	}()
	return func() { <-done }
}

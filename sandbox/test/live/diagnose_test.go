package live

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// diagnoseDuration is the duration of the load during which a healthy platform is diagnosed.
var diagnoseDuration = flag.Duration("diagnose-for", time.Minute, "how long a healthy platform under load is diagnosed each 30 s, at most 1h")

// finding is a finding in the output of `pf diagnose --json`.
type finding struct{ Check, Name, Where, Evidence, Cause, Fix string }

// diagnosis is the output of `pf diagnose --json`.
type diagnosis struct {
	Findings []finding
	Missing  []struct{ Check, What, Reason string }
}

// writeTokenFile writes a valid token to a file and returns the path of the file.
func writeTokenFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(mustRun(t, "make", "-s", "token")), 0o600))
	return file
}

// diagnose runs pf diagnose. It ignores the exit code, because the command also fails if the
// platform has a problem.
func diagnose(t *testing.T, tokenFile, check string, args ...string) (d diagnosis) {
	t.Helper()
	out, _ := run(t, "pf", append([]string{"diagnose", check, "--stack", "sandbox", "--token-file", tokenFile, "--json"}, args...)...)
	require.NoError(t, json.Unmarshal([]byte(out), &d), out)
	return d
}

// readObjectVersions returns the versions of all objects that pf diagnose could change by mistake. The
// versions do not change if only the status of an object changes.
func readObjectVersions(t *testing.T, namespace string) string {
	t.Helper()
	readVersions := func(kinds, version string) string {
		return mustRun(t, "kubectl", "-n", namespace, "get", kinds, "-o", `jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.uid} {.metadata.`+version+`}{"\n"}{end}`)
	}
	// Controllers update the status of the first kinds, and each update changes the resource
	// version. The generation changes only with the spec.
	return readVersions("deployments,statefulsets,poddisruptionbudgets,scaledobjects", "generation") +
		readVersions("services,configmaps,secrets,serviceaccounts,roles,rolebindings,networkpolicies", "resourceVersion")
}

// TestDiagnoseFindsNothingOnAHealthyPlatform requires that pf diagnose can read every part of
// the platform, finds nothing and changes nothing. The log has the duration.
func TestDiagnoseFindsNothingOnAHealthyPlatform(t *testing.T) {
	namespace, tokenFile := stackOutput[string](t, "namespace"), writeTokenFile(t)
	versionsBefore := readObjectVersions(t, namespace)
	start := time.Now()
	d := diagnose(t, tokenFile, "all", "--report", filepath.Join(t.TempDir(), "report.html"))
	t.Logf("diagnose all: %s", time.Since(start).Round(time.Millisecond))
	// In the first ten minutes of a platform, Prometheus has no value of ten minutes ago. So some
	// checks may be missing. In this time pf diagnose also judges the CPU use of the pods' start,
	// so the finding pod-throttled may be true.
	for _, m := range d.Missing {
		require.Contains(t, m.What, "counters of the last", m.Reason)
	}
	for _, f := range d.Findings {
		require.Equal(t, "pod-throttled", f.Name, "%+v", f)
	}
	require.Equal(t, versionsBefore, readObjectVersions(t, namespace))
	for _, screen := range []string{"redis", "scaling"} {
		out := mustRun(t, "pf", "watch", screen, "--stack", "sandbox", "--interval", "1s", "--count", "2")
		require.NotContains(t, out, "\x1b")
		require.Equal(t, 2, strings.Count(out, " at "), out)
	}
}

// slowMachineFindings are findings that can be true on a healthy platform if the machine has
// no spare CPU.
var slowMachineFindings = []string{"endpoint-slow", "agent-slow", "agent-latency-high", "pod-throttled", "pod-cpu-near-limit", "hpa-at-maximum", "slow-query", "pod-unschedulable", "redis-slow-commands"}

// TestHealthyPlatformUnderLoadHasNoFalseFinding runs pf diagnose every 30 s during a load. It
// must find nothing except the findings of slowMachineFindings.
func TestHealthyPlatformUnderLoadHasNoFalseFinding(t *testing.T) {
	tokenFile := writeTokenFile(t)
	duration := min(*diagnoseDuration, time.Hour)
	loadErr := make(chan error, 1)
	go func() {
		_, err := runWithin(t, duration+time.Minute, "pf", "load", "soak", "--stack", "sandbox", "--token-file", tokenFile, "--duration", duration.String(), "--rate", "20")
		loadErr <- err
	}()
	counts, diagnoses := map[string]int{}, 0
	for end := time.Now().Add(duration); time.Now().Before(end); time.Sleep(30 * time.Second) {
		diagnoses++
		for _, f := range diagnose(t, tokenFile, "all").Findings {
			counts[f.Name]++
			if !slices.Contains(slowMachineFindings, f.Name) {
				t.Errorf("a false finding: %+v", f)
			}
		}
	}
	t.Logf("%d diagnoses in %s of load; findings that a slow machine explains: %v", diagnoses, duration, counts)
	require.NoError(t, <-loadErr)
}

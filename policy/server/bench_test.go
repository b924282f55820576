package server

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/ruleset"
)

// BenchmarkPack measures a pack's process in one preview: its CPU time and its peak memory.
// The table has few and all rules, and 314 and 1,000 resources of prod, of which there are
// three copies. In the same run policyx serves the same rules and finds as many violations, and
// emptypack shows what the protocol needs without any rule.
func BenchmarkPack(b *testing.B) {
	folder := b.TempDir()
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-o", folder, "./testdata/ownpack", "./testdata/policyxpack", "./testdata/emptypack")
	raw, err := build.CombinedOutput()
	require.NoError(b, err, string(raw))
	all := len(ruleset.All())
	for _, size := range []struct{ rules, resources int }{{20, 314}, {80, 314}, {all, 314}, {all, 1000}} {
		resources := recorded(b, 3)[:size.resources]
		violations := map[string]int{}
		for _, kind := range []string{"emptypack", "ownpack", "policyxpack"} {
			b.Run(fmt.Sprintf("%s/%d rules/%d resources", kind, size.rules, len(resources)), func(b *testing.B) {
				// The least of all runs: other processes only add to it.
				cpu, peak := time.Hour, math.Inf(1)
				for range b.N {
					p := connect(b, exec.CommandContext(b.Context(), filepath.Join(folder, kind)), "POLICY_RULES_OF_TEST="+strconv.Itoa(size.rules))
					violations[kind], _ = p.replay(b, resources)
					peak = min(peak, peakMemory(b, p.cmd.Process.Pid))
					require.NoError(b, p.cmd.Process.Kill())
					p.cmd.Wait()
					cpu = min(cpu, p.cmd.ProcessState.UserTime()+p.cmd.ProcessState.SystemTime())
				}
				b.ReportMetric(cpu.Seconds(), "cpu-s")
				b.ReportMetric(peak, "peak-MB")
				b.ReportMetric(float64(violations[kind]), "violations")
			})
		}
		if len(violations) == 3 { // all ran: -bench selects some
			require.Equal(b, violations["policyxpack"], violations["ownpack"], "both packs apply the same rules")
		}
	}
}

// peakMemory returns the peak of a running process's resident memory in MiB. The maximum in
// rusage is no measure of it: the kernel also counts the process that started it, from before
// the exec.
func peakMemory(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(b, err)
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(b, found)
	kib, err := strconv.ParseFloat(string(found[1]), 64)
	require.NoError(b, err)
	return kib / 1024
}

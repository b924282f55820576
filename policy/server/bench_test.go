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

// BenchmarkPack measures the CPU time and the peak memory of a policy pack's process in one
// preview. It measures with 20 rules, 80 rules and all rules, and with 314 and 1,000 resources. The
// resources are the first ones of three copies of prod.
//
// It measures three packs: ownpack is the platform's pack, and policyxpack serves the same rules
// by Pulumi's policyx. emptypack has no rule, so it shows what the protocol alone needs.
func BenchmarkPack(b *testing.B) {
	folder := b.TempDir()
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-o", folder, "./testdata/ownpack", "./testdata/policyxpack", "./testdata/emptypack")
	raw, err := build.CombinedOutput()
	require.NoError(b, err, string(raw))
	ruleCount := len(ruleset.All())
	for _, size := range []struct{ rules, resources int }{{20, 314}, {80, 314}, {ruleCount, 314}, {ruleCount, 1000}} {
		resources := readRecording(b, 3)[:size.resources]
		violations := map[string]int{}
		for _, packName := range []string{"emptypack", "ownpack", "policyxpack"} {
			b.Run(fmt.Sprintf("%s/%d rules/%d resources", packName, size.rules, len(resources)), func(b *testing.B) {
				// The smallest values of all runs count, because other processes can only increase
				// them.
				cpu, peak := time.Hour, math.Inf(1)
				for range b.N {
					startedPack := startAndConnect(b, exec.CommandContext(b.Context(), filepath.Join(folder, packName)), "POLICY_RULES_OF_TEST="+strconv.Itoa(size.rules))
					violations[packName], _ = startedPack.replay(b, resources)
					peak = min(peak, peakMemory(b, startedPack.cmd.Process.Pid))
					require.NoError(b, startedPack.cmd.Process.Kill())
					startedPack.cmd.Wait()
					cpu = min(cpu, startedPack.cmd.ProcessState.UserTime()+startedPack.cmd.ProcessState.SystemTime())
				}
				b.ReportMetric(cpu.Seconds(), "cpu-s")
				b.ReportMetric(peak, "peak-MB")
				b.ReportMetric(float64(violations[packName]), "violations")
			})
		}
		if len(violations) == 3 { // all three packs ran; with -bench only some of them may run
			require.Equal(b, violations["policyxpack"], violations["ownpack"], "both packs apply the same rules")
		}
	}
}

// peakMemory returns the peak of a running process's resident memory in MiB. It does not use the
// maximum in rusage, because that value includes the memory of the parent process before the exec.
func peakMemory(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(b, err)
	match := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(b, match)
	kib, err := strconv.ParseFloat(string(match[1]), 64)
	require.NoError(b, err)
	return kib / 1024
}

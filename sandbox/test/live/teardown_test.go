package live

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/localcluster"
	"github.com/progressive-framework/platform/sandbox/process"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// TestKilledProcessesAreRepaired kills every process of the sandbox. The next `make up` must
// start the processes again, and must not change the images.
//
// The test must run after TestRolloutFailsNoRequest, which fails if one request fails. For a
// moment after its start, the kubelet reports its pods as not ready, so requests can fail.
func TestKilledProcessesAreRepaired(t *testing.T) {
	imagesBefore := stackOutput[map[string]string](t, "images")
	for _, c := range requireHealthyComponents(t) {
		require.NoError(t, syscall.Kill(c.PID, syscall.SIGKILL), c.Name)
	}
	runMakeUp(t)
	requireHealthyComponents(t)
	require.Equal(t, imagesBefore, stackOutput[map[string]string](t, "images"))
	TestURLAnswers(t)
}

// TestDownLeavesNoProcessesMountsOrRules requires that `make down` removes the processes, mounts,
// network devices, cgroups and iptables rules that `make up` has created on the machine. The next
// `make up` must continue with the same state.
func TestDownLeavesNoProcessesMountsOrRules(t *testing.T) {
	components := requireHealthyComponents(t)
	var cgroups []string
	for _, entry := range findResidue(t) {
		if cgroup, ok := strings.CutPrefix(entry, "cgroup "); ok {
			cgroups = append(cgroups, cgroup)
		}
	}
	mustRun(t, "make", "down")

	for _, c := range components {
		require.True(t, hasEnded(c.PID), "%s still runs", c.Name)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	for _, residue := range []string{liveLayout.Dir, "/run/netns/cni-", "kubelet"} {
		require.NotContains(t, string(mounts), residue, "mounts")
	}
	require.NotContains(t, mustRun(t, "ip", "-4", "address"), "100.64.0.1/", "devices: the host's end of each pod's link has this address")
	require.NotEmpty(t, cgroups)
	for _, cgroup := range cgroups {
		found, err := filepath.Glob("/sys/fs/cgroup/*/" + filepath.Base(cgroup))
		require.NoError(t, err)
		require.Empty(t, found, "cgroups")
	}
	for _, table := range []string{"filter", "nat", "mangle"} {
		rules := mustRun(t, "iptables-save", "-t", table)
		for _, residue := range []string{"KUBE-", "CNI-"} {
			require.False(t, strings.Contains(rules, residue), "%s in iptables %s:\n%s", residue, table, rules)
		}
	}
	for line := range strings.Lines(mustRun(t, "ps", "-eo", "stat,args")) {
		isAlive := !strings.HasPrefix(line, "Z") // Z: a zombie
		for _, residue := range []string{"containerd-shim", filepath.Join(liveLayout.Bin(), "sandbox")} {
			require.False(t, isAlive && strings.Contains(line, residue), "process: %s", line)
		}
	}
	_, _, err = get(t.Context(), &http.Client{Timeout: time.Second}, "http://127.0.0.1:30080/health")
	require.Error(t, err, "the NodePort is closed")

	runMakeUp(t)
	TestURLAnswers(t)
}

// findResidue returns everything that the live sandbox has created on the machine outside its
// folder.
func findResidue(t *testing.T) []string {
	t.Helper()
	residue, err := localcluster.FindResidue(t.Context(), liveLayout)
	require.NoError(t, err)
	return residue
}

// TestDeadSandboxIsCleanedUp requires that a second sandbox does not start while a process of
// the first one runs. After all of them are killed, the second one must remove the residue of
// the first one.
func TestDeadSandboxIsCleanedUp(t *testing.T) {
	log := progress.New(t.Output(), 0)
	secondLayout, err := layout.Create(t.TempDir(), layout.Settings{Cluster: layout.ClusterLocal, Ports: liveLayout.Ports})
	require.NoError(t, err)
	require.ErrorContains(t, localcluster.Start(t.Context(), secondLayout, log), "run `make down` there")

	for _, entry := range findResidue(t) {
		var pid int
		if matched, _ := fmt.Sscanf(entry, "process %d ", &pid); matched == 1 {
			_ = syscall.Kill(pid, syscall.SIGKILL) // the process may have ended with another one
			require.Eventually(t, func() bool { return hasEnded(pid) }, 10*time.Second, 10*time.Millisecond, entry)
		}
	}
	// Start removes the residue and then checks the ports. The test listens on a port, so that
	// Start ends right after the removal. The port of the killed API server may still be in
	// use for a moment. The last thread of a process closes the sockets, but hasEnded checks only
	// the first thread.
	var portBlocker net.Listener
	require.Eventually(t, func() bool {
		portBlocker, err = net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", liveLayout.Ports.APIServer))
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)
	var inUse *process.PortInUseError
	require.ErrorAs(t, localcluster.Start(t.Context(), secondLayout, log), &inUse)
	require.NoError(t, portBlocker.Close())
	require.Empty(t, findResidue(t))

	runMakeUp(t)
	TestURLAnswers(t)
}

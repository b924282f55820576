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
	before := output[map[string]string](t, "images")
	for _, c := range requireHealthyComponents(t) {
		require.NoError(t, syscall.Kill(c.PID, syscall.SIGKILL), c.Name)
	}
	makeUp(t)
	requireHealthyComponents(t)
	require.Equal(t, before, output[map[string]string](t, "images"))
	TestURLAnswers(t)
}

// TestDownRemovesEverything requires that `make down` removes everything that `make up` has
// created on the machine. The next `make up` must continue with the same state.
func TestDownRemovesEverything(t *testing.T) {
	running := requireHealthyComponents(t)
	var groups []string
	for _, entry := range residue(t) {
		if group, ok := strings.CutPrefix(entry, "cgroup "); ok {
			groups = append(groups, group)
		}
	}
	must(t, "make", "down")

	for _, c := range running {
		require.True(t, hasEnded(c.PID), "%s still runs", c.Name)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	for _, trace := range []string{live.Dir, "/run/netns/cni-", "kubelet"} {
		require.NotContains(t, string(mounts), trace, "mounts")
	}
	require.NotContains(t, must(t, "ip", "-4", "address"), "100.64.0.1/", "devices: the host's end of each pod's link has this address")
	require.NotEmpty(t, groups)
	for _, group := range groups {
		found, err := filepath.Glob("/sys/fs/cgroup/*/" + filepath.Base(group))
		require.NoError(t, err)
		require.Empty(t, found, "cgroups")
	}
	for _, table := range []string{"filter", "nat", "mangle"} {
		rules := must(t, "iptables-save", "-t", table)
		for _, trace := range []string{"KUBE-", "CNI-"} {
			require.False(t, strings.Contains(rules, trace), "%s in iptables %s:\n%s", trace, table, rules)
		}
	}
	for line := range strings.Lines(must(t, "ps", "-eo", "stat,args")) {
		alive := !strings.HasPrefix(line, "Z")
		for _, trace := range []string{"containerd-shim", filepath.Join(live.Bin(), "sandbox")} {
			require.False(t, alive && strings.Contains(line, trace), "process: %s", line)
		}
	}
	_, _, err = get(t.Context(), &http.Client{Timeout: time.Second}, "http://127.0.0.1:30080/health")
	require.Error(t, err, "the NodePort is closed")

	makeUp(t)
	TestURLAnswers(t)
}

// residue returns everything that the live sandbox has created on the machine outside its
// folder.
func residue(t *testing.T) []string {
	t.Helper()
	found, err := localcluster.Residue(t.Context(), live)
	require.NoError(t, err)
	return found
}

// TestDeadSandboxIsCleanedUp requires that a second sandbox does not start while a process of
// the first one runs. After all of them are killed, the second one must remove the residue of
// the first one.
func TestDeadSandboxIsCleanedUp(t *testing.T) {
	log := progress.New(t.Output(), 0)
	next, err := layout.Create(t.TempDir(), layout.Settings{Cluster: layout.ClusterLocal, Ports: live.Ports})
	require.NoError(t, err)
	require.ErrorContains(t, localcluster.Start(t.Context(), next, log), "run `make down` there")

	for _, entry := range residue(t) {
		var pid int
		if n, _ := fmt.Sscanf(entry, "process %d ", &pid); n == 1 {
			_ = syscall.Kill(pid, syscall.SIGKILL) // the process may have ended with another one
			require.Eventually(t, func() bool { return hasEnded(pid) }, 10*time.Second, 10*time.Millisecond, entry)
		}
	}
	// Start removes the residue and then checks the ports. The test listens on a port, so that
	// Start ends right after the removal. The port of the killed API server may still be in
	// use for a moment: the last thread of a process closes the sockets, but hasEnded checks only
	// the first thread.
	var blocker net.Listener
	require.Eventually(t, func() bool {
		blocker, err = net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", live.Ports.APIServer))
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)
	var inUse *process.PortInUseError
	require.ErrorAs(t, localcluster.Start(t.Context(), next, log), &inUse)
	require.NoError(t, blocker.Close())
	require.Empty(t, residue(t))

	makeUp(t)
	TestURLAnswers(t)
}

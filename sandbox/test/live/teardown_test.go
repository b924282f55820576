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

// A kubelet that was killed shows its pods as not ready for a moment when it is
// back, so this comes after the test that counts every request.
//
// Every process of the sandbox is killed at once, as a careless `kill` or the
// kernel does; the next `make up` repairs it and loses nothing.
func TestKilledProcessesAreRepaired(t *testing.T) {
	before := output[map[string]string](t, "images")
	for _, c := range healthy(t) {
		require.NoError(t, syscall.Kill(c.PID, syscall.SIGKILL), c.Name)
	}
	makeUp(t)
	healthy(t)
	require.Equal(t, before, output[map[string]string](t, "images"))
	TestURLAnswers(t)
}

// `make down` takes everything away that `make up` brought, and `make up`
// after it goes on where it was.
func TestDownLeavesNothingBehind(t *testing.T) {
	running := healthy(t)
	var groups []string
	for _, what := range leftovers(t) {
		if group, ok := strings.CutPrefix(what, "cgroup "); ok {
			groups = append(groups, group)
		}
	}
	must(t, "make", "down")

	for _, c := range running {
		require.True(t, ended(c.PID), "%s still runs", c.Name)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	for _, trace := range []string{live.Dir, "/run/netns/cni-", "kubelet"} {
		require.NotContains(t, string(mounts), trace, "mounts")
	}
	require.NotContains(t, must(t, "ip", "link"), "pf-", "devices")
	require.NotEmpty(t, groups)
	for _, group := range groups {
		left, err := filepath.Glob("/sys/fs/cgroup/*/" + filepath.Base(group))
		require.NoError(t, err)
		require.Empty(t, left, "cgroups")
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
	require.Error(t, err, "nobody answers")

	makeUp(t)
	TestURLAnswers(t)
}

// leftovers is what of the live sandbox is in the machine.
func leftovers(t *testing.T) []string {
	t.Helper()
	left, err := localcluster.Residue(t.Context(), live)
	require.NoError(t, err)
	return left
}

// A sandbox that was killed with all that ran in it, and whose folder may be
// gone, does not keep the machine from the next one; one of which anything
// lives does.
func TestADeadSandboxGivesTheMachineBack(t *testing.T) {
	log := progress.New(t.Output(), 0)
	next, err := layout.Create(t.TempDir(), layout.Settings{Cluster: layout.ClusterLocal, Ports: live.Ports})
	require.NoError(t, err)
	require.ErrorContains(t, localcluster.Start(t.Context(), next, log), "run `make down` there")

	for _, what := range leftovers(t) {
		var pid int
		if n, _ := fmt.Sscanf(what, "process %d ", &pid); n == 1 {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended with another
			require.Eventually(t, func() bool { return ended(pid) }, 10*time.Second, 10*time.Millisecond, what)
		}
	}
	// The next one needs not start for that: it is refused for a port.
	// A killed process counts as ended when its first thread is; the last one
	// closes its sockets.
	var taken net.Listener
	require.Eventually(t, func() bool {
		taken, err = net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", live.Ports.APIServer))
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)
	var inUse *process.PortInUseError
	require.ErrorAs(t, localcluster.Start(t.Context(), next, log), &inUse)
	require.NoError(t, taken.Close())
	require.Empty(t, leftovers(t))

	makeUp(t)
	TestURLAnswers(t)
}

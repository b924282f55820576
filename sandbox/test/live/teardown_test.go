package live

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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

package live

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// component is one row of `sandbox status --json`.
type component struct {
	Name    string `json:"name"`
	PID     int    `json:"pid"`
	Healthy bool   `json:"healthy"`
}

func components(t *testing.T) []component {
	t.Helper()
	var s struct {
		Components []component `json:"components"`
	}
	require.NoError(t, json.Unmarshal([]byte(must(t, "sandbox", "status", "--json")), &s))
	require.NotEmpty(t, s.Components)
	return s.Components
}

// Every process of the sandbox is killed at once, as a careless `kill` or the
// kernel does; the next `make up` repairs it and loses nothing.
func TestKilledProcessesAreRepaired(t *testing.T) {
	before := output[map[string]string](t, "images")
	for _, c := range components(t) {
		require.True(t, c.Healthy, "%s before", c.Name)
		require.NoError(t, syscall.Kill(c.PID, syscall.SIGKILL), c.Name)
	}
	makeUp(t)
	for _, c := range components(t) {
		require.True(t, c.Healthy, "%s after", c.Name)
	}
	require.Equal(t, before, output[map[string]string](t, "images"))
	TestURLAnswers(t)
}

// `make down` takes everything away that `make up` brought, and `make up`
// after it goes on where it was.
func TestDownLeavesNothingBehind(t *testing.T) {
	pids := components(t)
	must(t, "make", "down")

	for _, c := range pids {
		require.ErrorIs(t, syscall.Kill(c.PID, 0), syscall.ESRCH, "%s still runs", c.Name)
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
	ps := must(t, "ps", "-eo", "args")
	for _, trace := range []string{"containerd-shim", live.Bin()} {
		require.NotContains(t, ps, trace, "processes")
	}
	_, _, err = get(t.Context(), &http.Client{Timeout: time.Second}, "http://127.0.0.1:30080/health")
	require.Error(t, err, "nobody answers")

	makeUp(t)
	TestURLAnswers(t)
}

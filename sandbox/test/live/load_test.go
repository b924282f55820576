package live

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDesignLoadTest sends every request of the design document's load test to the
// stack's URL, which pf reads from the outputs. With a token each has a real answer,
// without a valid one 401. The load is light, and the test asserts no latency: on a busy
// machine it would say nothing.
func TestDesignLoadTest(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte(must(t, "make", "-s", "token")), 0o600))
	var report struct {
		Refusals, Answers struct {
			Sent  int
			Wrong []string
		}
		Replicas map[string]json.RawMessage
		Load     []struct {
			Name      string
			PerSecond float64
			Failed    map[string]int
		}
	}
	out := must(t, "pf", "load", "--stack", "sandbox", "--token-file", token, "--duration", "10s", "--rate", "30", "--json")
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.Empty(t, report.Refusals.Wrong)
	require.Positive(t, report.Refusals.Sent)
	require.Empty(t, report.Answers.Wrong)
	require.Positive(t, report.Answers.Sent)
	require.NotEmpty(t, report.Load)
	require.Contains(t, report.Replicas, "web", "the stack's outputs lead to its cluster")
	for _, request := range report.Load {
		require.Empty(t, request.Failed, request.Name)
		if request.Name != "between agents" { // none of its answers is cached, so that the short load may complete none
			require.Positive(t, request.PerSecond, request.Name)
		}
	}
}

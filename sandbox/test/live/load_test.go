package live

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDesignLoadTest sends every request of the design document's load test to the stack's
// URL. pf reads the URL from the stack's outputs. With a token each request must have a
// correct response, and without a valid token 401. The load is light. The test asserts no
// latency, because the latency depends on the machine.
func TestDesignLoadTest(t *testing.T) {
	tokenFile := writeTokenFile(t)
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
	out := mustRun(t, "pf", "load", "--stack", "sandbox", "--token-file", tokenFile, "--duration", "10s", "--rate", "30", "--json")
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.Empty(t, report.Refusals.Wrong)
	require.Positive(t, report.Refusals.Sent)
	require.Empty(t, report.Answers.Wrong)
	require.Positive(t, report.Answers.Sent)
	require.NotEmpty(t, report.Load)
	require.Contains(t, report.Replicas, "web", "pf finds the cluster with the stack's outputs")
	for _, request := range report.Load {
		require.Empty(t, request.Failed, request.Name)
		// The responses of "between agents" are not cached, and the short load may complete none.
		if request.Name != "between agents" {
			require.Positive(t, request.PerSecond, request.Name)
		}
	}
}

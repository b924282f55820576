package live

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheDocumentsLoadTest sends every request of the document's load test to
// the stack's url: with a token each has a real answer, without a good one 401.
// The load is light: how long it takes says nothing on a busy machine.
func TestTheDocumentsLoadTest(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "loadtest")
	must(t, "go", "build", "-trimpath", "-o", binary, "./ops/loadtest")
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte(must(t, "make", "-s", "token")), 0o600))
	var report struct {
		Refusals, Answers struct {
			Sent  int
			Wrong []string
		}
		Load []struct {
			Name      string
			PerSecond float64
			Failed    map[string]int
		}
	}
	out := must(t, binary, "-url", output[string](t, "url"), "-token-file", token, "-duration", "10s", "-rate", "30", "-json")
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.Empty(t, report.Refusals.Wrong)
	require.Positive(t, report.Refusals.Sent)
	require.Empty(t, report.Answers.Wrong)
	require.Positive(t, report.Answers.Sent)
	require.NotEmpty(t, report.Load)
	for _, request := range report.Load {
		require.Empty(t, request.Failed, request.Name)
		if request.Name != "between agents" { // whole answers that are not cached; the load's are
			require.Positive(t, request.PerSecond, request.Name)
		}
	}
}

package live

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// On a stack that exists, each rule is decided, and no mandatory one is broken: by the CLI's own
// command and by the pack's.
func TestLiveStackKeepsThePolicies(t *testing.T) {
	must(t, "pulumi", "policy", "analyze", "--stack", "sandbox")
	export := filepath.Join(t.TempDir(), "export.json")
	must(t, "pulumi", "stack", "export", "--stack", "sandbox", "--file", export)
	raw, err := run(t, live.PolicyPack(), "check", "-format", "json", export)
	require.NoError(t, err, raw)
	var report struct {
		Summary struct{ Rules, Holds, Mandatory, Undecided int }
	}
	require.NoError(t, json.Unmarshal([]byte(raw), &report))
	require.Positive(t, report.Summary.Rules)
	require.Positive(t, report.Summary.Holds)
	require.Zero(t, report.Summary.Mandatory)
	require.Zero(t, report.Summary.Undecided)
}

package live

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The Pulumi CLI and the command of the policy pack evaluate the rules on a running stack. No rule may
// be undecided, and no mandatory rule may be violated.
func TestLiveStackKeepsThePolicies(t *testing.T) {
	mustRun(t, "pulumi", "policy", "analyze", "--stack", "sandbox")
	export := filepath.Join(t.TempDir(), "export.json")
	mustRun(t, "pulumi", "stack", "export", "--stack", "sandbox", "--file", export)
	reportJSON, err := run(t, liveLayout.PolicyPack(), "check", "-format", "json", export)
	require.NoError(t, err, reportJSON)
	var report struct {
		Summary struct{ Rules, Holds, Mandatory, Undecided int }
	}
	require.NoError(t, json.Unmarshal([]byte(reportJSON), &report))
	require.Positive(t, report.Summary.Rules)
	require.Positive(t, report.Summary.Holds)
	require.Zero(t, report.Summary.Mandatory)
	require.Zero(t, report.Summary.Undecided)
}

package testplatform

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/testservers"
)

// TestServicesPassTheLoadTest runs the load test against processes of web, mca, npa and
// wpa, with PostgreSQL and Redis. The load test also runs as a process, because agents must
// not import ops.
func TestServicesPassTheLoadTest(t *testing.T) {
	// go test reuses an old result while the files that the test read are unchanged. So the
	// test reads the folders of the programs, which it does not import.
	for _, dir := range []string{"../..", "../../../ops"} {
		require.NoError(t, filepath.WalkDir(dir, func(_ string, _ fs.DirEntry, err error) error { return err }))
	}
	startCtx, cancel := context.WithTimeout(t.Context(), 2*testservers.StartTimeout)
	defer cancel()
	env, err := New(startCtx, "ops/pf")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, env.Close()) })
	platform, err := env.StartPlatform(t.Context())
	require.NoError(t, err)
	token, err := env.Token("test-user-123")
	require.NoError(t, err)
	for _, row := range []struct {
		reason     string
		args       []string
		reportRows int // the number of rows of the load test's report
	}{
		{"the design document's requests", nil, 8},
		{"requests without cache hits", []string{"--only", "agents", "--agents-rate", "15", "--uncached"}, 4},
	} {
		t.Run(row.reason, func(t *testing.T) {
			var out, errs bytes.Buffer
			cmd := exec.CommandContext(t.Context(), env.Executable("pf"),
				append([]string{"load", "--json", "--url", platform.Web.URL, "--duration", "1s", "--rate", "100"}, row.args...)...)
			cmd.Env = []string{"TOKEN=" + token}
			cmd.Stdout, cmd.Stderr = &out, &errs
			require.NoError(t, cmd.Run(), "%s%s", &errs, &out)
			var report struct{ Load []json.RawMessage }
			require.NoError(t, json.Unmarshal(out.Bytes(), &report))
			require.Len(t, report.Load, row.reportRows)
		})
	}
}

package fleet

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

// TestServicesPassTheLoadTest: web, mca, npa and wpa as processes, on
// PostgreSQL and Redis, pass the whole load test. It runs as a program, because
// the services know nothing of ops.
func TestServicesPassTheLoadTest(t *testing.T) {
	// Reading the sources of the programs, which this test does not import, tells
	// go test when its cached result is out of date.
	for _, dir := range []string{"../..", "../../../ops"} {
		require.NoError(t, filepath.WalkDir(dir, func(_ string, _ fs.DirEntry, err error) error { return err }))
	}
	starting, cancel := context.WithTimeout(t.Context(), 2*testservers.StartTimeout)
	defer cancel()
	f, err := New(starting, "ops/loadtest")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	platform, err := f.StartPlatform(t.Context())
	require.NoError(t, err)
	token, err := f.Token("test-user-123")
	require.NoError(t, err)
	for _, row := range []struct {
		reason string
		args   []string
		rows   int
	}{
		{"the document's requests", nil, 8},
		{"requests that no cache has seen", []string{"-only", "agents", "-agents-rate", "15", "-uncached"}, 4},
	} {
		t.Run(row.reason, func(t *testing.T) {
			var out, errs bytes.Buffer
			cmd := exec.CommandContext(t.Context(), f.Executable("loadtest"),
				append([]string{"-json", "-url", platform.Web.URL, "-duration", "1s", "-rate", "100"}, row.args...)...)
			cmd.Env = []string{"TOKEN=" + token}
			cmd.Stdout, cmd.Stderr = &out, &errs
			require.NoError(t, cmd.Run(), "%s%s", &errs, &out)
			var report struct{ Load []json.RawMessage }
			require.NoError(t, json.Unmarshal(out.Bytes(), &report))
			require.Len(t, report.Load, row.rows)
		})
	}
}

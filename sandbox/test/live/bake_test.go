package live

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPromotionJudgesTheRunningPlatform promotes the images of the running sandbox. Prometheus, the
// pods and a real load test are the evidence. The name of this file places the test before the tests
// with faults and high loads, because an alert may fire in these.
func TestPromotionJudgesTheRunningPlatform(t *testing.T) {
	dir := newReleaseClone(t)
	earlierReport := testLoad(t)
	var out string
	var err error
	// In a sandbox that the tests have used before, the alert of TestAlertRefusesAPromotion fires for 15
	// minutes.
	for deadline := time.Now().Add(16 * time.Minute); time.Now().Before(deadline); time.Sleep(time.Minute) {
		runMakeUp(t) // the bake time begins
		out, err = promote(t, dir, earlierReport)
		require.Error(t, err)
		if !strings.Contains(out, "DatabaseDeadlocks") {
			break
		}
	}
	require.Regexp(t, `(?m)^load-test +refused +the test began at .* before the last update`, out)

	report := testLoad(t)
	out, err = promote(t, dir, report, "--commit")
	require.NoError(t, err, out)
	for _, gate := range []string{"signatures", "bake-time", "alarms", "pods", "load-test", "migrations"} {
		require.Regexp(t, `(?m)^`+gate+` +passed`, out)
	}
	file := "Pulumi." + releaseStack + ".yaml"
	require.Equal(t, file, strings.TrimSpace(mustRun(t, "git", "-C", dir, "show", "--format=", "--name-only", "HEAD")))
	release, err := os.ReadFile(filepath.Join(dir, file))
	require.NoError(t, err)
	for image, reference := range stackOutput[map[string]string](t, "images") {
		_, digest, _ := strings.Cut(reference, "@")
		require.Contains(t, string(release), image+": "+digest)
	}

	// The registry has a signed statement of each gate, so a second promotion adds none.
	out, err = promote(t, dir, report)
	require.NoError(t, err, out)
	require.Regexp(t, `(?m)^0 signed statements`, out)
}

package live

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/test/testenv"
)

// releaseStack is a stack that no test deploys. The tests promote the sandbox's images to it.
const releaseStack = "released"

// releaseFile is the file of releaseStack, as far as a promotion reads it.
const releaseFile = `config:
  aws:region: us-east-1
  progressive-framework:environment: released
  progressive-framework:images:
    trustedKeys: [sandbox.pub]
    requiredGates: [signatures, bake-time, alarms, pods, load-test, migrations]
`

// newReleaseClone clones the project, adds releaseStack with the key that signs the sandbox's images,
// and returns the folder of the clone. It also sets the login of the registry for pf.
func newReleaseClone(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "clone")
	mustRun(t, "git", "clone", "--quiet", projectRoot, dir)
	publicKey, err := os.ReadFile(signingKey() + ".pub")
	require.NoError(t, err)
	for file, content := range map[string]string{"sandbox.pub": string(publicKey), "Pulumi." + releaseStack + ".yaml": releaseFile} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600))
	}
	removeStack := []string{"stack", "rm", releaseStack, "--yes", "--preserve-config", "--cwd", dir}
	_, _ = run(t, "pulumi", removeStack...) // of a test that was killed
	mustRun(t, "pulumi", "stack", "init", releaseStack, "--cwd", dir)
	t.Cleanup(func() { mustRun(t, "pulumi", removeStack...) })
	for _, role := range []string{"AUTHOR", "COMMITTER"} {
		t.Setenv("GIT_"+role+"_NAME", "release manager")
		t.Setenv("GIT_"+role+"_EMAIL", "release@example.com")
	}
	mustRun(t, "git", "-C", dir, "add", "sandbox.pub", "Pulumi."+releaseStack+".yaml")
	mustRun(t, "git", "-C", dir, "commit", "--quiet", "--message", "a stack for releases")

	dockerConfig := t.TempDir()
	require.NoError(t, testenv.WriteDockerConfig(liveLayout, dockerConfig))
	t.Setenv("DOCKER_CONFIG", dockerConfig)
	return dir
}

// signingKey returns the file of the key that signs the sandbox's images.
func signingKey() string { return filepath.Join(projectRoot, ".sandbox", "issuer", "signing.pem") }

// promote runs pf promote from the sandbox to releaseStack. releaseStack has no program that could
// be previewed.
func promote(t *testing.T, dir, loadReport string, more ...string) (string, error) {
	t.Helper()
	return run(t, "pf", append([]string{
		"promote", "--cwd", dir, "--from", "sandbox", "--to", releaseStack, "--signing-key", signingKey(),
		"--load-report", loadReport, "--bake", "0s", "--without", "preview,cost",
	}, more...)...)
}

// testLoad runs a short and light load test, and returns the file of its report. On a busy machine it
// tests again, at most twice, until every limit is kept.
func testLoad(t *testing.T) (reportFile string) {
	t.Helper()
	tokenFile := writeTokenFile(t)
	reportFile = filepath.Join(t.TempDir(), "load.json")
	var err error
	for range 3 {
		var out string
		out, err = run(t, "pf", "load", "--stack", "sandbox", "--strict", "--token-file", tokenFile, "--duration", "10s", "--rate", "10", "--json")
		require.NoError(t, os.WriteFile(reportFile, []byte(out), 0o600))
		if err == nil {
			return reportFile
		}
	}
	require.NoError(t, err, "no load test kept every limit")
	return reportFile
}

// TestAlertRefusesAPromotion causes more deadlocks in PostgreSQL than the alert DatabaseDeadlocks
// accepts. As soon as Prometheus fires the alert, no promotion is possible.
func TestAlertRefusesAPromotion(t *testing.T) {
	refusal := regexp.MustCompile(`(?m)^alarms +refused +raised since .*DatabaseDeadlocks \(Prometheus\)`)
	dir := newReleaseClone(t)
	causeDeadlocks(t, 8)
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Second) {
		out, err := promote(t, dir, "none.json")
		require.Error(t, err, "the load report does not exist")
		if refusal.MatchString(out) {
			return
		}
	}
	t.Fatal("the alert refuses no promotion")
}

// causeDeadlocks lets n pairs of sessions wait for each other. PostgreSQL then ends one of each pair.
func causeDeadlocks(t *testing.T, n int) {
	t.Helper()
	var sessions sync.WaitGroup
	for pair := range n {
		one, other := 2*pair, 2*pair+1
		for _, locks := range [][2]int{{one, other}, {other, one}} {
			sessions.Go(func() {
				// One of the two sessions fails.
				_, _ = runSQL(t, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d); SELECT pg_sleep(10); SELECT pg_advisory_xact_lock(%d)", locks[0], locks[1]))
			})
		}
	}
	sessions.Wait()
}

package alertmanager

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const topicARN = "arn:aws:sns:us-east-1:123456789012:alarms"

// Alertmanager's own tool accepts the file, and routes both severities to the topic.
func TestFileIsValid(t *testing.T) {
	text, err := File(topicARN, "us-east-1")
	require.NoError(t, err)
	require.Contains(t, text, topicARN)
	file := filepath.Join(t.TempDir(), configFile)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	runAmtool := func(args ...string) string {
		path, err := exec.LookPath("amtool")
		require.NoError(t, err, "apt-get install prometheus-alertmanager")
		out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	require.Contains(t, runAmtool("check-config", file), "1 receivers")
	for _, severity := range []string{"page", "ticket"} {
		runAmtool("config", "routes", "test", "--config.file="+file, "--verify.receivers=topic", "alertname=CPUHigh", "service=web", "severity="+severity)
	}
}

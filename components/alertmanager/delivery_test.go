package alertmanager

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promrules"
)

// snsMessages is an HTTP handler that acts as SNS: it sends each received message to the
// channel. Its response has only the fields that Alertmanager's SNS client reads.
type snsMessages chan map[string]string

func (m snsMessages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	m <- map[string]string{
		"action": r.Form.Get("Action"), "topic": r.Form.Get("TopicArn"), "message": r.Form.Get("Message"), "signed": r.Header.Get("Authorization"),
	}
	_, _ = w.Write([]byte(`<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>`))
}

// A real Prometheus evaluates the platform's rules. It scrapes no pod, so the alert
// ServiceNotScraped fires for each service. A real Alertmanager with a stack's configuration
// file must send the alerts to the topic. The test acts as SNS. It changes only times, and the
// URL of SNS.
func TestAlertReachesTheTopic(t *testing.T) {
	messages := make(snsMessages, 10)
	sns := httptest.NewServer(messages)
	defer sns.Close()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	dir := t.TempDir()
	writeFile := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, text, 0o600))
		return path
	}

	file, err := File(topicARN, "us-east-1")
	require.NoError(t, err)
	var config object
	require.NoError(t, json.Unmarshal([]byte(file), &config))
	config["route"].(object)["group_wait"] = "1s"
	snsConfig := config["receivers"].([]any)[0].(object)["sns_configs"].([]any)[0].(object)
	snsConfig["api_url"] = sns.URL
	text, err := json.Marshal(config)
	require.NoError(t, err)
	startProgram(t, "prometheus-alertmanager", "--config.file="+writeFile(configFile, text), "--storage.path="+filepath.Join(dir, "alerts"),
		"--web.listen-address="+address, "--cluster.listen-address=")

	rules, err := promrules.File(promrules.Input{Services: scaling.Services(), Namespace: "progressive-framework-prod"})
	require.NoError(t, err)
	require.Contains(t, string(rules), "for: 120s")
	require.Contains(t, string(rules), "interval: 15s")
	rules = []byte(strings.NewReplacer("for: 120s", "for: 0s", "interval: 15s", "interval: 1s").Replace(string(rules)))
	text, err = json.Marshal(object{
		"rule_files": []string{writeFile("rules.yaml", rules)},
		"alerting":   object{"alertmanagers": []object{{"static_configs": []object{{"targets": []string{address}}}}}},
	})
	require.NoError(t, err)
	// Prometheus finds its Alertmanagers only after five seconds. With the short resend delay,
	// Prometheus sends the alerts that fired in these five seconds once more.
	startProgram(t, "prometheus", "--config.file="+writeFile("prometheus.json", text), "--storage.tsdb.path="+filepath.Join(dir, "series"),
		"--web.listen-address=127.0.0.1:0", "--rules.alert.resend-delay=1s")

	for _, service := range []string{"web", "mca", "npa", "wpa"} {
		select {
		case m := <-messages:
			require.Equal(t, "Publish", m["action"])
			require.Equal(t, topicARN, m["topic"])
			require.Contains(t, m["signed"], "us-east-1/sns/aws4_request")
			require.Contains(t, m["message"], "ServiceNotScraped")
			require.Contains(t, m["message"], promrules.Runbook)
		case <-time.After(30 * time.Second):
			require.Fail(t, "no message", "each service must send one; %s is missing", service)
		}
	}
}

// startProgram runs a program until the test ends.
func startProgram(t *testing.T, program string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	require.NoError(t, err, "apt-get install prometheus prometheus-alertmanager")
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true")
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s: %s", program, log.String())
		}
	})
}

package prometheus

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/prometheus/scrape"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
	"github.com/progressive-framework/platform/components/scaling/promrules"
)

type object = map[string]any

// seriesLabels are the labels of each series in one request to the workspace.
type seriesLabels []map[string]string

// receiver acts as the workspace. It decodes requests of Prometheus' remote write protocol 1.0 and
// sends the labels of their series to the channel.
type receiver chan seriesLabels

func (r receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	compressed, err := io.ReadAll(request.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	decompressed, err := snappy.Decode(nil, compressed)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var body prompb.WriteRequest
	if err := body.Unmarshal(decompressed); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var received seriesLabels
	for _, series := range body.Timeseries {
		labels := map[string]string{}
		for _, l := range series.Labels {
			labels[l.Name] = l.Value
		}
		received = append(received, labels)
	}
	select {
	case r <- received:
	default: // the channel is full, because the test no longer reads from it
	}
}

// A real Prometheus with a stack's configuration file scrapes a service and evaluates the
// platform's rules. The test acts as the workspace. The workspace must get the recorded series and
// no scraped series. Debian's release of Prometheus does not sign its requests, so the test in
// sandbox/mirror/prometheus/remotewrite checks the signatures.
func TestOnlyRecordedSeriesReachTheWorkspace(t *testing.T) {
	requests := make(receiver, 1000)
	workspaceServer := httptest.NewServer(requests)
	t.Cleanup(workspaceServer.Close)
	web := scaling.Services()[0]
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "# TYPE http_requests_total counter\nhttp_requests_total{route=\"GET /\",status=\"200\"} 7\n")
	}))
	t.Cleanup(target.Close)

	dir := t.TempDir()
	writeFile := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	ruleInput := promrules.Input{Services: scaling.Services(), Namespace: "app"}
	rules, err := promrules.File(ruleInput)
	require.NoError(t, err)
	require.Contains(t, string(rules), "interval: 15s")
	workspace, err := scrape.ParseWorkspace("arn:aws:aps:eu-west-1:123456789012:workspace/ws-01234567-89ab-cdef-0123-456789abcdef")
	require.NoError(t, err)
	file, err := scrape.New(scaling.Services(), scrape.Targets{Own: "app-prometheus", Platform: "app"}).
		WithRemoteWrite(workspace, "app", promrules.RecordedSeries(ruleInput)).File()
	require.NoError(t, err)
	// The test changes only the targets, which need a cluster, and the intervals and addresses.
	var config object
	require.NoError(t, json.Unmarshal([]byte(file), &config))
	config["rule_files"] = []string{writeFile("rules.yaml", strings.ReplaceAll(string(rules), "interval: 15s", "interval: 1s"))}
	config["remote_write"].([]any)[0].(object)["url"] = workspaceServer.URL
	config["global"] = object{"external_labels": config["global"].(object)["external_labels"]} // Debian's release has no global limits
	delete(config, "runtime")                                                                  // nor this section
	config["scrape_configs"] = []object{{
		"job_name": promquery.Job(web), "scrape_interval": "1s", "scrape_timeout": "1s",
		"static_configs": []object{{"targets": []string{strings.TrimPrefix(target.URL, "http://")}}},
	}}
	configJSON, err := json.Marshal(config)
	require.NoError(t, err)
	// Debian's release 2 needs a flag to replace variables in external labels. Release 3 does not.
	startProgram(t, "prometheus", "--config.file="+writeFile("prometheus.json", string(configJSON)), "--storage.tsdb.path="+filepath.Join(dir, "series"),
		"--web.listen-address=127.0.0.1:0", "--enable-feature=expand-external-labels")

	// This recorded rate needs two scrapes. If scraped series were also sent, the workspace would
	// get them earlier than this series.
	const lastSeries = "objective:requests:rate5m"
	names := map[string]bool{}
	for deadline := time.After(60 * time.Second); !names[lastSeries]; {
		select {
		case received := <-requests:
			for _, labels := range received {
				names[labels["__name__"]] = true
				require.Equal(t, "app", labels["cluster"])
				require.Equal(t, "prometheus-0", labels["__replica__"], "without this label the workspace would keep the samples of both pods")
			}
		case <-deadline:
			require.Fail(t, "no series with the name "+lastSeries, "got %v", names)
		}
	}
	for name := range names {
		require.True(t, slices.Contains(promrules.RecordedSeries(ruleInput), name), "%s is not recorded", name)
	}
}

// startProgram runs a program until the test ends.
func startProgram(t *testing.T, program string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	require.NoError(t, err, "apt-get install prometheus")
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), scrape.PodVariable+"=prometheus-0",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true")
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

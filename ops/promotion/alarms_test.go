package promotion

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// fakeAlarms are the alarms of a source.
type fakeAlarms struct {
	names []string
	err   error
}

func (f fakeAlarms) raised(context.Context, time.Time) ([]string, error) { return f.names, f.err }

func TestAlarmsRefuse(t *testing.T) {
	for why, c := range map[string]struct {
		sources    map[string]alarmSource
		unanswered bool
		want       string
	}{
		"none":                    {map[string]alarmSource{"a": fakeAlarms{}, "b": fakeAlarms{}}, false, ""},
		"one of two sources":      {map[string]alarmSource{"a": fakeAlarms{}, "b": fakeAlarms{names: []string{"CPUHigh"}}}, false, "CPUHigh (b)"},
		"a source without answer": {map[string]alarmSource{"a": fakeAlarms{err: errUnanswered}}, true, "a: no answer"},
		"no source":               {nil, true, "neither Prometheus nor alarms of CloudWatch"},
	} {
		t.Run(why, func(t *testing.T) {
			_, err := checkAlarms(t.Context(), c.sources, time.Now())
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
			require.Equal(t, c.unanswered, errors.Is(err, errUnanswered))
		})
	}
}

func TestAlertsOfPrometheusAreReadThroughTheAPIServer(t *testing.T) {
	status, body := http.StatusOK, `{"status":"success","data":{"result":[{"metric":{"alertname":"ErrorRateHigh"}},{"metric":{"alertname":"CPUHigh"}}]}}`
	var path, query string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, query = r.URL.Path, r.URL.Query().Get("query")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	require.NoError(t, err)
	p := prometheus{client: client, namespace: "pf-prometheus"}
	names, err := p.raised(t.Context(), time.Now().Add(-time.Hour))
	require.NoError(t, err)
	require.Equal(t, []string{"CPUHigh", "ErrorRateHigh"}, names)
	require.Equal(t, "/api/v1/namespaces/pf-prometheus/services/http:prometheus:9090/proxy/api/v1/query", path)
	require.Regexp(t, `max_over_time\(ALERTS\{alertstate="firing"\}\[360[0-9]s\]\)`, query)

	body = `{"status":"error"}`
	_, err = p.raised(t.Context(), time.Now())
	require.ErrorIs(t, err, errUnanswered)
	status = http.StatusServiceUnavailable
	_, err = p.raised(t.Context(), time.Now())
	require.ErrorIs(t, err, errUnanswered)
}

func TestAlarmsOfCloudWatchAreThoseOfTheStack(t *testing.T) {
	answers := map[string]string{
		"describe-alarms": `{"MetricAlarms":[{"AlarmName":"own-cpu"},{"AlarmName":"other"}]}`,
		"describe-alarm-history": `{"AlarmHistoryItems":[
			{"AlarmName":"own-disk","HistorySummary":"Alarm updated from OK to ALARM"},
			{"AlarmName":"own-memory","HistorySummary":"Alarm updated from INSUFFICIENT_DATA to OK"}]}`,
	}
	var commands []string
	c := cloudWatch{region: "eu-central-1", alarms: map[string]bool{"own-cpu": true, "own-disk": true, "own-memory": true}, run: func(_ context.Context, args ...string) ([]byte, error) {
		commands = append(commands, strings.Join(args, " "))
		return []byte(answers[args[1]]), nil
	}}
	names, err := c.raised(t.Context(), time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	require.Equal(t, []string{"own-cpu", "own-disk"}, names)
	require.Equal(t, []string{
		"cloudwatch describe-alarms --state-value ALARM --alarm-types MetricAlarm --region eu-central-1 --output json",
		"cloudwatch describe-alarm-history --history-item-type StateUpdate --start-date 2026-12-01T10:00:00Z --region eu-central-1 --output json",
	}, commands)

	answers["describe-alarms"] = ""
	_, err = c.raised(t.Context(), time.Now())
	require.ErrorIs(t, err, errUnanswered)
}

func TestSourcesOfAlarmsAreInTheState(t *testing.T) {
	found, err := readAlarms([]byte(`{"deployment":{"resources":[
		{"type":"aws:cloudwatch/metricAlarm:MetricAlarm","outputs":{"name":"own-cpu"}},
		{"type":"aws:s3/bucketV2:BucketV2","outputs":{"name":"bucket"}},
		{"type":"progressive:prometheus:Prometheus"}]}}`))
	require.NoError(t, err)
	require.Equal(t, stateAlarms{cloudWatch: map[string]bool{"own-cpu": true}, prometheus: true}, found)
	_, err = readAlarms([]byte(`{`))
	require.Error(t, err)
}

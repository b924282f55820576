package promotion

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/progressive-framework/platform/ops/kubeclient"
)

// fakeAlarms is a source that returns the same alarms or error each time.
type fakeAlarms struct {
	names []string
	err   error
}

func (f fakeAlarms) readRaisedAlarms(context.Context, time.Time) ([]string, error) {
	return f.names, f.err
}

func TestRaisedOrUnknownAlarmsRefuse(t *testing.T) {
	for why, c := range map[string]struct {
		sources    map[string]alarmSource
		noEvidence bool
		want       string
	}{
		"no alarm":                  {map[string]alarmSource{"a": fakeAlarms{}, "b": fakeAlarms{}}, false, ""},
		"an alarm of one source":    {map[string]alarmSource{"a": fakeAlarms{}, "b": fakeAlarms{names: []string{"CPUHigh"}}}, false, "CPUHigh (b)"},
		"a source without evidence": {map[string]alarmSource{"a": fakeAlarms{err: errNoEvidence}}, true, "a: no evidence"},
		"no source":                 {nil, true, "neither Prometheus nor alarms of CloudWatch"},
	} {
		t.Run(why, func(t *testing.T) {
			_, err := checkAlarms(t.Context(), c.sources, time.Now())
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
			require.Equal(t, c.noEvidence, errors.Is(err, errNoEvidence))
		})
	}
}

func TestPrometheusReturnsAlertsSinceATime(t *testing.T) {
	response, failure := `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"alertname":"ErrorRateHigh"},"value":[1,"1"]},{"metric":{"alertname":"CPUHigh"},"value":[1,"1"]}]}}`, error(nil)
	var request string
	ready := corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}
	clients := kubeclient.Clients{
		Kubernetes: fake.NewClientset(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "pf-prometheus", Name: "prometheus-0", Labels: map[string]string{"app": "prometheus"}}, Status: ready}),
		Get: func(_ context.Context, namespace, pod string, port int, path string) ([]byte, error) {
			request = fmt.Sprintf("%s/%s:%d%s", namespace, pod, port, path)
			return []byte(response), failure
		},
	}
	p := prometheus{clients.Prometheus("pf")}
	names, err := p.readRaisedAlarms(t.Context(), time.Now().Add(-time.Hour))
	require.NoError(t, err)
	require.Equal(t, []string{"CPUHigh", "ErrorRateHigh"}, names)
	path, query, _ := strings.Cut(request, "?")
	require.Equal(t, "pf-prometheus/prometheus-0:9090/api/v1/query", path)
	form, err := url.ParseQuery(query)
	require.NoError(t, err)
	require.Regexp(t, `max_over_time\(ALERTS\{alertstate="firing"\}\[360[0-9]s\]\) or ALERTS\{alertstate="firing"\}`, form.Get("query"))

	response = `{"status":"error"}`
	_, err = p.readRaisedAlarms(t.Context(), time.Now())
	require.ErrorIs(t, err, errNoEvidence)
	failure = errors.New("503 Service Unavailable")
	_, err = p.readRaisedAlarms(t.Context(), time.Now())
	require.ErrorIs(t, err, errNoEvidence)
}

func TestCloudWatchReturnsOnlyAlarmsOfTheStack(t *testing.T) {
	responses := map[string]string{
		"describe-alarms": `{"MetricAlarms":[{"AlarmName":"own-cpu"},{"AlarmName":"other"}]}`,
		"describe-alarm-history": `{"AlarmHistoryItems":[
			{"AlarmName":"own-disk","HistorySummary":"Alarm updated from OK to ALARM"},
			{"AlarmName":"own-memory","HistorySummary":"Alarm updated from INSUFFICIENT_DATA to OK"}]}`,
	}
	var commands []string
	c := cloudWatch{region: "eu-central-1", alarms: map[string]bool{"own-cpu": true, "own-disk": true, "own-memory": true}, run: func(_ context.Context, args ...string) ([]byte, error) {
		commands = append(commands, strings.Join(args, " "))
		return []byte(responses[args[1]]), nil
	}}
	names, err := c.readRaisedAlarms(t.Context(), time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	require.Equal(t, []string{"own-cpu", "own-disk"}, names)
	require.Equal(t, []string{
		"cloudwatch describe-alarms --state-value ALARM --alarm-types MetricAlarm --region eu-central-1 --output json",
		"cloudwatch describe-alarm-history --history-item-type StateUpdate --start-date 2026-12-01T10:00:00Z --region eu-central-1 --output json",
	}, commands)

	responses["describe-alarms"] = ""
	_, err = c.readRaisedAlarms(t.Context(), time.Now())
	require.ErrorIs(t, err, errNoEvidence)
}

func TestReadStateAlarmsFindsSourcesInTheState(t *testing.T) {
	found, err := readStateAlarms([]byte(`{"deployment":{"resources":[
		{"type":"aws:cloudwatch/metricAlarm:MetricAlarm","outputs":{"name":"own-cpu"}},
		{"type":"aws:s3/bucketV2:BucketV2","outputs":{"name":"bucket"}},
		{"type":"progressive:prometheus:Prometheus"}]}}`))
	require.NoError(t, err)
	require.Equal(t, stateAlarms{cloudWatch: map[string]bool{"own-cpu": true}, prometheus: true}, found)
	_, err = readStateAlarms([]byte(`{`))
	require.Error(t, err)
}

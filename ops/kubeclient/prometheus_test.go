package kubeclient

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

// newPrometheus returns a client of a Prometheus with one pod. respond returns the response to a path
// below /api/v1/.
func newPrometheus(ready corev1.ConditionStatus, respond func(path string, form url.Values) (string, error)) Prometheus {
	c := Clients{
		Kubernetes: fake.NewClientset(&corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "app-prometheus", Name: "prometheus-0", Labels: map[string]string{"app": "prometheus"}},
			Status:     corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}},
		}),
		Get: func(_ context.Context, namespace, pod string, port int, path string) ([]byte, error) {
			target, err := url.Parse(path)
			if err != nil || namespace+"/"+pod+":"+strconv.Itoa(port) != "app-prometheus/prometheus-0:9090" {
				return nil, fmt.Errorf("another address: %s/%s:%d%s: %w", namespace, pod, port, path, err)
			}
			text, err := respond(strings.TrimPrefix(target.Path, "/api/v1/"), target.Query())
			return []byte(text), err
		},
	}
	return c.Prometheus("app")
}

// successResponse returns a response of Prometheus with a result.
func successResponse(kind, result string) string {
	return fmt.Sprintf(`{"status":"success","data":{"resultType":%q,"result":%s}}`, kind, result)
}

func TestQueryValueReturnsOneSeries(t *testing.T) {
	for _, row := range []struct {
		reason, response string
		err              error
		value            float64
		found            bool
		message          string
	}{
		{"a value", successResponse("vector", `[{"metric":{},"value":[1,"2.5"]}]`), nil, 2.5, true, ""},
		{"no series", successResponse("vector", `[]`), nil, 0, false, ""},
		{"two series", successResponse("vector", `[{"metric":{"a":"1"},"value":[1,"2"]},{"metric":{"a":"2"},"value":[1,"2"]}]`), nil, 0, false, `query "up" of Prometheus has 2 series: must have one`},
		{"a scalar", successResponse("scalar", `[1,"2"]`), nil, 0, false, "the response is a scalar, must be a vector"},
		{"a wrong query", "", &StatusError{Code: http.StatusBadRequest, Body: []byte(`{"status":"error","errorType":"bad_data","error":"parse error"}`)}, 0, false, "query of Prometheus: bad_data: parse error"},
		{"Prometheus is starting", "", &StatusError{Code: http.StatusServiceUnavailable}, 0, false, "server error: 503"},
		{"no JSON", "hello", nil, 0, false, "query of Prometheus: bad_response"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			p := newPrometheus(corev1.ConditionTrue, func(path string, form url.Values) (string, error) {
				require.Equal(t, "query", path)
				require.Equal(t, url.Values{"query": {"up"}, "timeout": {"4s"}}, form, "the current time by Prometheus' clock")
				return row.response, row.err
			})
			value, found, err := p.QueryValue(t.Context(), "up", time.Time{})
			require.InDelta(t, row.value, value, 0)
			require.Equal(t, row.found, found)
			if row.message == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.message)
		})
	}
}

// Prometheus refuses more than 11,000 points, so a long range needs several queries.
func TestLongSeriesAreSeveralQueries(t *testing.T) {
	queries := 0
	first := time.Unix(1_800_000_000, 0)
	last := first.Add(25_000 * 15 * time.Second)
	p := newPrometheus(corev1.ConditionTrue, func(path string, form url.Values) (string, error) {
		require.Equal(t, "query_range", path)
		var begin, end int64
		_, err := fmt.Sscan(form.Get("start")+" "+form.Get("end"), &begin, &end)
		require.NoError(t, err)
		require.LessOrEqual(t, (end-begin)/15, int64(11_000))
		queries++
		return successResponse("matrix", fmt.Sprintf(`[{"metric":{},"values":[[%d,"1"],[%d,"2"]]}]`, begin, end)), nil
	})
	values, err := p.QuerySeries(t.Context(), "up", first, last, 15*time.Second)
	require.NoError(t, err)
	require.Equal(t, 3, queries)
	require.Len(t, values, 6)
	require.InDelta(t, 1, values[first.Unix()], 0)
	require.InDelta(t, 2, values[last.Unix()], 0)
}

func TestPrometheusThatIsNotReadyIsAnError(t *testing.T) {
	_, err := newPrometheus(corev1.ConditionFalse, nil).QueryVector(t.Context(), "up", time.Time{})
	require.ErrorContains(t, err, "no pod of Prometheus is ready in app-prometheus")
	require.NotErrorIs(t, err, ErrNoPrometheus)
}

// TestPlatformWithoutPrometheusHasItsOwnError: a stack without podScaling does not even have the
// namespace.
func TestPlatformWithoutPrometheusHasItsOwnError(t *testing.T) {
	_, err := Clients{Kubernetes: fake.NewClientset()}.Prometheus("app").QueryVector(t.Context(), "up", time.Time{})
	require.ErrorIs(t, err, ErrNoPrometheus)
	require.ErrorContains(t, err, "the platform has no pod of Prometheus in app-prometheus")
}

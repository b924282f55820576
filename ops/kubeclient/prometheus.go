package kubeclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	prometheusapi "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// prometheusPort is the port of Prometheus' HTTP API in its pods.
	prometheusPort = 9090
	// queryTimeout ends a query in Prometheus before requestTimeout ends its port-forward, so that
	// the error of Prometheus arrives.
	queryTimeout = requestTimeout - time.Second
	// maxPoints limits the points of one range query. Prometheus refuses more than 11,000
	// (prometheus/prometheus, web/api/v1/api.go).
	maxPoints = 10_000
)

// PrometheusNamespace returns the namespace of Prometheus and of the forecaster. platform is the
// namespace of the services.
func PrometheusNamespace(platform string) string { return platform + "-prometheus" }

// ErrNoPrometheus is the cause of an error if the platform has no pod of Prometheus at all, ready or
// not. A stack without podScaling has none.
var ErrNoPrometheus = errors.New("the platform has no pod of Prometheus")

// Prometheus queries the Prometheus of a platform. Each request goes through a port-forward to a
// ready pod. The user needs the permissions to list pods and to open a port-forward.
type Prometheus struct{ api prometheusapi.API }

// Prometheus returns a client for the Prometheus of a platform. platform is the namespace of the
// services.
func (c Clients) Prometheus(platform string) Prometheus {
	return Prometheus{prometheusapi.NewAPI(prometheusPod{c, PrometheusNamespace(platform)})}
}

// QueryVector evaluates an expression at a point in time. If the parameter at is zero, this is the
// current time of Prometheus.
func (p Prometheus) QueryVector(ctx context.Context, expression string, at time.Time) (model.Vector, error) {
	value, _, err := p.api.Query(ctx, expression, at, prometheusapi.WithTimeout(queryTimeout))
	if err != nil {
		return nil, fmt.Errorf("query of Prometheus: %w", err)
	}
	vector, ok := value.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("query %q of Prometheus: the response is a %s, must be a vector", expression, value.Type())
	}
	return vector, nil
}

// QueryValue evaluates an expression that has at most one series, at a point in time. If the
// parameter at is zero, this is the current time of Prometheus. found is false if there is no series.
func (p Prometheus) QueryValue(ctx context.Context, expression string, at time.Time) (value float64, found bool, err error) {
	vector, err := p.QueryVector(ctx, expression, at)
	switch {
	case err != nil || len(vector) == 0:
		return 0, false, err
	case len(vector) > 1:
		return 0, false, tooManySeriesError(expression, len(vector))
	}
	return float64(vector[0].Value), true, nil
}

// QuerySeries evaluates an expression that has at most one series, at each step from first to last.
// It returns the values by their Unix time, without the steps that have no value.
func (p Prometheus) QuerySeries(ctx context.Context, expression string, first, last time.Time, step time.Duration) (map[int64]float64, error) {
	values := map[int64]float64{}
	for ; !first.After(last); first = first.Add(maxPoints * step) {
		end := first.Add((maxPoints - 1) * step)
		if end.After(last) {
			end = last
		}
		value, _, err := p.api.QueryRange(ctx, expression, prometheusapi.Range{Start: first, End: end, Step: step}, prometheusapi.WithTimeout(queryTimeout))
		if err != nil {
			return nil, fmt.Errorf("query of Prometheus: %w", err)
		}
		matrix, _ := value.(model.Matrix) // the result of a range query is always a matrix
		if len(matrix) > 1 {
			return nil, tooManySeriesError(expression, len(matrix))
		}
		for _, series := range matrix {
			for _, point := range series.Values {
				values[point.Timestamp.Unix()] = float64(point.Value)
			}
		}
	}
	return values, nil
}

// tooManySeriesError returns the error for an expression with n series.
func tooManySeriesError(expression string, n int) error {
	return fmt.Errorf("query %q of Prometheus has %d series: must have one", expression, n)
}

// prometheusPod implements the transport of Prometheus' client (api.Client).
type prometheusPod struct {
	Clients
	namespace string
}

// URL returns the path of an endpoint. The paths of queries have no arguments.
func (prometheusPod) URL(path string, _ map[string]string) *url.URL { return &url.URL{Path: path} }

// Do sends a GET. It responds to a POST with the status 405, because a PodGet has no body. The client
// of Prometheus then sends a GET instead.
func (p prometheusPod) Do(ctx context.Context, request *http.Request) (*http.Response, []byte, error) {
	if request.Method != http.MethodGet {
		return &http.Response{StatusCode: http.StatusMethodNotAllowed}, nil, nil
	}
	pods, err := p.Kubernetes.CoreV1().Pods(p.namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=prometheus"})
	if err != nil {
		return nil, nil, fmt.Errorf("pods of Prometheus in %s: %w", p.namespace, err)
	}
	if len(pods.Items) == 0 {
		return nil, nil, fmt.Errorf("%w in %s", ErrNoPrometheus, p.namespace)
	}
	i := slices.IndexFunc(pods.Items, IsReady)
	if i < 0 {
		return nil, nil, fmt.Errorf("no pod of Prometheus is ready in %s", p.namespace)
	}
	body, err := p.Get(ctx, p.namespace, pods.Items[i].Name, prometheusPort, request.URL.RequestURI())
	if status := (*StatusError)(nil); errors.As(err, &status) {
		return &http.Response{StatusCode: status.Code}, status.Body, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return &http.Response{StatusCode: http.StatusOK}, body, nil
}

// IsReady reports whether a pod is ready.
func IsReady(p corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

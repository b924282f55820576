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
	// maxPoints bounds the points of one range query. Prometheus refuses more than 11,000
	// (prometheus/prometheus, web/api/v1/api.go).
	maxPoints = 10_000
)

// ObserverNamespace is the namespace of Prometheus and of the forecaster, by the namespace of the
// services.
func ObserverNamespace(platform string) string { return platform + "-prometheus" }

// ErrNoPrometheus is the cause of an error if the platform has no pod of Prometheus, ready or not. A
// stack without podScaling has none.
var ErrNoPrometheus = errors.New("the platform has no pod of Prometheus")

// Prometheus queries the Prometheus of a platform. Each request goes through a port-forward to a
// ready pod. It needs the permissions to list pods and to open a port-forward.
type Prometheus struct{ api prometheusapi.API }

// Prometheus returns the Prometheus of the platform whose services are in a namespace.
func (c Clients) Prometheus(platform string) Prometheus {
	return Prometheus{prometheusapi.NewAPI(prometheusPod{c, ObserverNamespace(platform)})}
}

// Vector evaluates an expression at a time. The zero time means now, by Prometheus' clock.
func (p Prometheus) Vector(ctx context.Context, expression string, at time.Time) (model.Vector, error) {
	value, _, err := p.api.Query(ctx, expression, at, prometheusapi.WithTimeout(queryTimeout))
	if err != nil {
		return nil, fmt.Errorf("query of Prometheus: %w", err)
	}
	vector, ok := value.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("query %q of Prometheus: the answer is a %s, must be a vector", expression, value.Type())
	}
	return vector, nil
}

// Value evaluates an expression of at most one series at a time, and reports whether there is one.
// The zero time means now, by Prometheus' clock.
func (p Prometheus) Value(ctx context.Context, expression string, at time.Time) (value float64, found bool, err error) {
	vector, err := p.Vector(ctx, expression, at)
	switch {
	case err != nil || len(vector) == 0:
		return 0, false, err
	case len(vector) > 1:
		return 0, false, tooManySeries(expression, len(vector))
	}
	return float64(vector[0].Value), true, nil
}

// Series evaluates an expression of at most one series at each step from first to last. It returns
// the values by their Unix time.
func (p Prometheus) Series(ctx context.Context, expression string, first, last time.Time, step time.Duration) (map[int64]float64, error) {
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
		matrix, _ := value.(model.Matrix) // Prometheus answers each range query with a matrix
		if len(matrix) > 1 {
			return nil, tooManySeries(expression, len(matrix))
		}
		for _, series := range matrix {
			for _, point := range series.Values {
				values[point.Timestamp.Unix()] = float64(point.Value)
			}
		}
	}
	return values, nil
}

func tooManySeries(expression string, n int) error {
	return fmt.Errorf("query %q of Prometheus has %d series: must have one", expression, n)
}

// prometheusPod implements the transport of Prometheus' client (api.Client).
type prometheusPod struct {
	Clients
	namespace string
}

// URL returns the path of an endpoint. Those of queries have no arguments.
func (prometheusPod) URL(path string, _ map[string]string) *url.URL { return &url.URL{Path: path} }

// Do sends a GET. It refuses a POST with the status for which Prometheus' client sends a GET
// instead, because a PodGet has no body.
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
	i := slices.IndexFunc(pods.Items, Ready)
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

// Ready reports whether a pod is ready.
func Ready(p corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

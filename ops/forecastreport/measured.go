package forecastreport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/progressive-framework/platform/components/forecaster/forecastspec"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/forecast"
	"github.com/progressive-framework/platform/forecast/backtest"
	"github.com/progressive-framework/platform/ops/kubeclient"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

const (
	step = forecast.StepSeconds * time.Second
	// chunk is the longest range of one query. Prometheus refuses more than 11,000 points.
	chunk = 10_000 * step
	// leastDays are three days of history and one that is evaluated. Prometheus keeps mostDays
	// (components/prometheus).
	leastDays, mostDays = 4, 15
)

// services are the short names of the platform's services.
func services() (names []string) {
	for _, p := range scaling.Services() {
		names = append(names, p.Short)
	}
	return names
}

func validateMeasured(service string, days int) error {
	switch {
	case !slices.Contains(services(), service):
		return fmt.Errorf("--service %s: must be one of %s", service, strings.Join(services(), ", "))
	case days < leastDays || days > mostDays:
		return fmt.Errorf("--days %d: must be %d to %d", days, leastDays, mostDays)
	}
	return nil
}

// backtestService runs all autoscalers over the load that the stack's Prometheus has measured in
// the days before now.
func backtestService(ctx context.Context, outputs func(context.Context) (stackoutput.Outputs, error), name string, days int, now time.Time) (*backtestReport, error) {
	clients, namespace, err := connect(ctx, outputs)
	if err != nil {
		return nil, err
	}
	profile := scaling.Services()[slices.Index(services(), name)]
	spec, err := forecastspec.New(profile)
	if err != nil {
		return nil, err
	}
	// The stack may have other bounds than the document.
	hpa, err := clients.Kubernetes.AutoscalingV2().HorizontalPodAutoscalers(namespace).Get(ctx, profile.HPA.Name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("HPA of %s: %w", name, err)
	}
	if hpa.Spec.MinReplicas != nil {
		spec.Document.Min = int(*hpa.Spec.MinReplicas)
	}
	spec.Document.Max = int(hpa.Spec.MaxReplicas)

	last := now.Truncate(step)
	start, loads, err := readLoads(ctx, clients, observers(namespace), spec, last.Add(-time.Duration(days)*24*time.Hour), last)
	if err != nil {
		return nil, fmt.Errorf("load of %s: %w", name, err)
	}
	trace, err := backtest.MeasuredTrace(name, start, loads, backtest.Service{Document: spec.Document, Target: spec.Target, Floor: spec.Floor})
	if err != nil {
		return nil, fmt.Errorf("load of %s in the last %d days: %w", name, days, err)
	}
	return newReport(trace), nil
}

// readLoads reads the load of each step between two times, in pods, from the first that has one. NaN
// is a step without a load.
func readLoads(ctx context.Context, clients kubeclient.Clients, namespace string, spec forecastspec.Service, from, to time.Time) (start time.Time, loads []float64, err error) {
	for first := from.Add(step); !first.After(to); first = first.Add(chunk) {
		last := first.Add(chunk - step)
		if last.After(to) {
			last = to
		}
		found, err := queryRange(ctx, clients, namespace, spec.Query, first, last)
		if err != nil {
			return start, nil, err
		}
		for end := first; !end.After(last); end = end.Add(step) {
			load, ok := found[end.Unix()]
			switch {
			case !ok && loads == nil:
				continue
			case !ok:
				load = math.NaN()
			case loads == nil:
				start = end.Add(-step)
			}
			loads = append(loads, load/spec.Capacity)
		}
	}
	return start, loads, nil
}

// queryRange returns the values of a query by their Unix time.
func queryRange(ctx context.Context, clients kubeclient.Clients, namespace, query string, first, last time.Time) (map[int64]float64, error) {
	text, err := clients.Prometheus(ctx, namespace, "query_range", url.Values{
		"query": {query}, "start": {strconv.FormatInt(first.Unix(), 10)}, "end": {strconv.FormatInt(last.Unix(), 10)}, "step": {strconv.Itoa(forecast.StepSeconds)},
	})
	if err != nil {
		return nil, fmt.Errorf("query of Prometheus: %w", err)
	}
	var answer struct {
		Data struct {
			Result []struct {
				Values []point `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("answer of Prometheus: %w", err)
	}
	if len(answer.Data.Result) > 1 {
		return nil, fmt.Errorf("query %q has %d series: must have one", query, len(answer.Data.Result))
	}
	values := map[int64]float64{}
	for _, series := range answer.Data.Result {
		for _, p := range series.Values {
			values[p.at] = p.value
		}
	}
	return values, nil
}

// point is a time and a value: [1700000000, "1.5"].
type point struct {
	at    int64
	value float64
}

// UnmarshalJSON reads a point as Prometheus writes it.
func (p *point) UnmarshalJSON(text []byte) error {
	var pair []any
	if err := json.Unmarshal(text, &pair); err != nil {
		return err
	}
	if len(pair) == 2 {
		at, isNumber := pair[0].(float64)
		value, isText := pair[1].(string)
		if parsed, err := strconv.ParseFloat(value, 64); isNumber && isText && err == nil {
			p.at, p.value = int64(at), parsed
			return nil
		}
	}
	return errors.New("a point must be a time and a number as text")
}

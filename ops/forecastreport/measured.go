package forecastreport

import (
	"context"
	"fmt"
	"math"
	"slices"
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
	// minDays is three days of history and one day that is evaluated. Prometheus keeps the values of
	// maxDays (components/prometheus).
	minDays, maxDays = 4, 15
)

// serviceNames returns the short names of the platform's services.
func serviceNames() (names []string) {
	for _, p := range scaling.Services() {
		names = append(names, p.ShortName)
	}
	return names
}

// validateServiceFlags checks the flags --service and --days.
func validateServiceFlags(service string, days int) error {
	switch {
	case !slices.Contains(serviceNames(), service):
		return fmt.Errorf("--service %s: must be one of %s", service, strings.Join(serviceNames(), ", "))
	case days < minDays || days > maxDays:
		return fmt.Errorf("--days %d: must be %d to %d", days, minDays, maxDays)
	}
	return nil
}

// backtestService runs all autoscalers over the load of a service that the stack's Prometheus
// measured in the last days.
func backtestService(ctx context.Context, readOutputs func(context.Context) (stackoutput.Outputs, error), name string, days int, now time.Time) (*backtestReport, error) {
	clients, namespace, err := newStackClients(ctx, readOutputs)
	if err != nil {
		return nil, err
	}
	profile := scaling.Services()[slices.Index(serviceNames(), name)]
	spec, err := forecastspec.New(profile)
	if err != nil {
		return nil, err
	}
	// The stack's minimum and maximum may differ from those in the design document.
	hpa, err := clients.Kubernetes.AutoscalingV2().HorizontalPodAutoscalers(namespace).Get(ctx, profile.HPA.Name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("HPA of %s: %w", name, err)
	}
	if hpa.Spec.MinReplicas != nil {
		spec.Document.Min = int(*hpa.Spec.MinReplicas)
	}
	spec.Document.Max = int(hpa.Spec.MaxReplicas)

	last := now.Truncate(step)
	start, loads, err := readLoads(ctx, clients.Prometheus(namespace), spec, last.Add(-time.Duration(days)*24*time.Hour), last)
	if err != nil {
		return nil, fmt.Errorf("load of %s: %w", name, err)
	}
	trace, err := backtest.MeasuredTrace(name, start, loads, backtest.Service{Document: spec.Document, Target: spec.Target, Floor: spec.Floor})
	if err != nil {
		return nil, fmt.Errorf("load of %s in the last %d days: %w", name, days, err)
	}
	return newReport(trace), nil
}

// readLoads returns the load of each step between begin and last, in pods. The first element is the
// first step that has a load, and start is the start of that step. NaN marks a later step without a
// load.
func readLoads(ctx context.Context, prometheus kubeclient.Prometheus, spec forecastspec.Service, begin, last time.Time) (start time.Time, loads []float64, err error) {
	first := begin.Add(step)
	measured, err := prometheus.QuerySeries(ctx, spec.Query, first, last, step)
	if err != nil {
		return start, nil, err
	}
	for end := first; !end.After(last); end = end.Add(step) {
		load, ok := measured[end.Unix()]
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
	return start, loads, nil
}

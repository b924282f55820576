// Package trigger owns the KEDA triggers of a service's ScaledObject, without and with a
// forecast. It imports no SDK. Package podscaling adds the address of Prometheus.
//
// Without a forecast, the triggers on the current load have the design document's targets,
// which leave headroom in each pod. With a forecast, the forecast has the headroom, and
// these triggers get the higher target scaling.PredictionFloor. Each of them then has a
// guard: a second trigger with the design document's target, which has no value while there
// is a forecast. An HPA follows the trigger that requests the most pods. So the guards apply
// the design document's HPA while the forecaster publishes no number
// (docs/design/0020-predictive-scaling.md).
//
// The triggers of the forecast are queries of Prometheus, and not an external scaler. A
// query that fails is an error only of its own trigger. If KEDA could not reach an external
// scaler, all triggers of the ScaledObject would have an error.
package trigger

import (
	"fmt"
	"strconv"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
)

// Prometheus is KEDA's type of a trigger with a query. It needs the metadata
// serverAddress. The other types in use are cpu and memory.
const Prometheus = "prometheus"

// forecastName is the name of the trigger of the forecast.
const forecastName = "forecast_pods"

// Trigger is a trigger of a ScaledObject without the address of Prometheus (KEDA,
// apis/keda/v1alpha1/scaletriggers_types.go).
type Trigger struct {
	Type       string            `json:"type"`
	Name       string            `json:"name,omitempty"`
	MetricType string            `json:"metricType"`
	Metadata   map[string]string `json:"metadata"`
}

// WithoutForecast returns the triggers of the design document's HPA, in the order of its metrics.
// The order matters, because KEDA names a metric by the position of its trigger.
func WithoutForecast(p scaling.Profile) (triggers []Trigger) {
	for _, m := range p.HPA.Metrics {
		triggers = append(triggers, metricTrigger(p, m))
	}
	return triggers
}

// WithForecast returns the triggers of a service with a forecast. The first triggers are those
// of WithoutForecast, in the same order, but with the target scaling.PredictionFloor. The
// trigger of the forecast and the guards follow. namespace is the service's namespace.
// WithForecast returns an error for a service without a scaling.Prediction.
func WithForecast(p scaling.Profile, namespace string) ([]Trigger, error) {
	prediction, ok := p.Prediction()
	if !ok {
		return nil, fmt.Errorf("forecast of %s: its HPA must have a rate of requests and a target of the CPU", p.Name)
	}
	var triggers, guards []Trigger
	for _, m := range p.HPA.Metrics {
		withFloor, raised := prediction.WithFloorTarget(m)
		triggers = append(triggers, metricTrigger(p, withFloor))
		if raised {
			guards = append(guards, guardTrigger(p, namespace, m))
		}
	}
	return append(append(triggers, forecastTrigger(p)), guards...), nil
}

// ForecastMetric returns the name of the forecast among the external metrics of an HPA. KEDA
// names the metric of a query by the position of its trigger (KEDA,
// pkg/scalers/prometheus_scaler.go).
func ForecastMetric(p scaling.Profile) string {
	return fmt.Sprintf("s%d-%s", len(p.HPA.Metrics), Prometheus)
}

// forecastTrigger returns the trigger for the number of pods that the forecaster publishes.
func forecastTrigger(p scaling.Profile) Trigger {
	t := queryTrigger(forecastName, promquery.Forecast(p), 1)
	// Without a value the trigger has an error. An HPA with such an error removes no pod.
	t.Metadata["ignoreNullValues"] = "false"
	return t
}

// average is the metric type for a sum over all pods. The HPA divides the sum by the target. The
// result is the number of pods.
const average = "AverageValue"

// metricTrigger returns the trigger for a metric of an HPA.
func metricTrigger(p scaling.Profile, m scaling.Metric) Trigger {
	switch m := m.(type) {
	case scaling.ResourceMetric:
		return Trigger{Type: string(m.Resource), MetricType: "Utilization", Metadata: map[string]string{"value": strconv.Itoa(int(m.Utilization))}}
	case scaling.PodsMetric:
		t := queryTrigger(m.Name, promquery.Demand(p, m), m.AverageValue.AsApproximateFloat64())
		// Without a value the trigger has an error. By default KEDA would use 0, and
		// remove the pods of a service that has no metrics.
		t.Metadata["ignoreNullValues"] = "false"
		return t
	default: // scaling.Metric has no other types
		return Trigger{}
	}
}

// guardTrigger returns the trigger that applies the design document's target while there is no
// forecast. While there is a forecast, the query of the guard has no value. A missing value must
// not be an error, so with ignoreNullValues KEDA uses the value 0.
func guardTrigger(p scaling.Profile, namespace string, m scaling.Metric) Trigger {
	var t Trigger
	switch m := m.(type) {
	case scaling.ResourceMetric:
		request := p.Resources.CPURequest
		if m.Resource == scaling.Memory {
			request = p.Resources.MemoryRequest
		}
		target := request.AsApproximateFloat64() * float64(m.Utilization) / 100
		t = queryTrigger(string(m.Resource)+"_guard", promquery.DemandWithoutForecast(p, promquery.Usage(p, namespace, m.Resource)), target)
	case scaling.PodsMetric:
		t = queryTrigger(m.Name+"_guard", promquery.DemandWithoutForecast(p, promquery.Demand(p, m)), m.AverageValue.AsApproximateFloat64())
	}
	t.Metadata["ignoreNullValues"] = "true"
	return t
}

// queryTrigger returns a trigger that divides the value of a PromQL expression by the target.
func queryTrigger(name, expression string, target float64) Trigger {
	return Trigger{Type: Prometheus, Name: name, MetricType: average, Metadata: map[string]string{
		"query": expression, "threshold": strconv.FormatFloat(target, 'f', -1, 64),
	}}
}

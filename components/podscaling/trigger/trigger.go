// Package trigger says which triggers of KEDA a service's ScaledObject has, without and
// with a forecast. It is pure. Package podscaling gives them their addresses.
//
// With a forecast the headroom comes from the forecast, so that the triggers on the
// present load move to a floor. Each moved trigger has a guard: the same demand at the
// document's target, which has no value while there is a forecast. An HPA takes the
// trigger that asks for the most pods, so that a forecaster without a number leaves the
// document's HPA (docs/design/0020-predictive-scaling.md).
//
// All of them are queries of Prometheus. A query that fails is an error of its own trigger.
// An external scaler that KEDA can't reach would be an error of all of them.
package trigger

import (
	"fmt"
	"strconv"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
)

// Prometheus is KEDA's type of a trigger with a query. It needs the metadata
// serverAddress. The other types are those of the resource metrics: cpu and memory.
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

// Document returns the triggers that make the document's HPA, in the order of its
// metrics. KEDA names a metric of the HPA by the position of its trigger.
func Document(p scaling.Profile) (all []Trigger) {
	for _, m := range p.HPA.Metrics {
		all = append(all, metricTrigger(p, m))
	}
	return all
}

// Predicted returns the triggers of a service in a namespace whose forecast decides: the
// document's at the floor and at their positions, the forecast, and the guards. A
// service without a scaling.Prediction is an error.
func Predicted(p scaling.Profile, namespace string) ([]Trigger, error) {
	prediction, ok := p.Prediction()
	if !ok {
		return nil, fmt.Errorf("forecast of %s: its HPA must have a rate of requests and a target of the CPU", p.Name)
	}
	var all, guards []Trigger
	for _, m := range p.HPA.Metrics {
		floor, moved := prediction.AtFloor(m)
		all = append(all, metricTrigger(p, floor))
		if moved {
			guards = append(guards, guard(p, namespace, m))
		}
	}
	return append(append(all, forecast(p)), guards...), nil
}

// ForecastMetric is the name of the forecast among the external metrics of an HPA: KEDA
// names the metric of a query by the position of its trigger (KEDA,
// pkg/scalers/prometheus_scaler.go).
func ForecastMetric(p scaling.Profile) string {
	return fmt.Sprintf("s%d-%s", len(p.HPA.Metrics), Prometheus)
}

// forecast returns the trigger of the pods that the forecaster publishes.
func forecast(p scaling.Profile) Trigger {
	t := query(forecastName, promquery.Forecast(p), 1)
	// No value is an error, with which an HPA removes no pod.
	t.Metadata["ignoreNullValues"] = "false"
	return t
}

// average divides the value of a metric by the target to get the number of pods.
const average = "AverageValue"

// metricTrigger returns a metric of an HPA as a trigger.
func metricTrigger(p scaling.Profile, m scaling.Metric) Trigger {
	switch m := m.(type) {
	case scaling.ResourceMetric:
		return Trigger{Type: string(m.Resource), MetricType: "Utilization", Metadata: map[string]string{"value": strconv.Itoa(int(m.Utilization))}}
	case scaling.PodsMetric:
		t := query(m.Name, promquery.Demand(p, m), m.AverageValue.AsApproximateFloat64())
		// No value is an error. By default KEDA takes it for 0, and removes the pods of
		// a service that nobody can measure.
		t.Metadata["ignoreNullValues"] = "false"
		return t
	default:
		return Trigger{}
	}
}

// guard returns the trigger that applies the document's target while there is no forecast.
// No value is no pods, because it has none as long as the forecast decides.
func guard(p scaling.Profile, namespace string, m scaling.Metric) Trigger {
	var t Trigger
	switch m := m.(type) {
	case scaling.ResourceMetric:
		request := p.Resources.CPURequest
		if m.Resource == scaling.Memory {
			request = p.Resources.MemoryRequest
		}
		target := request.AsApproximateFloat64() * float64(m.Utilization) / 100
		t = query(string(m.Resource)+"_guard", promquery.Guard(p, promquery.Usage(p, namespace, m.Resource)), target)
	case scaling.PodsMetric:
		t = query(m.Name+"_guard", promquery.Guard(p, promquery.Demand(p, m)), m.AverageValue.AsApproximateFloat64())
	}
	t.Metadata["ignoreNullValues"] = "true"
	return t
}

func query(name, expression string, target float64) Trigger {
	return Trigger{Type: Prometheus, Name: name, MetricType: average, Metadata: map[string]string{
		"query": expression, "threshold": strconv.FormatFloat(target, 'f', -1, 64),
	}}
}

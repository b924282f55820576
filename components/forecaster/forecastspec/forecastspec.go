// Package forecastspec renders the forecaster's configuration of the services: the query
// of each load, the capacity of a pod, and the design document's HPA, which the
// forecaster simulates. It imports no SDK.
package forecastspec

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
	"github.com/progressive-framework/platform/forecast/autoscale"
)

// Service is one element of the variable SERVICES of agents/forecaster.
type Service struct {
	Name string `json:"name"`
	// Query is the PromQL query of the load.
	Query string `json:"query"`
	// Capacity is the load that one pod can serve. Target and Floor are shares of Capacity,
	// from 0 to 1: see scaling.Prediction and scaling.PredictionFloor.
	Capacity float64 `json:"capacity"`
	Target   float64 `json:"target"`
	Floor    float64 `json:"floor"`
	// Document is the design document's HPA.
	Document autoscale.Spec `json:"document"`
}

// New returns the configuration of one service. A service without a scaling.Prediction is an error.
func New(p scaling.Profile) (Service, error) {
	prediction, ok := p.Prediction()
	if !ok {
		return Service{}, fmt.Errorf("forecast of %s: its HPA must have a rate of requests and a target of the CPU", p.Name)
	}
	return Service{
		Name: p.ShortName, Query: promquery.Arrivals(p, prediction.Load), Capacity: prediction.Capacity(),
		Target: float64(prediction.Target) / 100, Floor: float64(scaling.PredictionFloor) / 100, Document: designHPA(p.HPA),
	}, nil
}

// JSON returns the value of the variable SERVICES: the configurations of the services as a JSON
// array.
func JSON(services []scaling.Profile) (string, error) {
	configs := make([]Service, 0, len(services))
	for _, p := range services {
		config, err := New(p)
		if err != nil {
			return "", err
		}
		configs = append(configs, config)
	}
	text, err := json.Marshal(configs)
	if err != nil {
		return "", fmt.Errorf("services of the forecaster: %w", err)
	}
	return string(text), nil
}

// designHPA returns the design document's HPA for the simulation. If the HPA has no
// behaviour, designHPA uses Kubernetes' defaults, such as the window of five minutes
// (autoscaling/v2, HorizontalPodAutoscalerBehavior).
func designHPA(h scaling.HPA) autoscale.Spec {
	spec := autoscale.FastSpec(h.MinReplicas, h.MaxReplicas, autoscale.DefaultTolerance)
	spec.Down.Window = int((5 * time.Minute).Seconds())
	if h.ScaleUp != nil {
		spec.Up = simulatedBehavior(*h.ScaleUp)
	}
	if h.ScaleDown != nil {
		spec.Down = simulatedBehavior(*h.ScaleDown)
	}
	return spec
}

// simulatedBehavior converts the HPA's behaviour in one direction to a behaviour of the simulation.
func simulatedBehavior(b scaling.Behavior) autoscale.Behavior {
	simulated := autoscale.Behavior{Window: int(b.StabilizationWindow.Seconds()), SelectMin: b.Select == scaling.SelectMin, Tolerance: autoscale.DefaultTolerance}
	for _, p := range b.Policies {
		simulated.Policies = append(simulated.Policies, autoscale.Policy{Percent: p.Type == scaling.PercentPolicy, Value: p.Value, Seconds: int(p.Period.Seconds())})
	}
	return simulated
}

package backtest

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/progressive-framework/platform/forecast"
	"github.com/progressive-framework/platform/forecast/autoscale"
)

// Service is the autoscalers of the service that a trace loads.
type Service struct {
	// Document is the document's HPA, with the bounds of the number of pods.
	Document autoscale.Spec
	// Target and Floor are the loads at which the document's HPA and the floor alongside a forecast
	// add pods, as shares of a pod's capacity: 0 < Target <= Floor <= 1.
	Target, Floor float64
}

// MainApplication is the document's main application. The HPA adds pods at 70 %, and the floor at
// all of a pod's capacity.
func MainApplication() Service {
	return Service{Target: 0.7, Floor: forecast.Floor, Document: autoscale.Spec{
		Min: 3, Max: 50,
		Up:   autoscale.Behavior{Window: 60, Policies: []autoscale.Policy{{Percent: true, Value: 50, Seconds: 60}, {Value: 5, Seconds: 60}}, Tolerance: autoscale.DefaultTolerance},
		Down: autoscale.Behavior{Window: 300, Policies: []autoscale.Policy{{Percent: true, Value: 10, Seconds: 60}, {Value: 2, Seconds: 60}}, Least: true, Tolerance: autoscale.DefaultTolerance},
	}}
}

// MeasuredTrace is a load as a stack measured it: the load of each step of 15 s since start, in
// pods. NaN is a step without a measurement, which repeats the step before, as the forecaster does.
// Nothing is scaled, and no noise is added. The first days are history.
func MeasuredTrace(name string, start time.Time, loads []float64, service Service) (Trace, error) {
	trace := Trace{Name: name, Start: start.Unix(), From: 3 * day, Service: service, Load: make([]float64, len(loads))}
	if len(loads) <= trace.From {
		return Trace{}, fmt.Errorf("has %.1f days: must have more than 3", float64(len(loads))/day)
	}
	most := 0.0
	for k, load := range loads {
		if !(load >= 0 && !math.IsInf(load, 0)) {
			load = 0
			if k > 0 {
				load = trace.Load[k-1]
			}
		}
		trace.Load[k], most = load, max(most, load)
	}
	if most == 0 {
		return Trace{}, errors.New("has no load")
	}
	return trace, nil
}

// Simulate returns what the document's HPA or one of ours does on a trace.
func Simulate(controller Controller, trace Trace) Result {
	if controller == Document {
		return runDocument(trace)
	}
	return runPredictive(controller, trace)
}

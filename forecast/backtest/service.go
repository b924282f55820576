package backtest

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/progressive-framework/platform/forecast"
	"github.com/progressive-framework/platform/forecast/autoscale"
)

// Service describes how the service of a trace is scaled.
type Service struct {
	// Document is the behaviour of the HPA in the design document, with the bounds of the number
	// of pods.
	Document autoscale.Spec
	// Target is the target of that HPA. Floor is the target of the trigger on the current load. This
	// trigger is active alongside the forecast. Both are shares of a pod's capacity:
	// 0 < Target <= Floor <= 1.
	Target, Floor float64
}

// MainApplication returns the main application of the design document.
func MainApplication() Service {
	return Service{Target: 0.7, Floor: forecast.Floor, Document: autoscale.Spec{
		Min: 3, Max: 50,
		Up:   autoscale.Behavior{Window: 60, Policies: []autoscale.Policy{{Percent: true, Value: 50, Seconds: 60}, {Value: 5, Seconds: 60}}, Tolerance: autoscale.DefaultTolerance},
		Down: autoscale.Behavior{Window: 300, Policies: []autoscale.Policy{{Percent: true, Value: 10, Seconds: 60}, {Value: 2, Seconds: 60}}, SelectMin: true, Tolerance: autoscale.DefaultTolerance},
	}}
}

// MeasuredTrace returns the trace of a load that was measured in a stack. loads has the load of each
// step of 15 s since start, in pods. NaN means that a step has no measurement. The load of the step
// before replaces each load that is NaN, negative or infinite, as in the forecaster. The first three
// days are history and not evaluated. Unlike ReadTrace, MeasuredTrace does not scale the load and
// adds no noise.
func MeasuredTrace(name string, start time.Time, loads []float64, service Service) (Trace, error) {
	trace := Trace{Name: name, Start: start.Unix(), FirstEvaluated: 3 * day, Service: service, Load: make([]float64, len(loads))}
	if len(loads) <= trace.FirstEvaluated {
		return Trace{}, fmt.Errorf("has %.1f days: must have more than 3", float64(len(loads))/day)
	}
	largest := 0.0
	for k, load := range loads {
		isValid := load >= 0 && !math.IsInf(load, 0) // false for NaN
		if !isValid {
			load = 0
			if k > 0 {
				load = trace.Load[k-1]
			}
		}
		trace.Load[k], largest = load, max(largest, load)
	}
	if largest == 0 {
		return Trace{}, errors.New("has no load")
	}
	return trace, nil
}

// Simulate runs a controller over a trace: Document, or a predictive one.
func Simulate(controller Controller, trace Trace) Result {
	if controller == Document {
		return runDocument(trace)
	}
	return runPredictive(controller, trace)
}

package backtest

import (
	"math"
	"slices"

	"github.com/progressive-framework/platform/forecast"
	"github.com/progressive-framework/platform/forecast/autoscale"
)

// Controller is one of the compared autoscalers.
type Controller string

// The controllers, in the order of the table. The grid is the list of HPAs that gridSettings
// returns.
const (
	// Document is the HPA of the design document: a target of 70 % of a pod's capacity, with the
	// document's behaviour.
	Document Controller = "document"
	// Tuned is the cheapest HPA of the grid with an acceptable overload on every trace: at most
	// 0.1 %, or at most the overload of Document.
	Tuned Controller = "tuned"
	// Hindsight chooses an HPA of the grid for each trace, after the trace is known. It is the
	// cheapest HPA with at most 0.1 % overload. If there is none, it is the HPA with the least
	// overload.
	Hindsight Controller = "hindsight"
	// Gate is the predictive scaler without a forecast: its gate chooses among candidates that
	// depend on the current load only.
	Gate Controller = "gate"
	// Predictive is the predictive scaler with its fast behaviour and without a tolerance. The tables
	// call it ours.
	Predictive Controller = "ours"
	// PredictiveDefaultTolerance is Predictive with the default tolerance of 10 %, for Kubernetes
	// before 1.35.
	PredictiveDefaultTolerance Controller = "ours, default tolerance"
	// PredictiveDocument is the predictive scaler with the behaviour of the design document's HPA.
	PredictiveDocument Controller = "ours, document's policies"
	// Perfect uses the load of the next 90 s, which no real autoscaler has, and needs no HPA.
	Perfect Controller = "perfect"
)

// Controllers lists all controllers.
func Controllers() []Controller {
	return []Controller{Document, Tuned, Hindsight, Gate, Predictive, PredictiveDefaultTolerance, PredictiveDocument, Perfect}
}

// acceptedOverload is the largest accepted OverloadShare.
const acceptedOverload = 0.001

// horizon is the longest time, in steps, from the request for a pod until the pod serves: 60 s
// for its start, and 15 s each for the periods of the HPA and of the metric. documentHorizon
// also has the stabilization window of Document, 60 s.
const (
	horizon         = 90 / step
	documentHorizon = 150 / step
)

// setting is an HPA that scales on the current load, with the settings that a person could tune.
type setting struct {
	target float64
	// up and down name the behaviours.
	up, down  string
	tolerance float64
	spec      autoscale.Spec
}

// maxTunedTarget is the highest target that a person would set. The grid has higher targets only
// for OverloadAtEqualCost.
const maxTunedTarget = 0.95

// gridSettings returns all combinations of what a person could tune: the target, the behaviours in
// both directions, and the tolerance. The settings that differ only in their targets are
// consecutive, with increasing targets.
func gridSettings(doc autoscale.Spec) []setting {
	fast := autoscale.FastSpec(doc.Min, doc.Max, 0)
	delayedDown := fast.Down
	delayedDown.Window = 300
	type behavior struct {
		name string
		autoscale.Behavior
	}
	var settings []setting
	for _, up := range []behavior{{"document", doc.Up}, {"fast", fast.Up}} {
		for _, down := range []behavior{{"document", doc.Down}, {"after 300 s", delayedDown}, {"fast", fast.Down}} {
			for _, tolerance := range []float64{autoscale.DefaultTolerance, 0} {
				up.Tolerance, down.Tolerance = tolerance, tolerance
				spec := autoscale.Spec{Min: doc.Min, Max: doc.Max, Up: up.Behavior, Down: down.Behavior}
				for percent := 30; percent <= 115; percent += 5 {
					settings = append(settings, setting{float64(percent) / 100, up.name, down.name, tolerance, spec})
				}
			}
		}
	}
	return settings
}

// isFirstTuned reports whether the setting is the first tuned HPA: the cheapest one of an earlier,
// smaller grid. The goals of the design were set in comparison to it.
func (s setting) isFirstTuned() bool {
	return s.up == "fast" && s.down == "document" && s.tolerance == autoscale.DefaultTolerance && math.Abs(s.target-0.7) < 1e-9
}

// reactiveMetrics is the metric of an HPA that scales on the current load.
type reactiveMetrics struct {
	spec   autoscale.Spec
	load   []float64
	target float64 // as a share of a pod's capacity
}

// proposal returns the pods that the load before step k needs at the target. It implements
// metricSource.
func (r reactiveMetrics) proposal(k, current int) int {
	return r.spec.Proposal(recentMean(r.load, k), r.target, current)
}

// recentMean returns the mean load of the 60 s before step k, which is the metric of an HPA.
func recentMean(load []float64, k int) float64 {
	from := max(0, k-60/step)
	sum := 0.0
	for _, v := range load[from:k] {
		sum += v
	}
	return sum / float64(k-from)
}

// perfectMetrics are the metrics of Perfect: the load of the next 90 s.
type perfectMetrics struct {
	load   []float64
	bounds autoscale.Spec
}

// proposal returns the pods for the largest load of the next 90 s. It implements metricSource.
func (p perfectMetrics) proposal(k, _ int) int {
	return idealPods(slices.Max(p.load[k:min(k+horizon, len(p.load))]), p.bounds)
}

// predictiveMetrics has the two metrics of a predictive scaler: the pods that a forecaster
// publishes, and the current load with the target floor.
type predictiveMetrics struct {
	spec       autoscale.Spec
	floor      float64
	forecaster *forecast.Forecaster
	load       []float64
	observed   int // the number of steps that the forecaster has observed
	// published has the published pods of each step, if keepPublished is true.
	published     []float64
	keepPublished bool
	// onStatus is called at each step with the status of the forecaster. It may be nil.
	onStatus func(k int, s forecast.Status)
}

// proposal gives the loads before step k to the forecaster. It returns the larger proposal of the
// two metrics. It implements metricSource.
func (p *predictiveMetrics) proposal(k, current int) int {
	for ; p.observed < k; p.observed++ {
		p.forecaster.Add(p.load[p.observed])
	}
	pods := p.forecaster.Pods()
	if p.onStatus != nil {
		p.onStatus(k, p.forecaster.Status())
	}
	if p.keepPublished {
		p.published = append(p.published, pods)
	}
	return max(p.spec.Proposal(pods, 1, current), p.spec.Proposal(recentMean(p.load, k), p.floor, current))
}

// forecasterConfig returns the forecaster's configuration for a controller on a trace.
func forecasterConfig(controller Controller, trace Trace) forecast.Config {
	service := trace.Service
	config := forecast.Config{
		Target: service.Target, Floor: service.Floor, Document: service.Document, Predictive: autoscale.FastSpec(service.Document.Min, service.Document.Max, 0),
		Horizon: horizon, Start: trace.Start, WithoutForecast: controller == Gate,
	}
	switch controller {
	case PredictiveDefaultTolerance:
		config.Predictive = autoscale.FastSpec(service.Document.Min, service.Document.Max, autoscale.DefaultTolerance)
	case PredictiveDocument:
		config.Predictive, config.Horizon = config.Document, documentHorizon
	}
	return config
}

// newPredictive returns the metrics of a predictive controller for a trace, and the specification
// of its HPA.
func newPredictive(controller Controller, trace Trace) (*predictiveMetrics, autoscale.Spec) {
	config := forecasterConfig(controller, trace)
	return &predictiveMetrics{spec: config.Predictive, floor: config.Floor, forecaster: forecast.New(config), load: trace.Load}, config.Predictive
}

// runPredictive simulates a predictive controller over a trace and returns its result.
func runPredictive(controller Controller, trace Trace) Result {
	metrics, spec := newPredictive(controller, trace)
	return runSimulation(trace, &spec, metrics)
}

// runDocument simulates the HPA of the design document over a trace and returns its result.
func runDocument(trace Trace) Result {
	spec := trace.Service.Document
	return runSimulation(trace, &spec, reactiveMetrics{spec, trace.Load, trace.Service.Target})
}

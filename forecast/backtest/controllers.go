package backtest

import (
	"math"
	"slices"

	"github.com/progressive-framework/platform/forecast"
	"github.com/progressive-framework/platform/forecast/autoscale"
)

// Controller is one of the compared autoscalers.
type Controller string

// The controllers, in the order of the table.
const (
	// Document is the HPA of the document: 70 % of a pod's capacity, with its behaviour.
	Document Controller = "document"
	// Tuned is the cheapest HPA of the grid that is, on each trace, not worse in overload than
	// 0.1 % or the document's.
	Tuned Controller = "tuned"
	// Hindsight is the cheapest HPA of the grid for each trace with at most 0.1 % overload. Where
	// none has that, it is the one with the least overload.
	Hindsight Controller = "hindsight"
	// Gate is ours with candidates on the present load only.
	Gate Controller = "gate"
	// Ours is the predictive scaler with its fast behaviour and without dead band.
	Ours Controller = "ours"
	// OursDeadBand is Ours with the default dead band of 10 %, for Kubernetes before 1.35.
	OursDeadBand Controller = "ours, dead band"
	// OursDocument is the predictive scaler with the document's behaviour.
	OursDocument Controller = "ours, document's policies"
	// Perfect knows the next 90 s and needs no HPA.
	Perfect Controller = "perfect"
)

// Controllers lists all of them.
func Controllers() []Controller {
	return []Controller{Document, Tuned, Hindsight, Gate, Ours, OursDeadBand, OursDocument, Perfect}
}

// acceptedOverload is the largest OverloadShare that counts as none.
const acceptedOverload = 0.001

// horizon is how long until a pod that is asked for now serves, in steps: the longest start,
// and the periods of the HPA and of the metric. documentHorizon adds the document's stabilization
// window of 60 s.
const (
	horizon         = 90 / step
	documentHorizon = 150 / step
)

// setting is an HPA on the present load.
type setting struct {
	target float64
	// up and down name the behaviours.
	up, down  string
	tolerance float64
	spec      autoscale.Spec
}

// mostTarget is the highest target that a person would set. Higher ones only show what an HPA that
// costs as little as ours would overload.
const mostTarget = 0.95

// grid returns the settings of an HPA that a person could tune: target, and behaviour in both
// directions. The targets of one behaviour are consecutive and increase.
func grid(doc autoscale.Spec) []setting {
	fast := autoscale.Fast(doc.Min, doc.Max, 0)
	late := fast.Down
	late.Window = 300
	type behavior struct {
		name string
		autoscale.Behavior
	}
	var all []setting
	for _, up := range []behavior{{"document", doc.Up}, {"fast", fast.Up}} {
		for _, down := range []behavior{{"document", doc.Down}, {"after 300 s", late}, {"fast", fast.Down}} {
			for _, tolerance := range []float64{autoscale.DefaultTolerance, 0} {
				up.Tolerance, down.Tolerance = tolerance, tolerance
				spec := autoscale.Spec{Min: doc.Min, Max: doc.Max, Up: up.Behavior, Down: down.Behavior}
				for percent := 30; percent <= 115; percent += 5 {
					all = append(all, setting{float64(percent) / 100, up.name, down.name, tolerance, spec})
				}
			}
		}
	}
	return all
}

// isFirstTuned reports whether it is the tuned HPA of the first try of the design, by which its goals
// were set: the cheapest of a smaller grid.
func (s setting) isFirstTuned() bool {
	return s.up == "fast" && s.down == "document" && s.tolerance == autoscale.DefaultTolerance && math.Abs(s.target-0.7) < 1e-9
}

// reactive is an HPA on the present load: target is the share of a pod's capacity.
type reactive struct {
	spec   autoscale.Spec
	load   []float64
	target float64
}

func (r reactive) proposal(k, current int) int {
	return r.spec.Proposal(recent(r.load, k), r.target, current)
}

// recent returns the mean load of the last 60 s before a step: the metric of the HPA.
func recent(load []float64, k int) float64 {
	from := max(0, k-60/step)
	sum := 0.0
	for _, v := range load[from:k] {
		sum += v
	}
	return sum / float64(k-from)
}

// perfect knows the load of the next 90 s.
type perfect struct {
	load   []float64
	bounds autoscale.Spec
}

func (p perfect) proposal(k, _ int) int {
	return idealPods(slices.Max(p.load[k:min(k+horizon, len(p.load))]), p.bounds)
}

// predictive asks for what a forecaster publishes, and for the reactive floor.
type predictive struct {
	spec       autoscale.Spec
	floor      float64
	forecaster *forecast.Forecaster
	load       []float64
	observed   int
	// published is what was published at each step, if it is kept.
	published []float64
	keep      bool
	// watch gets the state of each step; nil: nobody watches.
	watch func(k int, s forecast.Status)
}

func (p *predictive) proposal(k, current int) int {
	for ; p.observed < k; p.observed++ {
		p.forecaster.Add(p.load[p.observed])
	}
	pods := p.forecaster.Pods()
	if p.watch != nil {
		p.watch(k, p.forecaster.Status())
	}
	if p.keep {
		p.published = append(p.published, pods)
	}
	return max(p.spec.Proposal(pods, 1, current), p.spec.Proposal(recent(p.load, k), p.floor, current))
}

// config is the forecaster's configuration for a controller on a trace.
func config(controller Controller, trace Trace) forecast.Config {
	s := trace.Service
	c := forecast.Config{
		Target: s.Target, Floor: s.Floor, Document: s.Document, Ours: autoscale.Fast(s.Document.Min, s.Document.Max, 0),
		Horizon: horizon, Start: trace.Start, WithoutForecast: controller == Gate,
	}
	switch controller {
	case OursDeadBand:
		c.Ours = autoscale.Fast(s.Document.Min, s.Document.Max, autoscale.DefaultTolerance)
	case OursDocument:
		c.Ours, c.Horizon = c.Document, documentHorizon
	}
	return c
}

// newPredictive returns the metrics of one of our controllers, and its HPA.
func newPredictive(controller Controller, trace Trace) (*predictive, autoscale.Spec) {
	c := config(controller, trace)
	return &predictive{spec: c.Ours, floor: c.Floor, forecaster: forecast.New(c), load: trace.Load}, c.Ours
}

// runPredictive runs one of our controllers.
func runPredictive(controller Controller, trace Trace) Result {
	metrics, spec := newPredictive(controller, trace)
	return run(trace, &spec, metrics)
}

// runDocument runs the document's HPA.
func runDocument(trace Trace) Result {
	spec := trace.Service.Document
	return run(trace, &spec, reactive{spec, trace.Load, trace.Service.Target})
}

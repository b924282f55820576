package forecast

import (
	"math"

	"github.com/progressive-framework/platform/forecast/autoscale"
)

// Headrooms are the targets of the candidates without forecast: the share of a pod's capacity.
var Headrooms = [...]float64{.3, .4, .5, .6, .65, .7, .8, .9}

// Floor is the target of the reactive trigger that holds in any case: all of a pod's capacity.
// Without dead band, it adds a pod earlier than 95 % with the default dead band of 10 %.
const Floor = 1

// Budget is the overload that a candidate may have, as a share of the load, and shortBudget that of
// the last half day. They are below 0.1 %, because the cheapest of many candidates was lucky in part.
const (
	Budget      = 0.0007
	shortBudget = 0.002
)

// Half-lives of the gate's sums in hours.
const (
	longMemory  = 48
	shortMemory = 12
)

// shadow is a candidate in a simulated HPA.
type shadow struct {
	hpa  *autoscale.HPA
	pods autoscale.Pods
	// late says that the next pod starts in the longer time.
	late bool
	// cost is the faded sum of pods; over and recentOver are those of the overload.
	cost, over, recentOver float64
}

func newShadow(spec autoscale.Spec) *shadow {
	return &shadow{hpa: autoscale.NewHPA(spec), pods: autoscale.Pods{Ready: spec.Min}}
}

// scale lets the HPA decide at step k.
func (s *shadow) scale(k, proposal int) {
	s.pods.Scale(s.hpa.Next(k*StepSeconds, s.pods.Count(), proposal), s.delay)
}

// delay is the start of the next pod: every second one takes 45 s, the others 60 s. Real ones take
// 30 to 60 s and serve from the next step. Chance would make a candidate lucky.
func (s *shadow) delay() int {
	s.late = !s.late
	if s.late {
		return 60 / StepSeconds
	}
	return 45 / StepSeconds
}

// serve lets a load arrive.
func (s *shadow) serve(load float64) {
	s.cost += float64(s.pods.Count())
	over := s.pods.Step(load)
	s.over += over
	s.recentOver += over
}

// gate chooses among candidates.
type gate struct {
	document   *shadow
	candidates []*shadow
	load       float64
	recentLoad float64
	// current is the candidate in use, -1 before the first choice.
	current int
	state   GateState
}

// GateState says why the current candidate is in use.
type GateState string

// The states of the gate.
const (
	// Learning: less than a day of history. The document's target is published.
	Learning GateState = "learning"
	// WithinBudget: a candidate kept the budget of overload at no more than the document's cost.
	WithinBudget GateState = "within_budget"
	// LeastOverload: no candidate kept the budget at no more than the document's cost. The
	// cheapest within 10 % of their least overload is in use.
	LeastOverload GateState = "least_overload"
	// TooExpensive: each candidate costs more than the document's HPA.
	TooExpensive GateState = "too_expensive"
)

func newGate(document, ours autoscale.Spec, candidates int) *gate {
	g := &gate{document: newShadow(document), current: -1, state: Learning}
	for range candidates {
		g.candidates = append(g.candidates, newShadow(ours))
	}
	return g
}

// fade lets the sums age by an hour.
func (g *gate) fade() {
	long, short := math.Exp2(-1.0/longMemory), math.Exp2(-1.0/shortMemory)
	g.load *= long
	g.recentLoad *= short
	for _, s := range append(g.candidates, g.document) {
		s.cost *= long
		s.over *= long
		s.recentOver *= short
	}
}

// hysteresis is the saving that a change of the candidate needs.
const hysteresis = 0.005

// choose selects the candidate for the next hour: the cheapest that keeps the budget of
// overload or, if none keeps it, the cheapest with nearly the least overload. Only candidates
// that cost no more than the design document's HPA count. The present candidate stays if
// another one saves less than hysteresis.
func (g *gate) choose() {
	best, state := -1, TooExpensive
	for i, s := range g.candidates {
		if s.cost > g.document.cost {
			continue
		}
		switch within := g.within(s); {
		case within && (state != WithinBudget || s.cost < g.candidates[best].cost):
			best, state = i, WithinBudget
		case !within && state != WithinBudget && (best < 0 || s.over < g.candidates[best].over):
			best, state = i, LeastOverload
		}
	}
	if state == LeastOverload {
		best = g.cheapestNear(g.candidates[best].over)
	}
	if c := g.current; c >= 0 && best >= 0 && state == WithinBudget {
		s := g.candidates[c]
		if g.within(s) && s.cost <= g.document.cost && g.candidates[best].cost > (1-hysteresis)*s.cost {
			best = c
		}
	}
	g.current, g.state = best, state
}

// near is how much more overload than the least is worth fewer pods, where no candidate keeps the
// budget. The last percent of overload costs most.
const near = 1.1

// cheapestNear returns the cheapest candidate with nearly the least overload.
func (g *gate) cheapestNear(least float64) int {
	best := -1
	for i, s := range g.candidates {
		if s.cost <= g.document.cost && s.over <= near*least && (best < 0 || s.cost < g.candidates[best].cost) {
			best = i
		}
	}
	return best
}

func (g *gate) within(s *shadow) bool {
	return s.over <= Budget*g.load && s.recentOver <= shortBudget*g.recentLoad
}

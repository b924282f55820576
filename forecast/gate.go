package forecast

import (
	"math"

	"github.com/progressive-framework/platform/forecast/autoscale"
)

// Headrooms are the candidates without a forecast. Each value is the share of a pod's capacity that
// the current load should use. The rest of the capacity is the headroom.
var Headrooms = [...]float64{.3, .4, .5, .6, .65, .7, .8, .9}

// Floor is the default target of the trigger on the current load: all of a pod's capacity. Without
// a tolerance it adds a pod earlier than a target of 95 % with the default tolerance of 10 %.
const Floor = 1

// Budget is the largest overload that a candidate in use may have, as a share of the load. The goal
// is 0.1 %. The budget is lower than the goal: the gate takes the cheapest of many candidates, and
// the past overload of this candidate may be low only by chance. shortBudget is the same limit for
// the recent overload.
const (
	Budget      = 0.0007
	shortBudget = 0.002
)

// The half-lives of the gate's sums, in hours.
const (
	longMemory  = 48
	shortMemory = 12
)

// simulation is the simulated HPA of one candidate, and its pods.
type simulation struct {
	hpa  *autoscale.HPA
	pods autoscale.Pods
	// slowStart is true if the last pod took the longer time to start.
	slowStart bool
	// cost is the sum of the pods of all steps, and overload is the sum of the overload. Older steps
	// count less, with the half-life longMemory. recentOverload has the half-life shortMemory.
	cost, overload, recentOverload float64
}

// newSimulation returns a simulation that begins with the smallest number of pods.
func newSimulation(spec autoscale.Spec) *simulation {
	return &simulation{hpa: autoscale.NewHPA(spec), pods: autoscale.Pods{Ready: spec.Min}}
}

// scale changes the number of pods at step k as the HPA decides. proposal is the number of pods
// that the HPA's metrics propose.
func (s *simulation) scale(k, proposal int) {
	s.pods.Scale(s.hpa.Next(k*StepSeconds, s.pods.Count(), proposal), s.nextDelay)
}

// nextDelay returns how long the next pod takes to start, in steps: 60 s and 45 s alternately. Real
// pods take 30 to 60 s, and then serve from the next step. Random times would be shorter for some
// candidates than for others.
func (s *simulation) nextDelay() int {
	s.slowStart = !s.slowStart
	if s.slowStart {
		return 60 / StepSeconds
	}
	return 45 / StepSeconds
}

// serve simulates one step with this load.
func (s *simulation) serve(load float64) {
	s.cost += float64(s.pods.Count())
	overload := s.pods.Step(load)
	s.overload += overload
	s.recentOverload += overload
}

// gate simulates all candidates and chooses one of them.
type gate struct {
	document   *simulation // the design document's HPA
	candidates []*simulation
	// load and recentLoad are decayed sums of the load. Their half-lives are those of the sums in a
	// simulation.
	load       float64
	recentLoad float64
	// current is the index of the candidate in use. It is -1 before the first choice, and if
	// every candidate is too expensive.
	current int
	state   GateState
}

// GateState says why the current candidate is in use.
type GateState string

// The states of the gate.
const (
	// Learning: the history is shorter than a day. Pods returns the number of pods of the design
	// document's HPA.
	Learning GateState = "learning"
	// WithinBudget: the overload of the candidate in use is within the budget, and the candidate
	// costs no more than the design document's HPA.
	WithinBudget GateState = "within_budget"
	// LeastOverload: every candidate within the budget costs more than the design document's HPA.
	// Of the candidates that cost no more, one with nearly the least overload is in use.
	LeastOverload GateState = "least_overload"
	// TooExpensive: every candidate costs more than the design document's HPA. Pods returns the
	// number of pods of that HPA.
	TooExpensive GateState = "too_expensive"
)

// serve simulates one step of all candidates and of the design document's HPA with this load.
func (g *gate) serve(load float64) {
	g.load += load
	g.recentLoad += load
	g.document.serve(load)
	for _, s := range g.candidates {
		s.serve(load)
	}
}

// newGate returns a gate for candidateCount candidates. document is the behaviour of the design
// document's HPA. predictive is the behaviour of the candidates' HPAs.
func newGate(document, predictive autoscale.Spec, candidateCount int) *gate {
	g := &gate{document: newSimulation(document), current: -1, state: Learning}
	for range candidateCount {
		g.candidates = append(g.candidates, newSimulation(predictive))
	}
	return g
}

// decay reduces each sum, so that older steps count less. It must be called once an hour: the
// weight of a step is then half after longMemory or shortMemory hours.
func (g *gate) decay() {
	longFactor, shortFactor := math.Exp2(-1.0/longMemory), math.Exp2(-1.0/shortMemory)
	g.load *= longFactor
	g.recentLoad *= shortFactor
	for _, s := range append(g.candidates, g.document) {
		s.cost *= longFactor
		s.overload *= longFactor
		s.recentOverload *= shortFactor
	}
}

// hysteresis is the share of the cost that a new candidate must save to replace the current one.
const hysteresis = 0.005

// choose selects the candidate for the next hour. It considers only affordable candidates, and
// selects the cheapest of those that are within the budget. If none is within the budget, choose
// selects the cheapest of those with nearly the least overload. The current candidate stays if the
// new one saves less than hysteresis.
func (g *gate) choose() {
	if best := g.cheapest(g.isWithinBudget); best >= 0 {
		if g.shouldKeepCurrent(best) {
			best = g.current
		}
		g.current, g.state = best, WithinBudget
		return
	}
	maxOverload := nearLeast * g.leastOverload()
	best := g.cheapest(func(s *simulation) bool { return s.overload <= maxOverload })
	if best >= 0 {
		g.current, g.state = best, LeastOverload
		return
	}
	g.current, g.state = -1, TooExpensive
}

// shouldKeepCurrent reports whether the current candidate stays although best is cheaper: it is
// affordable and within the budget, and best saves less than hysteresis.
func (g *gate) shouldKeepCurrent(best int) bool {
	if g.current < 0 {
		return false
	}
	current := g.candidates[g.current]
	return g.isWithinBudget(current) && g.isAffordable(current) && g.candidates[best].cost > (1-hysteresis)*current.cost
}

// A candidate has nearly the least overload if its overload is at most nearLeast times the
// least. A little more overload is accepted, because the last avoided overload costs the
// most pods.
const nearLeast = 1.1

// isAffordable reports whether a candidate costs no more than the design document's HPA.
func (g *gate) isAffordable(s *simulation) bool { return s.cost <= g.document.cost }

// leastOverload returns the least overload of the affordable candidates, or infinity if there are
// none.
func (g *gate) leastOverload() float64 {
	least := math.Inf(1)
	for _, s := range g.candidates {
		if g.isAffordable(s) {
			least = min(least, s.overload)
		}
	}
	return least
}

// cheapest returns the index of the cheapest affordable candidate that fulfils the condition, or -1
// if there is none.
func (g *gate) cheapest(condition func(*simulation) bool) int {
	best := -1
	for i, s := range g.candidates {
		if g.isAffordable(s) && condition(s) && (best < 0 || s.cost < g.candidates[best].cost) {
			best = i
		}
	}
	return best
}

// isWithinBudget reports whether the overload of the candidate is within both budgets.
func (g *gate) isWithinBudget(s *simulation) bool {
	return s.overload <= Budget*g.load && s.recentOverload <= shortBudget*g.recentLoad
}

package forecast

import (
	"fmt"
	"math"
	"slices"

	"github.com/progressive-framework/platform/forecast/autoscale"
)

// Config describes the service. The design document's HPA is the HPA that the design document
// requires for this service.
type Config struct {
	// Target is the target of the design document's HPA, as a share of a pod's capacity.
	Target float64
	// Document is the behaviour of the design document's HPA. Predictive is the behaviour of the
	// HPA that uses the forecast.
	Document, Predictive autoscale.Spec
	// Floor is the target of the trigger on the current load, as a share of a pod's capacity.
	// This trigger is always active alongside the forecast. Zero means the constant Floor.
	Floor float64
	// Horizon is the number of steps for which the load is forecast: the time until a new pod
	// is ready.
	Horizon int
	// Start is the Unix time of the first step.
	Start int64
	// WithoutForecast removes the experts. Then all candidates depend on the current load only.
	WithoutForecast bool
}

// Forecaster learns the load of one service. It is not safe for concurrent use.
type Forecaster struct {
	config  Config
	history *history
	experts []*expert
	gate    *gate
	// proposedPods are the pods that each candidate proposes at the current step: first the
	// quantiles of each expert, then the headrooms.
	proposedPods   []float64
	candidateNames []string
	// currentInputs and pastInputs are the inputs of the regression of the growth, for the current
	// step and for a past step.
	currentInputs, pastInputs [growthInputCount]float64
}

// New returns a forecaster without history.
func New(config Config) *Forecaster {
	if config.Floor == 0 {
		config.Floor = Floor
	}
	f := &Forecaster{config: config, history: newHistory(config.Horizon)}
	if !config.WithoutForecast {
		f.experts = []*expert{newExpert("growth", newRidge(growthInputCount)), newExpert("steady", nil)}
	}
	for _, e := range f.experts {
		for _, q := range Levels {
			f.candidateNames = append(f.candidateNames, fmt.Sprintf("%s %.4g", e.name, q))
		}
	}
	for _, headroom := range Headrooms {
		f.candidateNames = append(f.candidateNames, fmt.Sprintf("headroom %.2f", headroom))
	}
	f.proposedPods = make([]float64, len(f.candidateNames))
	f.gate = newGate(config.Document, config.Predictive, len(f.proposedPods))
	return f
}

const (
	// firstSimulated is the first step of the simulation, after half a day.
	firstSimulated = day / 2
	// firstChoice is the step at which the gate chooses a candidate for the first time.
	firstChoice = day
	// maxLoad is the largest valid load, in pods.
	maxLoad = 1e6
)

// Add appends the load of the next step, in pods. A load that is negative, not a number or above
// maxLoad counts as missing.
func (f *Forecaster) Add(load float64) {
	h := f.history
	missing := !(load >= 0 && load <= maxLoad) // also true for NaN
	firstNewGrowth := h.knownGrowths
	h.add(load, missing)
	for k := firstNewGrowth; k < h.knownGrowths; k++ {
		f.learn(k)
	}
	k := h.steps - 1
	load = h.load.at(k) // a missing load is the load of the step before
	if k >= firstSimulated {
		f.gate.serve(load)
	}
	if h.steps%hour == 0 {
		for _, e := range f.experts {
			e.fit()
		}
		if h.steps >= firstChoice {
			f.gate.choose()
		}
		f.gate.decay()
	}
	f.propose()
}

// learn passes the growth of step k to the experts. The regressions learn from one step a minute.
// They skip a step if a load is missing in the hour before the step or in the horizon after it.
func (f *Forecaster) learn(k int) {
	h := f.history
	train := k > 0 && k%minute == 0 && h.isComplete(k-hour, k+h.horizon)
	if train && len(f.experts) > 0 {
		h.fillGrowthInputs(f.pastInputs[:], k, f.config.Start)
	}
	for _, e := range f.experts {
		e.learn(h, f.pastInputs[:], k, train)
	}
}

// propose computes the number of pods that each candidate proposes at the current step. Then it scales
// the simulated pods as the simulated HPAs decide: one HPA of the design document, and one HPA for each
// candidate. The HPA of a candidate has two metrics: the current load, and the proposal.
func (f *Forecaster) propose() {
	h := f.history
	k := h.steps
	currentLoad := h.recentMean(k)
	i := 0
	if len(f.experts) > 0 {
		h.fillGrowthInputs(f.currentInputs[:], k, f.config.Start)
	}
	for _, e := range f.experts {
		growth, spread := e.predict(h, f.currentInputs[:], k)
		for _, q := range e.quantiles {
			f.proposedPods[i] = min(max(math.Expm1(h.level.at(k)+growth+q*spread), 0), maxLoad)
			i++
		}
	}
	for _, headroom := range Headrooms {
		f.proposedPods[i] = currentLoad / headroom
		i++
	}
	if k < firstSimulated {
		return
	}
	document, predictiveSpec := f.gate.document, f.config.Predictive
	document.scale(k, f.config.Document.Proposal(currentLoad, f.config.Target, document.pods.Count()))
	for i, candidate := range f.gate.candidates {
		count := candidate.pods.Count()
		byLoad := predictiveSpec.Proposal(currentLoad, f.config.Floor, count)
		byForecast := predictiveSpec.Proposal(f.proposedPods[i], 1, count)
		candidate.scale(k, max(byLoad, byForecast))
	}
}

// Pods returns the pods that the service needs when pods that start now are ready. The number is
// finite and not negative. Before the first choice it is that of the design document's HPA.
func (f *Forecaster) Pods() float64 {
	if c := f.gate.current; c >= 0 {
		return f.proposedPods[c]
	}
	return f.history.recentMean(f.history.steps) / f.config.Target
}

// Status explains the result of Pods.
type Status struct {
	// State is the state of the gate.
	State GateState
	// Candidate is the name of the candidate in use: an expert with its quantile, or a headroom.
	Candidate string
	// HistoryDays is the length of the history.
	HistoryDays float64
	// Overload is the overload of the candidate in the simulation: the share of the load that
	// was above the capacity of its pods. RecentOverload is the same share with the half-life
	// shortMemory.
	Overload, RecentOverload float64
	// Load is the mean load of the last minute. Forecast is the median of the predicted largest
	// load within the horizon. Both are in pods.
	Load, Forecast float64
	// Pods are the pods that the first expert proposes, at each of the Levels.
	Pods [len(Levels)]float64
}

// Status returns the current status.
func (f *Forecaster) Status() Status {
	h, g := f.history, f.gate
	s := Status{
		State: g.state, Candidate: fmt.Sprintf("headroom %.2f", f.config.Target),
		HistoryDays: float64(h.steps) / day, Load: h.recentMean(h.steps),
	}
	candidateInUse := g.document
	if g.current >= 0 {
		s.Candidate, candidateInUse = f.candidateNames[g.current], g.candidates[g.current]
	}
	if g.load > 0 {
		s.Overload = candidateInUse.overload / g.load
	}
	if g.recentLoad > 0 {
		s.RecentOverload = candidateInUse.recentOverload / g.recentLoad
	}
	if len(f.experts) > 0 {
		copy(s.Pods[:], f.proposedPods)
		s.Forecast = s.Pods[slices.Index(Levels[:], 0.5)]
	}
	return s
}

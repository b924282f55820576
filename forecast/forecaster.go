package forecast

import (
	"fmt"
	"math"
	"slices"

	"github.com/progressive-framework/platform/forecast/autoscale"
)

// Config describes the service.
type Config struct {
	// Target is the share of a pod's capacity that the document's HPA aims at.
	Target float64
	// Document is the behaviour of the document's HPA, and Ours that of the HPA in use.
	Document, Ours autoscale.Spec
	// Floor is the target of the reactive trigger that holds in any case, as a share of a
	// pod's capacity. Zero means the constant Floor.
	Floor float64
	// Horizon is how far ahead the load is forecast, in steps: the time until a new pod is
	// ready.
	Horizon int
	// Start is the Unix time of the first step.
	Start int64
	// WithoutForecast leaves only candidates on the present load.
	WithoutForecast bool
}

// Forecaster learns the load of one service. It is not safe for concurrent use.
type Forecaster struct {
	config  Config
	history *history
	experts []*expert
	gate    *gate
	// pods are the proposals of the candidates at the present step.
	pods []float64
	// names are the names of the candidates.
	names []string
	x     [features]float64
	old   [features]float64
}

// New returns a forecaster without history.
func New(config Config) *Forecaster {
	if config.Floor == 0 {
		config.Floor = Floor
	}
	f := &Forecaster{config: config, history: newHistory(config.Horizon)}
	if !config.WithoutForecast {
		f.experts = []*expert{newExpert("growth", newRidge(features)), newExpert("steady", nil)}
	}
	for _, e := range f.experts {
		for _, q := range Levels {
			f.names = append(f.names, fmt.Sprintf("%s %.4g", e.name, q))
		}
	}
	for _, u := range Headrooms {
		f.names = append(f.names, fmt.Sprintf("headroom %.2f", u))
	}
	f.pods = make([]float64, len(f.names))
	f.gate = newGate(config.Document, config.Ours, len(f.pods))
	return f
}

// warm is when the candidates begin to count: half a day. ready is when the gate chooses first.
const (
	warm  = day / 2
	ready = day
)

// largest is the largest load that is believed, in pods.
const largest = 1e6

// Add appends the load of the next step, in pods. A load that is negative, huge or not a number
// counts as missing.
func (f *Forecaster) Add(load float64) {
	h := f.history
	missing := !(load >= 0 && load <= largest)
	known := h.known
	h.add(load, missing)
	for k := known; k < h.known; k++ {
		f.learn(k)
	}
	k := h.steps - 1
	load = h.load.at(k)
	if k > 0 && k >= warm {
		g := f.gate
		g.load += load
		g.recentLoad += load
		g.document.serve(load)
		for _, s := range g.candidates {
			s.serve(load)
		}
	}
	if h.steps%hour == 0 {
		for _, e := range f.experts {
			e.fit()
		}
		if h.steps >= ready {
			f.gate.choose()
		}
		f.gate.fade()
	}
	f.propose()
}

// learn gives the growth of step k to the experts.
func (f *Forecaster) learn(k int) {
	h := f.history
	row := k%minute == 0
	usable := k > 0 && h.whole(k-hour, k+h.horizon)
	if row && usable && len(f.experts) > 0 {
		h.fill(f.old[:], k, f.config.Start)
	}
	for _, e := range f.experts {
		e.learn(h, f.old[:], k, usable, row)
	}
}

// propose computes what each candidate asks for at the present step, and scales the shadows.
func (f *Forecaster) propose() {
	h := f.history
	k := h.steps
	present := h.recent(k)
	i := 0
	if len(f.experts) > 0 {
		h.fill(f.x[:], k, f.config.Start)
	}
	for _, e := range f.experts {
		growth, spread := e.predict(h, f.x[:], k)
		for _, q := range e.quantiles {
			f.pods[i] = min(max(math.Expm1(h.level.at(k)+growth+q*spread), 0), largest)
			i++
		}
	}
	for _, u := range Headrooms {
		f.pods[i] = present / u
		i++
	}
	if k < warm {
		return
	}
	d, ours := f.gate.document, f.config.Ours
	d.scale(k, f.config.Document.Proposal(present, f.config.Target, d.pods.Count()))
	for i, s := range f.gate.candidates {
		count := s.pods.Count()
		s.scale(k, max(ours.Proposal(present, f.config.Floor, count), ours.Proposal(f.pods[i], 1, count)))
	}
}

// Pods returns the pods that are needed when pods that start now are ready. It is finite and not
// negative.
func (f *Forecaster) Pods() float64 {
	if c := f.gate.current; c >= 0 {
		return f.pods[c]
	}
	return f.history.recent(f.history.steps) / f.config.Target
}

// Status says what is published, and why.
type Status struct {
	// State is the state of the gate.
	State GateState
	// Candidate is the name of the candidate in use: an expert with its quantile, or a headroom.
	Candidate string
	// HistoryDays is the length of the history.
	HistoryDays float64
	// Overload is the candidate's share of the load above the capacity of its pods, in the
	// simulation. Recent counts the last half day more.
	Overload, RecentOverload float64
	// Load is the present load, and Forecast the median of the largest load in the horizon, in
	// pods.
	Load, Forecast float64
	// Pods are the pods at each of the Levels, by the forecast of the growth.
	Pods [len(Levels)]float64
}

// Status returns the present status.
func (f *Forecaster) Status() Status {
	h, g := f.history, f.gate
	s := Status{
		State: g.state, Candidate: fmt.Sprintf("headroom %.2f", f.config.Target),
		HistoryDays: float64(h.steps) / day, Load: h.recent(h.steps),
	}
	shown := g.document
	if g.current >= 0 {
		s.Candidate, shown = f.names[g.current], g.candidates[g.current]
	}
	if g.load > 0 {
		s.Overload = shown.over / g.load
	}
	if g.recentLoad > 0 {
		s.RecentOverload = shown.recentOver / g.recentLoad
	}
	if len(f.experts) > 0 {
		copy(s.Pods[:], f.pods)
		s.Forecast = s.Pods[slices.Index(Levels[:], 0.5)]
	}
	return s
}

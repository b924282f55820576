package backtest

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/progressive-framework/platform/forecast"
	"github.com/progressive-framework/platform/forecast/autoscale"
)

// TraceReport has the results of all controllers on one trace.
type TraceReport struct {
	Name    string                `json:"trace"`
	Results map[Controller]Result `json:"results"`
	// HindsightSetting describes the HPA of Hindsight.
	HindsightSetting string `json:"hindsight_setting"`
	// OverloadAtEqualCost is our overload as a change from that of the tuned behaviour, at the
	// target that costs as many pod-hours. NaN where that HPA has no overload or costs never as little.
	OverloadAtEqualCost float64 `json:"-"`
	grid                []Result
	// hindsightDeadBand is Hindsight among the HPAs with the default dead band.
	hindsightDeadBand Result
	identical, blind  bool
}

// Range is the mean and the worst of a figure over the traces.
type Range struct {
	Mean  float64 `json:"mean"`
	Worst float64 `json:"worst"`
}

// Report is what make bench-prediction prints.
type Report struct {
	Traces       []TraceReport `json:"traces"`
	TunedSetting string        `json:"tuned_setting"`
	// Savings are shares of pod-hours.
	SavingVsDocument Range `json:"saving_vs_doc"`
	SavingVsTuned    Range `json:"saving_vs_tuned"`
	// SavingVsFirstTuned compares with firstTuned, by which the goals were set.
	SavingVsFirstTuned Range `json:"saving_vs_first_tuned"`
	PerfectVsTuned     Range `json:"perfect_vs_tuned"`
	SavingVsHindsight  Range `json:"saving_vs_hindsight"`
	PerfectVsHindsight Range `json:"perfect_vs_hindsight"`
	// SavingVsHindsightDeadBand and PerfectVsHindsightDeadBand are those against HPAs with the
	// default dead band, as all were when the goals were set.
	SavingVsHindsightDeadBand  Range `json:"saving_vs_hindsight_dead_band"`
	PerfectVsHindsightDeadBand Range `json:"perfect_vs_hindsight_dead_band"`
	SavingDocumentPolicies     Range `json:"saving_document_policies"`
	// LeftOut are the traces where ours or Hindsight has more than 0.1 % overload.
	LeftOut             []string      `json:"left_out"`
	OverloadAtEqualCost Range         `json:"overload_at_equal_cost"`
	GapClosed           float64       `json:"gap_closed"`
	FirstGapClosed      float64       `json:"gap_closed_from_first_tuned"`
	WithinBudget        int           `json:"within_budget"`
	NotWorse            int           `json:"not_worse"`
	Train, Tick         time.Duration `json:"-"`
	RerunIdentical      bool          `json:"rerun_identical"`
	NoLookahead         bool          `json:"no_lookahead"`
}

// Run runs all controllers over all traces, on the given number of cores.
func Run(traces []Trace, cores int) Report {
	r := Report{Traces: make([]TraceReport, len(traces))}
	// The longest traces come first, so that no core waits long at the end.
	order := make([]int, len(traces))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(traces[b].Load) - len(traces[a].Load) })
	parallel(order, cores, func(i int) { r.Traces[i] = runTrace(traces[i]) })
	r.tune()
	r.summarize()
	r.Train, r.Tick = times(traces[0])
	return r
}

func parallel(jobs []int, cores int, work func(int)) {
	queue := make(chan int)
	var group sync.WaitGroup
	for range cores {
		group.Go(func() {
			for i := range queue {
				work(i)
			}
		})
	}
	for _, i := range jobs {
		queue <- i
	}
	close(queue)
	group.Wait()
}

func runTrace(trace Trace) TraceReport {
	t := TraceReport{Name: trace.Name, Results: map[Controller]Result{}}
	t.Results[Document] = runDocument(trace)
	t.Results[Perfect] = run(trace, nil, perfect{trace.Load, trace.Service.Document})
	for _, s := range grid(trace.Service.Document) {
		t.grid = append(t.grid, run(trace, &s.spec, reactive{s.spec, trace.Load, s.target}))
	}
	for _, c := range []Controller{Gate, Ours, OursDeadBand, OursDocument} {
		t.Results[c] = runPredictive(c, trace)
	}
	t.identical, t.blind = check(trace)
	return t
}

// check publishes the first days of a trace twice, the second time with another future, and
// compares what was published before.
func check(trace Trace) (identical, blind bool) {
	const days, change = 4 * day, 3*day + day/2
	publish := func(load []float64) []float64 {
		p, spec := newPredictive(Ours, trace)
		p.load, p.keep = load, true
		for k := 1; k < len(load); k++ {
			p.proposal(k, spec.Min)
		}
		return p.published
	}
	load := slices.Clone(trace.Load[:min(days, len(trace.Load))])
	first, again := publish(load), publish(load)
	for k := change; k < len(load); k++ {
		load[k] = peak - min(load[k], peak)
	}
	other := publish(load)
	return slices.Equal(first, again), slices.Equal(first[:change], other[:change]) && !slices.Equal(first, other)
}

// tune chooses the settings of Tuned and Hindsight.
func (r *Report) tune() {
	settings := grid(MainApplication().Document) // targets and names are the same for each service
	best, cost := -1, math.Inf(1)
	for i, s := range settings {
		sum, allowed := 0.0, s.target <= mostTarget
		for _, t := range r.Traces {
			sum += t.grid[i].IdealRatio
			allowed = allowed && t.grid[i].OverloadShare <= max(acceptedOverload, t.Results[Document].OverloadShare)
		}
		if allowed && sum < cost {
			best, cost = i, sum
		}
	}
	r.TunedSetting = settings[best].String()
	for j := range r.Traces {
		t := &r.Traces[j]
		t.Results[Tuned] = t.grid[best]
		h := hindsight(settings, t.grid, 0)
		t.Results[Hindsight], t.HindsightSetting = t.grid[h], settings[h].String()
		t.hindsightDeadBand = t.grid[hindsight(settings, t.grid, autoscale.DefaultTolerance)]
		var family []Result
		for i, s := range settings {
			if b := settings[best]; s.up == b.up && s.down == b.down && s.tolerance == b.tolerance {
				family = append(family, t.grid[i])
			}
		}
		t.OverloadAtEqualCost = t.Results[Ours].OverloadShare/overloadAt(family, t.Results[Ours].PodHours) - 1
	}
}

// hindsight returns the cheapest setting with at most 0.1 % overload, or the one with the least
// overload, among those with at least this dead band.
func hindsight(settings []setting, results []Result, deadBand float64) int {
	h := -1
	for i, g := range results {
		if settings[i].target > mostTarget || settings[i].tolerance < deadBand {
			continue
		}
		if h < 0 {
			h = i
		}
		least := results[h]
		if g.OverloadShare <= acceptedOverload && (least.OverloadShare > acceptedOverload || g.PodHours < least.PodHours) ||
			least.OverloadShare > acceptedOverload && g.OverloadShare < least.OverloadShare {
			h = i
		}
	}
	return h
}

// overloadAt interpolates the logarithm of the overload between the targets of a family, whose
// pod-hours decrease. It returns NaN outside of their range, or where there is no overload.
func overloadAt(family []Result, podHours float64) float64 {
	for i := 1; i < len(family); i++ {
		a, b := family[i-1], family[i]
		if a.PodHours >= podHours && podHours >= b.PodHours && a.PodHours > b.PodHours {
			if a.OverloadShare == 0 {
				return math.NaN()
			}
			share := (a.PodHours - podHours) / (a.PodHours - b.PodHours)
			return math.Exp((1-share)*math.Log(a.OverloadShare) + share*math.Log(b.OverloadShare))
		}
	}
	return math.NaN()
}

// summarize computes the figures over all traces.
func (r *Report) summarize() {
	r.RerunIdentical, r.NoLookahead = true, true
	var vsDocument, vsTuned, vsFirst, perfectVsTuned, vsHindsight, perfectVsHindsight, vsDeadBand, perfectVsDeadBand, policies, equal []float64
	var tuned, first, ours, ideal float64
	firstTuned := slices.IndexFunc(grid(MainApplication().Document), setting.isFirstTuned)
	for _, t := range r.Traces {
		o, d := t.Results[Ours], t.Results[Document]
		vsDocument = append(vsDocument, 1-o.PodHours/d.PodHours)
		vsTuned = append(vsTuned, 1-o.PodHours/t.Results[Tuned].PodHours)
		vsFirst = append(vsFirst, 1-o.PodHours/t.grid[firstTuned].PodHours)
		perfectVsTuned = append(perfectVsTuned, 1-t.Results[Perfect].PodHours/t.Results[Tuned].PodHours)
		policies = append(policies, 1-t.Results[OursDocument].PodHours/d.PodHours)
		if h := t.Results[Hindsight]; h.OverloadShare <= acceptedOverload && o.OverloadShare <= acceptedOverload {
			vsHindsight = append(vsHindsight, 1-o.PodHours/h.PodHours)
			perfectVsHindsight = append(perfectVsHindsight, 1-t.Results[Perfect].PodHours/h.PodHours)
		} else {
			r.LeftOut = append(r.LeftOut, t.Name)
		}
		if h := t.hindsightDeadBand; h.OverloadShare <= acceptedOverload && o.OverloadShare <= acceptedOverload {
			vsDeadBand = append(vsDeadBand, 1-o.PodHours/h.PodHours)
			perfectVsDeadBand = append(perfectVsDeadBand, 1-t.Results[Perfect].PodHours/h.PodHours)
		}
		if !math.IsNaN(t.OverloadAtEqualCost) {
			equal = append(equal, t.OverloadAtEqualCost)
		}
		tuned, ours, ideal = tuned+t.Results[Tuned].IdealRatio, ours+o.IdealRatio, ideal+t.Results[Perfect].IdealRatio
		first += t.grid[firstTuned].IdealRatio
		if o.OverloadShare <= acceptedOverload {
			r.WithinBudget++
		}
		if o.OverloadShare <= max(acceptedOverload, d.OverloadShare) && o.PodHours <= 1.02*d.PodHours {
			r.NotWorse++
		}
		r.RerunIdentical = r.RerunIdentical && t.identical
		r.NoLookahead = r.NoLookahead && t.blind
	}
	r.SavingVsDocument, r.SavingVsTuned = saving(vsDocument), saving(vsTuned)
	r.SavingVsFirstTuned, r.PerfectVsTuned = saving(vsFirst), saving(perfectVsTuned)
	r.SavingVsHindsight, r.PerfectVsHindsight = saving(vsHindsight), saving(perfectVsHindsight)
	r.SavingVsHindsightDeadBand, r.PerfectVsHindsightDeadBand = saving(vsDeadBand), saving(perfectVsDeadBand)
	r.SavingDocumentPolicies = saving(policies)
	if len(equal) > 0 {
		r.OverloadAtEqualCost = Range{mean(equal), slices.Max(equal)}
	}
	r.GapClosed, r.FirstGapClosed = (tuned-ours)/(tuned-ideal), (first-ours)/(first-ideal)
}

func saving(values []float64) Range {
	if len(values) == 0 {
		return Range{}
	}
	return Range{mean(values), slices.Min(values)}
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// times measures single observations, after a day: the median of those that train, and of the
// others.
func times(trace Trace) (train, tick time.Duration) {
	f := forecast.New(config(Ours, trace))
	var trains, ticks []time.Duration
	for k, load := range trace.Load {
		begin := time.Now()
		f.Add(load)
		took := time.Since(begin)
		switch {
		case k < day:
		case (k+1)%(3600/step) == 0:
			trains = append(trains, took)
		default:
			ticks = append(ticks, took)
		}
	}
	slices.Sort(trains)
	slices.Sort(ticks)
	return trains[len(trains)/2], ticks[len(ticks)/2]
}

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
	// OverloadAtEqualCost compares the overload of Predictive with the overload of an HPA of equal
	// cost. This HPA has the behaviour of Tuned. Its target is chosen so that it costs as many
	// pod-hours as Predictive. The value is a relative difference: -0.5 means that Predictive has
	// half of the HPA's overload. The value is NaN if the HPA has no overload, or if no target makes
	// the HPA as cheap as Predictive.
	OverloadAtEqualCost float64  `json:"-"`
	gridResults         []Result // by the settings of gridSettings
	// hindsightDefaultTolerance is the result of Hindsight if only HPAs with the default tolerance
	// count.
	hindsightDefaultTolerance Result
	// identical and noLookahead are the results of checkDeterminism.
	identical, noLookahead bool
}

// MeanAndWorst has the mean and the worst value of a figure over the traces.
type MeanAndWorst struct {
	Mean  float64 `json:"mean"`
	Worst float64 `json:"worst"`
}

// Report is what make bench-prediction prints.
type Report struct {
	Traces       []TraceReport `json:"traces"`
	TunedSetting string        `json:"tuned_setting"`
	// A saving is a share of the pod-hours of the other controller. SavingVs… is what Predictive
	// saves, and PerfectVs… is what Perfect saves.
	SavingVsDocument MeanAndWorst `json:"saving_vs_doc"`
	SavingVsTuned    MeanAndWorst `json:"saving_vs_tuned"`
	// SavingVsFirstTuned is the saving against the HPA of isFirstTuned.
	SavingVsFirstTuned MeanAndWorst `json:"saving_vs_first_tuned"`
	PerfectVsTuned     MeanAndWorst `json:"perfect_vs_tuned"`
	SavingVsHindsight  MeanAndWorst `json:"saving_vs_hindsight"`
	PerfectVsHindsight MeanAndWorst `json:"perfect_vs_hindsight"`
	// SavingVsHindsightDefaultTolerance and PerfectVsHindsightDefaultTolerance are the savings
	// against HPAs with the default tolerance. When the goals of the design were set, all HPAs had
	// it.
	SavingVsHindsightDefaultTolerance  MeanAndWorst `json:"saving_vs_hindsight_dead_band"`
	PerfectVsHindsightDefaultTolerance MeanAndWorst `json:"perfect_vs_hindsight_dead_band"`
	// SavingDocumentPolicies is the saving of PredictiveDocument against Document.
	SavingDocumentPolicies MeanAndWorst `json:"saving_document_policies"`
	// LeftOut are the traces where Predictive or Hindsight has more than 0.1 % overload. They do not
	// count in SavingVsHindsight and PerfectVsHindsight.
	LeftOut             []string     `json:"left_out"`
	OverloadAtEqualCost MeanAndWorst `json:"overload_at_equal_cost"`
	// GapClosed is the saving of Predictive as a share of the saving of Perfect, both against Tuned.
	// FirstGapClosed is the same against the HPA of isFirstTuned.
	GapClosed      float64 `json:"gap_closed"`
	FirstGapClosed float64 `json:"gap_closed_from_first_tuned"`
	// WithinBudget is the number of traces where Predictive has at most 0.1 % overload.
	WithinBudget int `json:"within_budget"`
	// NotWorse is the number of traces where Predictive is not worse than Document. Its overload is
	// then at most the overload of Document, or at most 0.1 %. Its pod-hours are at most 2 % more.
	NotWorse int `json:"not_worse"`
	// TrainStepTime is the median time of a step in which the regressions train. PlainStepTime is
	// the median time of the other steps.
	TrainStepTime, PlainStepTime time.Duration `json:"-"`
	// RerunIdentical is true if a second run publishes the same numbers. NoLookahead is true if
	// a change of the load does not change the numbers that are published before it.
	RerunIdentical bool `json:"rerun_identical"`
	NoLookahead    bool `json:"no_lookahead"`
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
	runParallel(order, cores, func(i int) { r.Traces[i] = runTrace(traces[i]) })
	r.chooseSettings()
	r.summarize()
	r.TrainStepTime, r.PlainStepTime = measureStepTimes(traces[0])
	return r
}

// runParallel calls work for each job. At most cores calls run at the same time.
func runParallel(jobs []int, cores int, work func(int)) {
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

// runTrace runs all controllers over one trace, and all settings of the grid.
func runTrace(trace Trace) TraceReport {
	t := TraceReport{Name: trace.Name, Results: map[Controller]Result{}}
	t.Results[Document] = runDocument(trace)
	t.Results[Perfect] = runSimulation(trace, nil, perfectMetrics{trace.Load, trace.Service.Document})
	for _, s := range gridSettings(trace.Service.Document) {
		t.gridResults = append(t.gridResults, runSimulation(trace, &s.spec, reactiveMetrics{s.spec, trace.Load, s.target}))
	}
	for _, c := range []Controller{Gate, Predictive, PredictiveDefaultTolerance, PredictiveDocument} {
		t.Results[c] = runPredictive(c, trace)
	}
	t.identical, t.noLookahead = checkDeterminism(trace)
	return t
}

// checkDeterminism runs Predictive over the first four days of a trace three times. The third run
// has a different load in the last half day. identical is true if the first two runs publish the
// same numbers. noLookahead is true if the third run publishes the same numbers until its load
// changes, and other numbers afterwards.
func checkDeterminism(trace Trace) (identical, noLookahead bool) {
	const length, firstChanged = 4 * day, 3*day + day/2
	runPredictor := func(load []float64) []float64 {
		p, spec := newPredictive(Predictive, trace)
		p.load, p.keepPublished = load, true
		for k := 1; k < len(load); k++ {
			p.proposal(k, spec.Min)
		}
		return p.published
	}
	load := slices.Clone(trace.Load[:min(length, len(trace.Load))])
	first, second := runPredictor(load), runPredictor(load)
	for k := firstChanged; k < len(load); k++ {
		load[k] = peak - min(load[k], peak)
	}
	third := runPredictor(load)
	return slices.Equal(first, second), slices.Equal(first[:firstChanged], third[:firstChanged]) && !slices.Equal(first, third)
}

// chooseSettings chooses the settings of Tuned and Hindsight, and sets the figures that depend on
// them.
func (r *Report) chooseSettings() {
	settings := gridSettings(MainApplication().Document) // targets and names are the same for each service
	tuned := r.findTuned(settings)
	r.TunedSetting = settings[tuned].String()
	for j := range r.Traces {
		t := &r.Traces[j]
		t.Results[Tuned] = t.gridResults[tuned]
		hindsight := bestSetting(settings, t.gridResults, 0)
		t.Results[Hindsight], t.HindsightSetting = t.gridResults[hindsight], settings[hindsight].String()
		t.hindsightDefaultTolerance = t.gridResults[bestSetting(settings, t.gridResults, autoscale.DefaultTolerance)]
		// An HPA like Tuned would need a different target to cost as much as Predictive. Its overload
		// is interpolated between the targets of the grid.
		var sameBehavior []Result
		for i, s := range settings {
			if s.hasSameBehavior(settings[tuned]) {
				sameBehavior = append(sameBehavior, t.gridResults[i])
			}
		}
		predicted := t.Results[Predictive]
		t.OverloadAtEqualCost = predicted.OverloadShare/overloadAtCost(sameBehavior, predicted.PodHours) - 1
	}
}

// findTuned returns the index of the setting of Tuned.
func (r *Report) findTuned(settings []setting) int {
	tuned, lowestRatio := -1, math.Inf(1)
	for i, s := range settings {
		ratioSum, allowed := 0.0, s.target <= maxTunedTarget
		for _, t := range r.Traces {
			ratioSum += t.gridResults[i].IdealRatio
			allowed = allowed && t.gridResults[i].OverloadShare <= max(acceptedOverload, t.Results[Document].OverloadShare)
		}
		if allowed && ratioSum < lowestRatio {
			tuned, lowestRatio = i, ratioSum
		}
	}
	return tuned
}

// hasSameBehavior reports whether two settings differ at most in their targets.
func (s setting) hasSameBehavior(other setting) bool {
	return s.up == other.up && s.down == other.down && s.tolerance == other.tolerance
}

// bestSetting returns the index of the cheapest setting with at most 0.1 % overload. If there is
// none, it returns the one with the least overload. It ignores settings with a target above
// maxTunedTarget or a tolerance below minTolerance. It returns -1 if no setting remains.
func bestSetting(settings []setting, results []Result, minTolerance float64) int {
	best := -1
	for i, result := range results {
		if settings[i].target > maxTunedTarget || settings[i].tolerance < minTolerance {
			continue
		}
		if best < 0 || isBetter(result, results[best]) {
			best = i
		}
	}
	return best
}

// isBetter reports whether a result is better than another one: cheaper if both have at most 0.1 %
// overload, otherwise with less overload.
func isBetter(result, other Result) bool {
	if other.OverloadShare > acceptedOverload {
		return result.OverloadShare < other.OverloadShare
	}
	return result.OverloadShare <= acceptedOverload && result.PodHours < other.PodHours
}

// overloadAtCost estimates the overload of an HPA that costs podHours. results are the results of
// one behaviour with increasing targets, so their pod-hours decrease. overloadAtCost interpolates
// the logarithm of the overload between two targets. It returns NaN if podHours is outside of the
// range, or if there is no overload.
func overloadAtCost(results []Result, podHours float64) float64 {
	for i := 1; i < len(results); i++ {
		lowTarget, highTarget := results[i-1], results[i]
		if lowTarget.PodHours >= podHours && podHours >= highTarget.PodHours && lowTarget.PodHours > highTarget.PodHours {
			if lowTarget.OverloadShare == 0 {
				return math.NaN()
			}
			position := (lowTarget.PodHours - podHours) / (lowTarget.PodHours - highTarget.PodHours)
			return math.Exp((1-position)*math.Log(lowTarget.OverloadShare) + position*math.Log(highTarget.OverloadShare))
		}
	}
	return math.NaN()
}

// summarize computes the figures over all traces.
func (r *Report) summarize() {
	firstTunedIndex := slices.IndexFunc(gridSettings(MainApplication().Document), setting.isFirstTuned)
	firstTuned := func(t TraceReport) Result { return t.gridResults[firstTunedIndex] }
	hindsightDefaultTolerance := func(t TraceReport) Result { return t.hindsightDefaultTolerance }
	predicted, document, tuned, perfect, hindsight := selectResult(Predictive), selectResult(Document), selectResult(Tuned), selectResult(Perfect), selectResult(Hindsight)

	r.SavingVsDocument = saving(r.Traces, predicted, document)
	r.SavingVsTuned, r.PerfectVsTuned = saving(r.Traces, predicted, tuned), saving(r.Traces, perfect, tuned)
	r.SavingVsFirstTuned = saving(r.Traces, predicted, firstTuned)
	r.SavingDocumentPolicies = saving(r.Traces, selectResult(PredictiveDocument), document)
	accepted, leftOut := splitByOverload(r.Traces, predicted, hindsight)
	r.SavingVsHindsight, r.PerfectVsHindsight = saving(accepted, predicted, hindsight), saving(accepted, perfect, hindsight)
	for _, t := range leftOut {
		r.LeftOut = append(r.LeftOut, t.Name)
	}
	accepted, _ = splitByOverload(r.Traces, predicted, hindsightDefaultTolerance)
	r.SavingVsHindsightDefaultTolerance = saving(accepted, predicted, hindsightDefaultTolerance)
	r.PerfectVsHindsightDefaultTolerance = saving(accepted, perfect, hindsightDefaultTolerance)
	r.GapClosed, r.FirstGapClosed = gapClosed(r.Traces, tuned), gapClosed(r.Traces, firstTuned)

	var overloads []float64
	r.RerunIdentical, r.NoLookahead = true, true
	for _, t := range r.Traces {
		if !math.IsNaN(t.OverloadAtEqualCost) {
			overloads = append(overloads, t.OverloadAtEqualCost)
		}
		if predicted(t).OverloadShare <= acceptedOverload {
			r.WithinBudget++
		}
		if predicted(t).OverloadShare <= max(acceptedOverload, document(t).OverloadShare) && predicted(t).PodHours <= 1.02*document(t).PodHours {
			r.NotWorse++
		}
		r.RerunIdentical = r.RerunIdentical && t.identical
		r.NoLookahead = r.NoLookahead && t.noLookahead
	}
	if len(overloads) > 0 {
		r.OverloadAtEqualCost = MeanAndWorst{mean(overloads), slices.Max(overloads)}
	}
}

// selector returns one result of a trace.
type selector func(TraceReport) Result

// selectResult returns a selector: a function that returns the result of the controller.
func selectResult(c Controller) selector { return func(t TraceReport) Result { return t.Results[c] } }

// splitByOverload returns the traces where both results have at most 0.1 % overload, and the other
// traces.
func splitByOverload(traces []TraceReport, a, b selector) (accepted, others []TraceReport) {
	for _, t := range traces {
		if a(t).OverloadShare <= acceptedOverload && b(t).OverloadShare <= acceptedOverload {
			accepted = append(accepted, t)
		} else {
			others = append(others, t)
		}
	}
	return accepted, others
}

// saving returns the saving of result, as a share of the pod-hours of reference. Worst is the
// smallest saving of a trace. Without traces, Mean and Worst are 0.
func saving(traces []TraceReport, result, reference selector) MeanAndWorst {
	if len(traces) == 0 {
		return MeanAndWorst{}
	}
	var savings []float64
	for _, t := range traces {
		savings = append(savings, 1-result(t).PodHours/reference(t).PodHours)
	}
	return MeanAndWorst{mean(savings), slices.Min(savings)}
}

// gapClosed returns the saving of Predictive as a share of the saving of Perfect, both against
// reference. A saving here is the difference of the ideal ratios, summed over the traces.
func gapClosed(traces []TraceReport, reference selector) float64 {
	var predictedSum, perfectSum, referenceSum float64
	for _, t := range traces {
		predictedSum += t.Results[Predictive].IdealRatio
		perfectSum += t.Results[Perfect].IdealRatio
		referenceSum += reference(t).IdealRatio
	}
	return (referenceSum - predictedSum) / (referenceSum - perfectSum)
}

// mean returns the mean of values, of which there must be at least one.
func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// measureStepTimes measures how long Forecaster.Add takes, after the first day of a trace. trainTime
// is the median of the steps that train the regressions. plainTime is the median of the other steps.
func measureStepTimes(trace Trace) (trainTime, plainTime time.Duration) {
	f := forecast.New(forecasterConfig(Predictive, trace))
	var trainTimes, plainTimes []time.Duration
	for k, load := range trace.Load {
		begin := time.Now()
		f.Add(load)
		duration := time.Since(begin)
		switch {
		case k < day:
		case (k+1)%(3600/step) == 0: // the regressions train once an hour
			trainTimes = append(trainTimes, duration)
		default:
			plainTimes = append(plainTimes, duration)
		}
	}
	slices.Sort(trainTimes)
	slices.Sort(plainTimes)
	return trainTimes[len(trainTimes)/2], plainTimes[len(plainTimes)/2]
}

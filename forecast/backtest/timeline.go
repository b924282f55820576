package backtest

import (
	"slices"

	"github.com/progressive-framework/platform/forecast"
)

// Timeline shows what happened during the evaluated time of a trace, which it divides into equal
// parts.
type Timeline struct {
	// Days has the beginning of each part, in days since the beginning of the trace.
	Days []float64 `json:"days"`
	// Load is the mean load of each part, in pods.
	Load []float64 `json:"load"`
	// Median and High are the largest forecasts of each part, at the quantiles 0.5 and 0.99.
	Median []float64 `json:"median"`
	High   []float64 `json:"high"`
	// Pods has the largest number of pods of each part, by controller. Overload has the share of
	// the part's load that was above the capacity of the ready pods.
	Pods     map[Controller][]float64 `json:"pods"`
	Overload map[Controller][]float64 `json:"overload"`
}

// NewTimeline runs Document and Predictive over a trace, and returns their timeline. The timeline
// has at most maxParts parts.
func NewTimeline(trace Trace, maxParts int) Timeline {
	steps := len(trace.Load) - trace.FirstEvaluated
	stepsPerPart := max(1, (steps+maxParts-1)/maxParts)
	partCount := (steps + stepsPerPart - 1) / stepsPerPart
	t := Timeline{
		Days: make([]float64, partCount), Load: make([]float64, partCount), Median: make([]float64, partCount), High: make([]float64, partCount),
		Pods: map[Controller][]float64{}, Overload: map[Controller][]float64{},
	}
	loadSums := make([]float64, partCount) // the sum of the loads of each part
	for i := range partCount {
		firstStep := trace.FirstEvaluated + i*stepsPerPart
		partLoads := trace.Load[firstStep:min(firstStep+stepsPerPart, len(trace.Load))]
		for _, load := range partLoads {
			loadSums[i] += load
		}
		t.Days[i], t.Load[i] = float64(firstStep)/day, loadSums[i]/float64(len(partLoads))
	}
	partIndex := func(k int) int { return (k - trace.FirstEvaluated) / stepsPerPart } // of the part with step k
	// newCollector returns a hook for runSimulationWithHook. The hook collects the pods and the
	// overload of a controller.
	newCollector := func(c Controller) func(k, pods int, overload float64) {
		pods, overloads := make([]float64, partCount), make([]float64, partCount)
		t.Pods[c], t.Overload[c] = pods, overloads
		return func(k, podCount int, overload float64) {
			i := partIndex(k)
			pods[i] = max(pods[i], float64(podCount))
			if loadSums[i] > 0 {
				overloads[i] += overload / loadSums[i]
			}
		}
	}
	spec := trace.Service.Document
	runSimulationWithHook(trace, &spec, reactiveMetrics{spec, trace.Load, trace.Service.Target}, newCollector(Document))
	metrics, spec := newPredictive(Predictive, trace)
	medianLevel, highLevel := slices.Index(forecast.Levels[:], 0.5), slices.Index(forecast.Levels[:], 0.99)
	metrics.onStatus = func(k int, s forecast.Status) {
		if k < trace.FirstEvaluated {
			return
		}
		i := partIndex(k)
		t.Median[i], t.High[i] = max(t.Median[i], s.Pods[medianLevel]), max(t.High[i], s.Pods[highLevel])
	}
	runSimulationWithHook(trace, &spec, metrics, newCollector(Predictive))
	return t
}

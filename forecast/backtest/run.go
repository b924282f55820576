package backtest

import (
	"math"
	"math/rand/v2"

	"github.com/progressive-framework/platform/forecast/autoscale"
)

// Result has the figures of one controller on one trace.
type Result struct {
	// PodHours counts pods from their creation.
	PodHours float64 `json:"pod_hours"`
	// IdealRatio is PodHours divided by the fewest pod-hours that serve each step without
	// overload.
	IdealRatio float64 `json:"ideal_ratio"`
	// OverloadShare is the share of the load that arrived above the capacity of the ready pods.
	OverloadShare float64 `json:"overload_share"`
	// BadSteps counts the steps with more than 1 % overload.
	BadSteps int `json:"bad_steps"`
	// PodStartsPerHour is the rate of new pods.
	PodStartsPerHour float64 `json:"pod_starts_per_hour"`
}

// metricSource has the metrics of an autoscaler. proposal returns the number of pods that the
// metrics propose at step k, while there are current pods. It may only use the load before step k.
// Only perfectMetrics also uses later loads.
type metricSource interface {
	proposal(k, current int) int
}

// runSimulation simulates an HPA and its pods over a trace. If spec is nil, there is no HPA, and
// the number of pods is the proposal of metrics.
func runSimulation(trace Trace, spec *autoscale.Spec, metrics metricSource) Result {
	return runSimulationWithHook(trace, spec, metrics, func(int, int, float64) {})
}

// runSimulationWithHook simulates an HPA and its pods over a trace, as runSimulation does. It also
// calls hook for each evaluated step k, with the number of pods and the overload of that step.
func runSimulationWithHook(trace Trace, spec *autoscale.Spec, metrics metricSource, hook func(k, pods int, overload float64)) Result {
	rng := rand.New(rand.NewPCG(7, 15))
	// A pod takes 30 to 60 s to start, and serves from the next step.
	startDelay := func() int { return int(math.Ceil((30 + 30*rng.Float64()) / step)) }
	nextPods := func(_, _, proposal int) int { return proposal }
	if spec != nil {
		nextPods = autoscale.NewHPA(*spec).Next
	}
	service := trace.Service
	pods := &autoscale.Pods{Ready: idealPods(trace.Load[0]/service.Target, service.Document)}
	var result Result
	var podSteps, idealPodSteps, load, overload float64
	createdBefore := 0 // before the evaluated steps
	for k := range trace.Load {
		if k == trace.FirstEvaluated {
			createdBefore = pods.Created
		}
		if k > 0 {
			count := pods.Count()
			pods.Scale(nextPods(k*step, count, metrics.proposal(k, count)), startDelay)
		}
		count := pods.Count()
		stepOverload := pods.Step(trace.Load[k])
		if k < trace.FirstEvaluated {
			continue
		}
		hook(k, count, stepOverload)
		podSteps += float64(count)
		idealPodSteps += float64(idealPods(trace.Load[k], service.Document))
		load += trace.Load[k]
		overload += stepOverload
		if stepOverload > 0.01*trace.Load[k] {
			result.BadSteps++
		}
	}
	result.PodHours = podSteps * step / 3600
	result.IdealRatio = podSteps / idealPodSteps
	if load > 0 {
		result.OverloadShare = overload / load
	}
	result.PodStartsPerHour = float64(pods.Created-createdBefore) / (float64(len(trace.Load)-trace.FirstEvaluated) * step / 3600)
	return result
}

// idealPods returns the fewest pods within the bounds that serve the load.
func idealPods(load float64, bounds autoscale.Spec) int {
	return min(max(int(math.Ceil(load)), bounds.Min), bounds.Max)
}

// Package autoscale simulates a HorizontalPodAutoscaler (HPA) and its pods. It is deterministic: it
// uses no clock, no API and no goroutine. Its tests compare it with recorded decisions of
// Kubernetes' own controller (testdata). Comments name functions of that controller and their files
// in Kubernetes' folder pkg/controller/podautoscaler. Package forecast and package backtest use it.
package autoscale

import "math"

// StepSeconds is the period of the HPA controller
// (--horizontal-pod-autoscaler-sync-period, 15 s by default), and of the simulation.
const StepSeconds = 15

// DefaultTolerance is the controller's default tolerance: it does nothing while the metric differs
// from its target by at most this share (--horizontal-pod-autoscaler-tolerance).
const DefaultTolerance = 0.1

// Policy allows a change of Value pods, or of Value percent, in Seconds.
type Policy struct {
	Percent        bool
	Value, Seconds int
}

// Behavior limits the changes in one direction (autoscaling/v2, HPAScalingRules).
type Behavior struct {
	// Window is the stabilization window in seconds.
	Window   int
	Policies []Policy
	// SelectMin is true if the policy with the smallest change applies (selectPolicy: Min).
	// Otherwise the policy with the largest change applies. The name in JSON must not change:
	// programs of other versions read it.
	SelectMin bool `json:"Least"`
	// Tolerance is the share by which the metric may differ from its target in this direction
	// without a change. It is a field of the HPA's API since Kubernetes 1.33, and enabled by default
	// since 1.35.
	Tolerance float64
}

// Spec is the part of a HorizontalPodAutoscaler that does not depend on its metrics.
type Spec struct {
	// Min and Max bound the number of pods: 1 <= Min <= Max.
	Min, Max int
	Up, Down Behavior
}

// FastSpec returns the behaviour of an HPA that uses a forecast. It adds pods without a
// stabilization window. In each period of 15 s it may add four pods or double their number,
// whichever is more. It removes pods after a stabilization window of a minute.
func FastSpec(minPods, maxPods int, tolerance float64) Spec {
	return Spec{
		Min: minPods, Max: maxPods,
		Up:   Behavior{Policies: []Policy{{Percent: true, Value: 100, Seconds: 15}, {Value: 4, Seconds: 15}}, Tolerance: tolerance},
		Down: Behavior{Window: 60, Policies: []Policy{{Percent: true, Value: 100, Seconds: 15}}, Tolerance: tolerance},
	}
}

// recommendation is a number of pods that was recommended at a time in seconds.
type recommendation struct{ at, pods int }

// scaleEvent is a change of the number of pods at a time in seconds. It is negative if pods were
// removed.
type scaleEvent struct{ at, change int }

// HPA is the state of one HorizontalPodAutoscaler. Its methods are not safe for concurrent use.
type HPA struct {
	spec            Spec
	recommendations []recommendation // oldest first, at most as old as the longer window
	events          []scaleEvent     // oldest first, at most as old as the longest policy
	longestPolicy   int              // in seconds
}

// NewHPA returns an HPA that has not decided anything yet.
func NewHPA(spec Spec) *HPA {
	h := &HPA{spec: spec}
	for _, b := range []Behavior{spec.Up, spec.Down} {
		for _, p := range b.Policies {
			h.longestPolicy = max(h.longestPolicy, p.Seconds)
		}
	}
	return h
}

// Proposal returns the number of pods that one AverageValue metric proposes: the load divided by
// the target, both in the same unit, rounded up. Within the tolerance it is the current number. It
// computes what GetExternalPerPodMetricReplicas of replica_calculator.go does.
func (s Spec) Proposal(load, target float64, current int) int {
	ratio := load / (target * float64(current))
	if ratio >= 1-s.Down.Tolerance && ratio <= 1+s.Up.Tolerance {
		return current
	}
	return int(math.Ceil(min(load/target, math.MaxInt32)))
}

// Next returns the number of pods that the controller sets at time now, in seconds. proposal is the
// largest proposal of its metrics. now must never decrease between calls.
func (h *HPA) Next(now, current, proposal int) int {
	if len(h.recommendations) == 0 { // recordInitialRecommendation
		h.recommendations = append(h.recommendations, recommendation{now, current})
	}
	if current > h.spec.Max || current < h.spec.Min { // then horizontal.go ignores the behaviour
		desired := min(max(current, h.spec.Min), h.spec.Max)
		h.record(now, desired-current)
		return desired
	}
	desired := h.limitChange(now, current, h.stabilize(now, current, proposal))
	h.record(now, desired-current)
	return desired
}

// stabilize limits a proposal by the recommendations within the stabilization windows. It computes
// what stabilizeRecommendationWithBehaviors of horizontal.go does.
func (h *HPA) stabilize(now, current, proposal int) int {
	upRecommendation, downRecommendation := proposal, proposal
	upFrom, downFrom := now-h.spec.Up.Window, now-h.spec.Down.Window
	oldest := min(upFrom, downFrom)
	keptFrom := 0
	for i, r := range h.recommendations {
		if r.at <= oldest {
			keptFrom = i + 1
			continue
		}
		if r.at > upFrom {
			upRecommendation = min(upRecommendation, r.pods)
		}
		if r.at > downFrom {
			downRecommendation = max(downRecommendation, r.pods)
		}
	}
	h.recommendations = append(dropFirst(h.recommendations, keptFrom), recommendation{now, proposal})
	return min(max(current, upRecommendation), downRecommendation)
}

// limitChange limits the desired number of pods by the policies and the bounds. It computes what
// convertDesiredReplicasWithBehaviorRate of horizontal.go does.
func (h *HPA) limitChange(now, current, desired int) int {
	switch {
	case desired > current:
		allowedPods := h.allowedPods(h.spec.Up, now, current, 1)
		return min(desired, max(current, allowedPods), h.spec.Max)
	case desired < current:
		allowedPods := h.allowedPods(h.spec.Down, now, current, -1)
		return max(desired, min(current, allowedPods), h.spec.Min)
	}
	return min(max(desired, h.spec.Min), h.spec.Max)
}

// allowedPods returns the number of pods that the policies allow at time now. direction is 1 when
// pods are added, and -1 when pods are removed. Each policy limits the change since the beginning
// of its period.
func (h *HPA) allowedPods(behavior Behavior, now, current, direction int) int {
	allowed := 0
	for i, p := range behavior.Policies {
		podsAtStart := current
		for _, e := range h.events {
			if e.at > now-p.Seconds {
				podsAtStart -= e.change
			}
		}
		proposed := podsAtStart + direction*p.Value
		if p.Percent {
			scaled := float64(podsAtStart) * (1 + float64(direction)*float64(p.Value)/100)
			if direction > 0 {
				scaled = math.Ceil(scaled)
			}
			proposed = int(scaled)
		}
		// The largest change is the largest number when pods are added, and the smallest number
		// when pods are removed. With SelectMin, the smallest change is chosen instead.
		chooseLargerNumber := (direction > 0) != behavior.SelectMin
		switch {
		case i == 0:
			allowed = proposed
		case chooseLargerNumber:
			allowed = max(allowed, proposed)
		default:
			allowed = min(allowed, proposed)
		}
	}
	return allowed
}

// record stores a change of the number of pods, unless it is 0. It removes the changes that no
// policy needs anymore.
func (h *HPA) record(now, change int) {
	keptFrom := 0
	for keptFrom < len(h.events) && h.events[keptFrom].at <= now-h.longestPolicy {
		keptFrom++
	}
	h.events = dropFirst(h.events, keptFrom)
	if change != 0 {
		h.events = append(h.events, scaleEvent{now, change})
	}
}

// dropFirst removes the first n elements in place, so that a long simulation allocates nothing.
func dropFirst[T any](list []T, n int) []T {
	if n == 0 {
		return list
	}
	return list[:copy(list, list[n:])]
}

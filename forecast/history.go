package forecast

import "math"

// StepSeconds is the length of a step in seconds. It is the period of the HPA controller.
const StepSeconds = 15

// Lengths of time in steps.
const (
	minute = 60 / StepSeconds
	hour   = 60 * minute
	day    = 24 * hour
	week   = 7 * day
)

// ringSize is the number of steps in a ring, a power of two: 11.4 days. The oldest value that is
// read is a week and some minutes old.
const ringSize = 1 << 16

// ring is a ring buffer of a series. It has the values of the last ringSize steps. The index is
// the step, modulo ringSize.
type ring []float64

// newRing returns a ring of zeros.
func newRing() ring { return make(ring, ringSize) }

// at returns the value of step k.
func (r ring) at(k int) float64 { return r[k&(ringSize-1)] }

// set stores the value of step k.
func (r ring) set(k int, value float64) { r[k&(ringSize-1)] = value }

// mean returns the mean of a series over the steps from, from+1 … to-1, or 0 if there are no such
// steps. r must have the sums of the series: the value of r at k is the sum of all steps before k.
func (r ring) mean(from, to int) float64 {
	from = max(from, 0)
	if to <= from {
		return 0
	}
	return (r.at(to) - r.at(from)) / float64(to-from)
}

// history is the load of one service, and what the regressions derive from it.
type history struct {
	horizon int
	// steps is the number of observed steps. A decision at step k may use only the steps before k.
	steps int
	// load is the load of each step. missing is the number of missing loads before each step.
	load, missing ring
	// level is log(1 + the mean load of the minute before the step).
	level ring
	// growth is log(1 + the largest load within the horizon after the step), less the level.
	// growthSums are the sums of the growths before each step.
	growth, growthSums ring
	// knownGrowths is the number of steps with a known growth: the steps 0 to knownGrowths-1.
	knownGrowths int
}

// newHistory returns a history without steps.
func newHistory(horizon int) *history {
	return &history{horizon: horizon, load: newRing(), missing: newRing(), level: newRing(), growth: newRing(), growthSums: newRing()}
}

// add appends the load of a step. A missing load is replaced by the load of the step before.
func (h *history) add(load float64, missing bool) {
	k := h.steps
	if missing {
		load = 0
		if k > 0 {
			load = h.load.at(k - 1)
		}
	}
	h.load.set(k, load)
	h.steps++
	missingLoads := h.missing.at(k)
	if missing {
		missingLoads++
	}
	h.missing.set(h.steps, missingLoads)
	h.level.set(h.steps, math.Log1p(h.recentMean(h.steps)))
	for h.knownGrowths+h.horizon <= h.steps-scrapeLag {
		growth := math.Log1p(h.largestAfter(h.knownGrowths)) - h.level.at(h.knownGrowths)
		h.growth.set(h.knownGrowths, growth)
		h.growthSums.set(h.knownGrowths+1, h.growthSums.at(h.knownGrowths)+growth)
		h.knownGrowths++
	}
}

// scrapeLag is the delay, in steps, until the load of an ended step is known.
const scrapeLag = 2

// recentMean returns the mean load of the minute before step k, or 0 at step 0.
func (h *history) recentMean(k int) float64 {
	from := max(0, k-minute)
	if k == from {
		return 0
	}
	sum := 0.0
	for i := from; i < k; i++ {
		sum += h.load.at(i)
	}
	return sum / float64(k-from)
}

// largestAfter returns the largest mean load of two consecutive steps within the horizon after
// step k.
func (h *history) largestAfter(k int) float64 {
	largest := 0.0
	for i := k; i < k+h.horizon-1; i++ {
		largest = max(largest, (h.load.at(i)+h.load.at(i+1))/2)
	}
	return largest
}

// isComplete reports whether no load is missing in the steps from, from+1 … to-1.
func (h *history) isComplete(from, to int) bool {
	return h.missing.at(to) == h.missing.at(max(from, 0))
}

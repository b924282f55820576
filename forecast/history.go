package forecast

import "math"

// StepSeconds is the period of observations: that of the HPA controller.
const StepSeconds = 15

// Lengths of time in steps.
const (
	minute = 60 / StepSeconds
	hour   = 60 * minute
	day    = 24 * hour
	week   = 7 * day
)

// kept is the number of steps in memory, a power of two: 11.4 days. The longest look back is a
// week and the envelope around it.
const kept = 1 << 16

// ring keeps the last values of a series by their step.
type ring []float64

func newRing() ring { return make(ring, kept) }

func (r ring) at(k int) float64     { return r[k&(kept-1)] }
func (r ring) set(k int, v float64) { r[k&(kept-1)] = v }

// mean returns the mean of the steps from, from+1 … to-1 of the series whose sums r has: r at k is
// the sum of all steps before k.
func (r ring) mean(from, to int) float64 {
	from = max(from, 0)
	if to <= from {
		return 0
	}
	return (r.at(to) - r.at(from)) / float64(to-from)
}

// history is the load of one service, as its regressions see it.
type history struct {
	horizon int
	// steps is the number of observed steps. The decision at step k has seen those before k.
	steps int
	// load is the load of each step, and bad counts the missing ones before it.
	load, bad ring
	// level is the logarithm of the mean load of the last minute, plus a pod.
	level ring
	// growth is the logarithm of the largest load over the horizon, less the level. It is known
	// for the steps before known. growths are its sums.
	growth, growths ring
	known           int
}

func newHistory(horizon int) *history {
	return &history{horizon: horizon, load: newRing(), bad: newRing(), level: newRing(), growth: newRing(), growths: newRing()}
}

// add appends the load of a step. A missing load repeats the last.
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
	bad := h.bad.at(k)
	if missing {
		bad++
	}
	h.bad.set(h.steps, bad)
	h.level.set(h.steps, math.Log1p(h.recent(h.steps)))
	for h.known+h.horizon <= h.steps-scrapeLag {
		g := math.Log1p(h.most(h.known)) - h.level.at(h.known)
		h.growth.set(h.known, g)
		h.growths.set(h.known+1, h.growths.at(h.known)+g)
		h.known++
	}
}

// scrapeLag is how much later than its end a load is known, in steps.
const scrapeLag = 2

// recent is the mean load of the last minute before step k.
func (h *history) recent(k int) float64 {
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

// most is the largest mean load of 30 s in the horizon after step k.
func (h *history) most(k int) float64 {
	most := 0.0
	for i := k; i < k+h.horizon-1; i++ {
		most = max(most, (h.load.at(i)+h.load.at(i+1))/2)
	}
	return most
}

// whole reports whether no load is missing in the steps from, from+1 … to-1.
func (h *history) whole(from, to int) bool { return h.bad.at(to) == h.bad.at(max(from, 0)) }

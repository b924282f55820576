package forecast

import (
	"math"
	"slices"
)

// Levels are the quantiles of the growth that an expert offers.
var Levels = [...]float64{.3, .4, .5, .6, .7, .8, .85, .9, .93, .95, .97, .98, .99, .995, .998, .9993}

// delays is a power of two above the time after which a growth is known, in steps.
const delays = 64

// scaleInputs is the number of inputs of the regression of the spread.
const scaleInputs = 7

// expert predicts the growth over the horizon, with its spread and its quantiles.
type expert struct {
	name   string
	growth *ridge // nil: the growth is 0
	scale  *ridge
	// expected and spread are what was predicted for each of the last steps.
	expected, spread [delays]float64
	// misses are the sums of the absolute errors, by step.
	misses ring
	// scores are the errors as ratios to the spread, one a minute over a week, in a circle.
	scores []float64
	next   int
	sorted []float64
	// quantiles belong to Levels.
	quantiles [len(Levels)]float64
}

// scoresKept is a week of minutes.
const scoresKept = week / minute

func newExpert(name string, growth *ridge) *expert {
	return &expert{name: name, growth: growth, scale: newRidge(scaleInputs), misses: newRing()}
}

// predict returns the growth and its spread for the decision at step k. x are the features then.
func (e *expert) predict(h *history, x []float64, k int) (growth, spread float64) {
	if e.growth != nil {
		growth = min(max(e.growth.predict(x), -1.5), 3)
	}
	var s [scaleInputs]float64
	e.fillScale(s[:], h, k)
	spread = max(e.scale.predict(s[:]), 0.3*s[2], 0.002)
	e.expected[k&(delays-1)], e.spread[k&(delays-1)] = growth, spread
	return growth, spread
}

// fillScale writes the inputs of the spread at step k.
func (e *expert) fillScale(s []float64, h *history, k int) {
	known := max(0, k-h.horizon-scrapeLag)
	s[0] = e.misses.mean(known-5*minute, known)
	s[1] = e.misses.mean(known-hour/2, known)
	s[2] = e.misses.mean(known-6*hour, known)
	sum, n := 0.0, 0
	for d := 1; d <= 7; d++ {
		at := k - d*day
		if at < smooth {
			break
		}
		m := e.misses.mean(at-smooth, at+smooth+1)
		if d == 1 {
			s[3] = m
		}
		sum += m
		n++
	}
	if n > 0 {
		s[4] = sum / float64(n)
	}
	s[5] = math.Abs(h.level.at(k) - h.level.at(max(k-minute, 0)))
	s[6] = 1
}

// learn observes the growth of step k. row says whether the regressions get a row.
func (e *expert) learn(h *history, x []float64, k int, usable, row bool) {
	growth := h.growth.at(k)
	miss := growth - e.expected[k&(delays-1)]
	e.misses.set(k+1, e.misses.at(k)+math.Abs(miss))
	if !row || !usable {
		return
	}
	if len(e.scores) < scoresKept {
		e.scores = append(e.scores, 0)
	}
	e.scores[e.next] = miss / e.spread[k&(delays-1)]
	e.next = (e.next + 1) % scoresKept
	var s [scaleInputs]float64
	e.fillScale(s[:], h, k)
	e.scale.add(s[:], math.Abs(miss))
	if e.growth != nil {
		e.growth.add(x, growth)
	}
}

// fit computes the weights and the quantiles.
func (e *expert) fit() {
	if e.growth != nil {
		e.growth.fit()
	}
	e.scale.fit()
	if len(e.scores) == 0 {
		return
	}
	e.sorted = append(e.sorted[:0], e.scores...)
	slices.Sort(e.sorted)
	for i, q := range Levels {
		e.quantiles[i] = conformal(e.sorted, q)
	}
}

// conformal returns the value that a next one, exchangeable with those sorted, exceeds with a
// probability of at most 1-q (split conformal prediction: the ceil((n+1)q)-th smallest).
func conformal(sorted []float64, q float64) float64 {
	i := int(math.Ceil(float64(len(sorted)+1)*q)) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

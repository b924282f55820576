package forecast

import (
	"math"
	"slices"
)

// Levels are the quantiles of the growth that each expert computes.
var Levels = [...]float64{.3, .4, .5, .6, .7, .8, .85, .9, .93, .95, .97, .98, .99, .995, .998, .9993}

// predictionsKept is the number of steps for which an expert remembers its predictions, a power of
// two. A prediction is needed until the growth of its step is known. That takes the horizon and
// scrapeLag, which together are fewer steps.
const predictionsKept = 64

// predictionIndex returns the index of the prediction of step k: k modulo predictionsKept.
func predictionIndex(k int) int { return k & (predictionsKept - 1) }

// spreadInputCount is the number of inputs of the regression of the spread. sixHourErrorInput is
// the index of the input that is the mean error of the last six hours.
const spreadInputCount, sixHourErrorInput = 7, 2

// expert predicts the growth over the horizon, its spread and its quantiles. The spread is the
// expected absolute error of the growth.
type expert struct {
	name             string
	growthRegression *ridge // nil: the expert always predicts a growth of 0
	spreadRegression *ridge
	// growths and spreads are the predictions of the last steps, by step modulo predictionsKept.
	growths, spreads [predictionsKept]float64
	// errorSums has, at each step, the sum of the absolute errors of all steps before it.
	errorSums ring
	// scores are the errors of the last week, one a minute, each divided by its spread. nextScore
	// is the index of the oldest score. The next score replaces it.
	scores       []float64
	nextScore    int
	sortedScores []float64 // reused by fit
	// quantiles has the quantile of the scores for each of the Levels.
	quantiles [len(Levels)]float64
}

// scoresKept is the number of minutes of a week.
const scoresKept = week / minute

// newExpert returns an expert that has learned nothing. Without a growthRegression the expert always
// predicts a growth of 0.
func newExpert(name string, growthRegression *ridge) *expert {
	return &expert{name: name, growthRegression: growthRegression, spreadRegression: newRidge(spreadInputCount), errorSums: newRing()}
}

// Limits of the predictions: e^-1.5 to e^3 times the current load. minSpread is 0.2 % of the load,
// and minSpreadRatio is the least spread as a ratio to the mean error of the last six hours.
const (
	minGrowth, maxGrowth = -1.5, 3
	minSpread            = 0.002
	minSpreadRatio       = 0.3
)

// predict returns the growth and its spread for the decision at step k. growthInputs are the inputs
// of the regression of the growth at this step.
func (e *expert) predict(h *history, growthInputs []float64, k int) (growth, spread float64) {
	if e.growthRegression != nil {
		growth = min(max(e.growthRegression.predict(growthInputs), minGrowth), maxGrowth)
	}
	spreadInputs := e.computeSpreadInputs(h, k)
	spread = max(e.spreadRegression.predict(spreadInputs[:]), minSpreadRatio*spreadInputs[sixHourErrorInput], minSpread)
	e.growths[predictionIndex(k)], e.spreads[predictionIndex(k)] = growth, spread
	return growth, spread
}

// computeSpreadInputs returns the inputs of the regression of the spread at step k. They are mean
// absolute errors of the past, the change of the level in the last minute, and the constant 1.
func (e *expert) computeSpreadInputs(h *history, k int) (inputs [spreadInputCount]float64) {
	knownSteps := max(0, k-h.horizon-scrapeLag)
	inputs[0] = e.errorSums.mean(knownSteps-5*minute, knownSteps)
	inputs[1] = e.errorSums.mean(knownSteps-hour/2, knownSteps)
	inputs[sixHourErrorInput] = e.errorSums.mean(knownSteps-6*hour, knownSteps)
	sum, days := 0.0, 0
	for d := 1; d <= 7; d++ { // the same time of each day of the last week
		past := k - d*day
		if past < seasonWindow {
			break
		}
		mean := e.errorSums.mean(past-seasonWindow, past+seasonWindow+1)
		if d == 1 {
			inputs[3] = mean
		}
		sum += mean
		days++
	}
	if days > 0 {
		inputs[4] = sum / float64(days)
	}
	inputs[5] = math.Abs(h.level.at(k) - h.level.at(max(k-minute, 0)))
	inputs[6] = 1
	return inputs
}

// learn compares the growth of step k, which is now known, with its prediction. If train is true,
// the regressions and the scores also learn from this step. growthInputs are used only then.
func (e *expert) learn(h *history, growthInputs []float64, k int, train bool) {
	growth := h.growth.at(k)
	predictionError := growth - e.growths[predictionIndex(k)]
	e.errorSums.set(k+1, e.errorSums.at(k)+math.Abs(predictionError))
	if !train {
		return
	}
	if len(e.scores) < scoresKept {
		e.scores = append(e.scores, 0)
	}
	e.scores[e.nextScore] = predictionError / e.spreads[predictionIndex(k)]
	e.nextScore = (e.nextScore + 1) % scoresKept
	spreadInputs := e.computeSpreadInputs(h, k)
	e.spreadRegression.add(spreadInputs[:], math.Abs(predictionError))
	if e.growthRegression != nil {
		e.growthRegression.add(growthInputs, growth)
	}
}

// fit computes the weights of the regressions and the quantiles of the scores.
func (e *expert) fit() {
	if e.growthRegression != nil {
		e.growthRegression.fit()
	}
	e.spreadRegression.fit()
	if len(e.scores) == 0 {
		return
	}
	e.sortedScores = append(e.sortedScores[:0], e.scores...)
	slices.Sort(e.sortedScores)
	for i, q := range Levels {
		e.quantiles[i] = conformalQuantile(e.sortedScores, q)
	}
}

// conformalQuantile returns the q-quantile of sorted values, by split conformal prediction. It is
// the ceil((n+1)q)-th smallest value. If the next value comes from the same distribution, it is
// larger with a probability of at most 1-q.
func conformalQuantile(sorted []float64, q float64) float64 {
	i := int(math.Ceil(float64(len(sorted)+1)*q)) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

package program

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"
)

// PastExercise is a past exercise on one day.
type PastExercise struct {
	Date     time.Time // only the day matters
	Exercise string    // the id of the exercise
	Sets     []Set
}

// Set is one past set.
type Set struct {
	Reps     int
	WeightKg float64
	RPE      float64 // 1 to 10; 0 if unknown
}

const (
	// maxMasteredRPE is the highest effort (RPE, rating of perceived exertion) at which a
	// weight counts as mastered. At 9, one more repetition is possible (Zourdos et al., J
	// Strength Cond Res 30 (2016) 267).
	maxMasteredRPE = 9
	// weightIncrease is the share by which a mastered weight grows. ACSM 2009 advises 2
	// to 10 %. Weights are multiples of weightStep kg.
	weightIncrease, weightStep = 0.05, 0.5
	// weightFactorAfterMisses reduces a weight after two sessions with too few
	// repetitions.
	weightFactorAfterMisses = 0.9
	// weeksBeforeDeload is the number of consecutive training weeks before a lighter
	// week. The coaches in Bell et al. (2023) use 4 to 6.
	weeksBeforeDeload = 6
	// maxReps is the highest number of repetitions of an exercise without weight. A set
	// of more than about 30 trains endurance, not strength (Schoenfeld et al., J Strength
	// Cond Res 31 (2017) 3508).
	maxReps = 30
)

// history has the past exercises.
type history struct {
	byExercise map[string][]PastExercise // latest first
	weeks      []int                     // numbers of the trained weeks, latest first
}

// newHistory sorts the past exercises. It ignores an exercise without sets.
func newHistory(past []PastExercise) history {
	h := history{byExercise: map[string][]PastExercise{}}
	sorted := slices.Clone(past)
	slices.SortStableFunc(sorted, func(a, b PastExercise) int { return b.Date.Compare(a.Date) })
	for _, exercise := range sorted {
		if len(exercise.Sets) == 0 {
			continue
		}
		h.byExercise[exercise.Exercise] = append(h.byExercise[exercise.Exercise], exercise)
		h.weeks = append(h.weeks, weekNumber(exercise.Date))
	}
	h.weeks = slices.Compact(h.weeks)
	return h
}

// weekNumber returns the number of the week since 1970. Weeks begin on Monday, and 1970
// began on a Thursday.
func weekNumber(date time.Time) int {
	days := math.Floor(float64(date.Unix()) / 86400)
	return int(math.Floor((days + 3) / 7))
}

// hasExercise reports whether the history has the exercise with this id.
func (h history) hasExercise(id string) bool { return len(h.byExercise[id]) > 0 }

// needsDeload reports whether the next week is a lighter one. A lighter week follows
// weeksBeforeDeload weeks of training without a pause. The lighter week also counts as a
// week of training.
func (h history) needsDeload() bool {
	consecutive := 0
	for i, w := range h.weeks {
		if i > 0 && h.weeks[i-1]-w != 1 {
			break
		}
		consecutive++
	}
	return consecutive%(weeksBeforeDeload+1) == weeksBeforeDeload
}

// prescribe returns the exercise with the repetitions and the weight that follow from the
// history. It uses double progression: the repetitions grow first, and then the weight.
func (h history) prescribe(e *exercises.Exercise, s style) Item {
	item := Item{Exercise: e, RestSeconds: s.rest}
	if e.Pattern == exercises.Core || e.Pattern == exercises.Carry {
		item.RestSeconds = min(s.rest, shortRest)
	}
	if e.Work != exercises.Reps {
		item.HoldSeconds = e.Seconds
		return item
	}
	item.Reps = s.reps
	if !e.UsesWeight() {
		// Body weight cannot be increased, so more repetitions must make the set hard.
		item.Reps = Range{max(s.reps.Min, 8), max(s.reps.Max, 15)}
	}
	item.TargetReps = item.Reps.Min
	if past := h.byExercise[e.ID]; len(past) > 0 {
		applyProgression(&item, past)
	}
	item.WeightKg = roundWeight(item.WeightKg * s.weightFactor)
	return item
}

// applyProgression sets the item's repetitions and weight. They follow from the past days with
// this exercise. past is sorted, the latest first.
func applyProgression(item *Item, past []PastExercise) {
	last := summarize(past[0])
	usesWeight := item.Exercise.UsesWeight() && last.weight > 0
	if usesWeight {
		item.WeightKg = last.weight
	}
	missed := last.minReps < item.Reps.Min
	missedTwice := missed && len(past) > 1 && summarize(past[1]).minReps < item.Reps.Min
	mastered := last.minReps >= item.Reps.Max && last.rpe <= maxMasteredRPE
	switch {
	case missedTwice && usesWeight:
		item.WeightKg = roundWeight(weightFactorAfterMisses * last.weight)
		item.Why = fmt.Sprintf("two sessions in a row below %d repetitions: a tenth less weight", item.Reps.Min)
	case missed:
		item.Why = fmt.Sprintf("below %d repetitions last time: the same again", item.Reps.Min)
	case mastered && usesWeight:
		item.WeightKg = max(roundWeight((1+weightIncrease)*last.weight), last.weight+weightStep)
		item.Why = fmt.Sprintf("all sets reached %d repetitions: more weight", item.Reps.Max)
	case mastered:
		newMax := min(last.minReps+2, maxReps)
		item.Reps = Range{item.Reps.Min, max(newMax, item.Reps.Max)}
		item.TargetReps = item.Reps.Max
		item.Why = "all sets reached the top: more repetitions"
	default:
		item.TargetReps = min(last.minReps+1, item.Reps.Max)
		item.Why = "one repetition more than last time"
	}
}

// summary has the highest weight of a day in kg. Of the sets with this weight, it has the
// fewest repetitions and the highest RPE.
type summary struct {
	weight, rpe float64
	minReps     int
}

// summarize returns the heaviest weight of a day. Of the sets with this weight, it also
// returns the fewest repetitions and the highest RPE.
func summarize(past PastExercise) summary {
	heaviest := slices.MaxFunc(past.Sets, func(a, b Set) int { return cmp.Compare(a.WeightKg, b.WeightKg) }).WeightKg
	s := summary{weight: heaviest, minReps: math.MaxInt}
	for _, set := range past.Sets {
		if set.WeightKg == heaviest {
			s.minReps = min(s.minReps, set.Reps)
			s.rpe = max(s.rpe, set.RPE)
		}
	}
	return s
}

// roundWeight returns the nearest multiple of weightStep.
func roundWeight(kg float64) float64 { return weightStep * math.Round(kg/weightStep) }

package program

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"
)

// Done is an exercise as it was done on a day.
type Done struct {
	Date     time.Time // its day counts
	Exercise string    // id
	Sets     []Set
}

// Set is what was done in one set.
type Set struct {
	Reps     int
	WeightKg float64
	RPE      float64 // 1 to 10, 0 where nobody said
}

const (
	// hardest RPE at which the top of the range counts as mastered: one
	// repetition left (Zourdos et al., J Strength Cond Res 30 (2016) 267).
	hardest = 9
	// raise is by which share a mastered weight grows: within the 2 to 10 % of
	// ACSM 2009. A weight moves in steps of weightStep kg.
	raise, weightStep = 0.05, 0.5
	// relief is what is left of a weight that was missed twice.
	relief = 0.9
	// hardWeeks are trained without a pause before a lighter one: 4 to 6 by the
	// coaches of Bell et al. (2023).
	hardWeeks = 6
	// mostReps is where repetitions without weight stop growing; above about 30
	// a set trains endurance (Schoenfeld et al., J Strength Cond Res 31 (2017)
	// 3508).
	mostReps = 30
)

// memory is a history by exercise, latest first.
type memory struct {
	byExercise map[string][]Done
	weeks      []int // trained ones, as numbers of weeks, latest first
}

func remember(history []Done) memory {
	m := memory{byExercise: map[string][]Done{}}
	sorted := slices.Clone(history)
	slices.SortStableFunc(sorted, func(a, b Done) int { return b.Date.Compare(a.Date) })
	for _, done := range sorted {
		if len(done.Sets) == 0 {
			continue
		}
		m.byExercise[done.Exercise] = append(m.byExercise[done.Exercise], done)
		m.weeks = append(m.weeks, week(done.Date))
	}
	m.weeks = slices.Compact(m.weeks)
	return m
}

// week numbers weeks that begin on Monday; 1970 began on a Thursday.
func week(date time.Time) int {
	days := math.Floor(float64(date.Unix()) / 86400)
	return int(math.Floor((days + 3) / 7))
}

func (m memory) knows(id string) bool { return len(m.byExercise[id]) > 0 }

// needsDeload says whether the next week is to be light: the one after each
// hardWeeks that were trained without a week's pause.
func (m memory) needsDeload() bool {
	streak := 0
	for i, w := range m.weeks {
		if i > 0 && m.weeks[i-1]-w != 1 {
			break
		}
		streak++
	}
	return streak%(hardWeeks+1) == hardWeeks
}

// prescribe says how the exercise is done in this style after what was done
// before: double progression, repetitions first, then weight.
func (m memory) prescribe(e *exercises.Exercise, s style) Item {
	item := Item{Exercise: e, RestSeconds: s.rest}
	if e.Pattern == exercises.Core || e.Pattern == exercises.Carry {
		item.RestSeconds = min(s.rest, shortRest)
	}
	if e.Work != exercises.Reps {
		item.HoldSeconds = e.Seconds
		return item
	}
	item.Reps = s.reps
	if !e.Loaded() {
		// A body can't be made heavier, so low ranges make no sense for it.
		item.Reps = Range{max(s.reps.Min, 8), max(s.reps.Max, 15)}
	}
	item.Target = item.Reps.Min
	if past := m.byExercise[e.ID]; len(past) > 0 {
		progress(&item, past)
	}
	item.WeightKg = step(item.WeightKg * s.load)
	return item
}

func progress(item *Item, past []Done) {
	last := summed(past[0])
	loaded := item.Exercise.Loaded() && last.weight > 0
	if loaded {
		item.WeightKg = last.weight
	}
	missed := last.least < item.Reps.Min
	switch {
	case missed && len(past) > 1 && summed(past[1]).least < item.Reps.Min && loaded:
		item.WeightKg = step(relief * last.weight)
		item.Why = fmt.Sprintf("two sessions in a row below %d repetitions: a tenth less weight", item.Reps.Min)
	case missed:
		item.Why = fmt.Sprintf("below %d repetitions last time: the same again", item.Reps.Min)
	case last.least >= item.Reps.Max && last.rpe <= hardest && loaded:
		item.WeightKg = max(step((1+raise)*last.weight), last.weight+weightStep)
		item.Why = fmt.Sprintf("all sets reached %d repetitions: more weight", item.Reps.Max)
	case last.least >= item.Reps.Max && last.rpe <= hardest:
		top := min(last.least+2, mostReps)
		item.Reps = Range{item.Reps.Min, max(top, item.Reps.Max)}
		item.Target = item.Reps.Max
		item.Why = "all sets reached the top: more repetitions"
	default:
		item.Target = min(last.least+1, item.Reps.Max)
		item.Why = "one repetition more than last time"
	}
}

// summary of a day's sets: the fewest repetitions and the hardest set at its
// highest weight.
type summary struct {
	weight, rpe float64
	least       int
}

func summed(done Done) summary {
	heaviest := slices.MaxFunc(done.Sets, func(a, b Set) int { return cmp.Compare(a.WeightKg, b.WeightKg) }).WeightKg
	s := summary{weight: heaviest, least: math.MaxInt}
	for _, set := range done.Sets {
		if set.WeightKg == heaviest {
			s.least = min(s.least, set.Reps)
			s.rpe = max(s.rpe, set.RPE)
		}
	}
	return s
}

func step(kg float64) float64 { return weightStep * math.Round(kg/weightStep) }

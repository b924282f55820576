package program

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"
)

var (
	press  = &exercises.Exercise{ID: "press", Pattern: exercises.Push, Work: exercises.Reps, Seconds: 3, Needs: []string{"dumbbells"}}
	pushUp = &exercises.Exercise{ID: "push-up", Pattern: exercises.Push, Work: exercises.Reps, Seconds: 3}
)

// exerciseOn returns a past exercise on a day of March 2026.
func exerciseOn(day int, e *exercises.Exercise, sets ...Set) PastExercise {
	return PastExercise{Date: time.Date(2026, 3, day, 18, 0, 0, 0, time.UTC), Exercise: e.ID, Sets: sets}
}

func TestProgressionFollowsPastSets(t *testing.T) {
	muscleGain := styles[MuscleGain] // 8 to 12 repetitions
	// A Set has the repetitions, the weight in kg and the RPE.
	for _, row := range []struct {
		reason  string
		e       *exercises.Exercise
		history []PastExercise
		kg      float64
		target  int
		why     string
	}{
		{"no history: the bottom of the range; the person chooses the weight", press, nil, 0, 8, ""},
		{"inside the range: one repetition more", press, []PastExercise{exerciseOn(1, press, Set{9, 20, 8}, Set{10, 20, 8})}, 20, 10, "one repetition more"},
		{"the top in all sets: 5 % more weight, from the bottom", press, []PastExercise{exerciseOn(1, press, Set{12, 20, 8}, Set{12, 20, 9})}, 21, 8, "more weight"},
		{"a small weight still moves", press, []PastExercise{exerciseOn(1, press, Set{12, 4, 8})}, 4.5, 8, "more weight"},
		{"the top at RPE 10: the same weight again", press, []PastExercise{exerciseOn(1, press, Set{12, 20, 10})}, 20, 12, "one repetition more"},
		{"missed once: the same again", press, []PastExercise{exerciseOn(1, press, Set{7, 20, 10})}, 20, 8, "the same again"},
		{"missed twice: a tenth less weight", press, []PastExercise{exerciseOn(1, press, Set{6, 20, 10}), exerciseOn(4, press, Set{7, 20, 10})}, 18, 8, "a tenth less"},
		{"the latest day counts, in any order of the history", press, []PastExercise{exerciseOn(9, press, Set{10, 30, 8}), exerciseOn(1, press, Set{12, 20, 8})}, 30, 11, "one repetition more"},
		{"warm-up sets do not count", press, []PastExercise{exerciseOn(1, press, Set{5, 10, 3}, Set{12, 20, 8})}, 21, 8, "more weight"},
		{"a day without sets does not count", press, []PastExercise{exerciseOn(1, press)}, 0, 8, ""},
		{"without weight the repetitions grow", pushUp, []PastExercise{exerciseOn(1, pushUp, Set{15, 0, 8})}, 0, 17, "more repetitions"},
		{"repetitions stop at thirty", pushUp, []PastExercise{exerciseOn(1, pushUp, Set{30, 0, 8})}, 0, 30, "more repetitions"},
		{"the history of another exercise does not count", pushUp, []PastExercise{exerciseOn(1, press, Set{12, 20, 8})}, 0, 8, ""},
	} {
		t.Run(row.reason, func(t *testing.T) {
			item := newHistory(row.history).prescribe(row.e, muscleGain)
			require.InDelta(t, row.kg, item.WeightKg, 1e-9)
			require.Equal(t, row.target, item.TargetReps)
			require.Contains(t, item.Why, row.why)
			require.Equal(t, row.why == "", item.Why == "")
		})
	}
}

// TestWeightsGrowWithinTheGuideline checks that a mastered weight of 10 kg or more grows by 2 to
// 10 % (ACSM 2009).
func TestWeightsGrowWithinTheGuideline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kg := roundWeight(rapid.Float64Range(10, 400).Draw(t, "kg"))
		item := newHistory([]PastExercise{exerciseOn(1, press, Set{12, kg, 8})}).prescribe(press, styles[MuscleGain])
		require.GreaterOrEqual(t, item.WeightKg, 1.02*kg)
		require.LessOrEqual(t, item.WeightKg, 1.10*kg)
	})
}

func TestDeloadFollowsSixWeeksOfTraining(t *testing.T) {
	trainInWeeks := func(numbers ...int) []PastExercise {
		var history []PastExercise
		for _, n := range numbers {
			history = append(history, exerciseOn(2+7*n, press, Set{10, 20, 8}), exerciseOn(4+7*n, press, Set{10, 20, 8}))
		}
		return history
	}
	for _, row := range []struct {
		reason  string
		history []PastExercise
		want    bool
	}{
		{"nothing trained", nil, false},
		{"five weeks", trainInWeeks(0, 1, 2, 3, 4), false},
		{"six weeks are enough", trainInWeeks(0, 1, 2, 3, 4, 5), true},
		{"the lighter week resets the count", trainInWeeks(0, 1, 2, 3, 4, 5, 6), false},
		{"six more weeks follow the lighter week", trainInWeeks(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), true},
		{"a pause resets the count", trainInWeeks(0, 1, 2, 4, 5, 6), false},
	} {
		require.Equal(t, row.want, newHistory(row.history).needsDeload(), row.reason)
	}

	deloadItem := newHistory(trainInWeeks(0, 1, 2, 3, 4, 5)).prescribe(press, styles[MuscleGain].deloadStyle())
	require.Equal(t, 18.0, deloadItem.WeightKg, "a tenth less")
	require.Equal(t, 1, styles[MuscleGain].deloadStyle().sets, "half the sets")
}

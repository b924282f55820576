package week

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// newNutrition returns a plan with a day for each energy. Each day has four equal portions.
func newNutrition(kcal ...float64) *Nutrition {
	n := &Nutrition{Targets: json.RawMessage(`{}`)}
	for i, k := range kcal {
		day := NutritionDay{Day: i + 1, Totals: map[string]float64{energyKey: k, "proteinG": k / 20}}
		for _, name := range []string{"breakfast", "lunch", "dinner", "snack"} {
			day.Meals = append(day.Meals, Meal{name, []Item{{"oats", "Oats", int(k / 4), k / 4}}})
		}
		n.Days = append(n.Days, day)
	}
	return n
}

// newTraining returns a week with a session on each weekday of the map, of this many minutes.
func newTraining(minutes map[int]int) *Training {
	t := &Training{FitnessLevel: "intermediate"}
	for weekday, m := range minutes {
		t.Sessions = append(t.Sessions, Session{Weekday: weekday, TotalSeconds: 60 * m, Exercises: json.RawMessage(`[]`)})
	}
	return t
}

func TestDaysWithASessionGetMoreEnergy(t *testing.T) {
	w := Merge(newNutrition(2000, 2000, 2000, 2000, 2000, 2000, 2000), newTraining(map[int]int{1: 60, 3: 60, 5: 60}), 80)
	// Training needs 2.5 MET more than rest, and 1 MET is 1 kcal an hour for each kg: 2.5 × 80 kg × 1 h.
	require.Equal(t, 200.0, w.Days[0].TrainingKcal)
	// The three sessions need 600 kcal. Each of the seven days gives a seventh of that.
	for _, d := range w.Days {
		if len(d.Sessions) > 0 {
			require.InDelta(t, 2000+200-600.0/7, d.Totals[energyKey], 2)
		} else {
			require.InDelta(t, 2000-600.0/7, d.Totals[energyKey], 2)
		}
	}
	require.Len(t, w.Notes, 1)
}

func TestNoteListsAssumedFieldsAsASentence(t *testing.T) {
	for note, assumed := range map[string][]string{
		"age.":            {"age"},
		"age and height.": {"age", "heightCm"},
		"activity level, age, height, sex and weight.": {"activityLevel", "age", "heightCm", "sex", "weightKg"},
		"a field without a readable name and weight.":  {"a field without a readable name", "weightKg"},
	} {
		n := newNutrition(2000, 2000, 2000, 2000, 2000, 2000, 2000)
		n.Assumed = assumed
		require.Equal(t, []string{"Values of a reference adult were used for: " + note}, Merge(n, nil, ReferenceKg).Notes)
	}
}

func TestMergeWithOneResponseReturnsAWholeWeek(t *testing.T) {
	trainingOnly := Merge(nil, newTraining(map[int]int{2: 45}), ReferenceKg)
	require.Len(t, trainingOnly.Days, Days)
	require.Len(t, trainingOnly.Days[1].Sessions, 1)
	require.Nil(t, trainingOnly.Days[1].Totals)
	plan := newNutrition(2000, 2000, 2000, 2000, 2000, 2000, 2000)
	nutritionOnly := Merge(plan, nil, ReferenceKg)
	require.Equal(t, plan.Days[3].Meals, nutritionOnly.Days[3].Meals, "without training no energy is moved")
	require.Equal(t, plan.Days[3].Totals, nutritionOnly.Days[3].Totals)
	encoded, err := json.Marshal(Merge(nil, nil, ReferenceKg))
	require.NoError(t, err)
	require.NotContains(t, string(encoded), "null", "clients may loop over every list")
}

func TestDaysOutsideTheWeekAreIgnored(t *testing.T) {
	n := newNutrition(2000)
	n.Days[0].Day = 8
	w := Merge(n, newTraining(map[int]int{0: 45, 8: 45}), ReferenceKg)
	for _, d := range w.Days {
		require.Empty(t, d.Meals)
		require.Empty(t, d.Sessions)
	}
}

// TestWeekKeepsItsEnergy checks that training changes the week's energy only by the rounding
// of portions, and no day's energy by more than maxShift. A day with more training than
// another one must not lose more energy.
func TestWeekKeepsItsEnergy(t *testing.T) {
	// A portion is rounded to a gram, which changes its energy by less than 1 kcal. So the limits
	// below allow 1 kcal for each portion.
	const portionsPerDay = 4
	rapid.Check(t, func(t *rapid.T) {
		kcal := rapid.SliceOfN(rapid.Float64Range(1200, 4500), Days, Days).Draw(t, "kcal")
		minutes := rapid.MapOf(rapid.IntRange(1, Days), rapid.IntRange(10, 180)).Draw(t, "minutes")
		kg := rapid.Float64Range(35, 250).Draw(t, "kg")
		withoutTraining := Merge(newNutrition(kcal...), nil, kg)
		withTraining := Merge(newNutrition(kcal...), newTraining(minutes), kg)
		plannedSum, mergedSum, portions := 0.0, 0.0, 0
		change := [Days]float64{}
		for i, d := range withTraining.Days {
			planned, merged := withoutTraining.Days[i].Totals[energyKey], d.Totals[energyKey]
			plannedSum, mergedSum = plannedSum+planned, mergedSum+merged
			change[i] = merged - planned
			portions += portionsPerDay
			if math.Abs(merged-planned) > maxShift*planned+portionsPerDay {
				t.Fatalf("day %d changed from %g to %g kcal", d.Day, planned, merged)
			}
		}
		if math.Abs(plannedSum-mergedSum) > float64(portions) {
			t.Fatalf("the week changed from %g to %g kcal", plannedSum, mergedSum)
		}
		for i, a := range withTraining.Days {
			for j, b := range withTraining.Days {
				if a.TrainingKcal > b.TrainingKcal && change[i] < change[j]-2*portionsPerDay {
					t.Fatalf("day %d has more training than day %d but less energy", i+1, j+1)
				}
			}
		}
	})
}

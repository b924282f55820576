package week

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// food is a week of days of so much energy, each in four equal portions.
func food(kcal ...float64) *Nutrition {
	n := &Nutrition{Targets: json.RawMessage(`{}`)}
	for i, k := range kcal {
		day := NutritionDay{Day: i + 1, Totals: map[string]float64{energyTotal: k, "proteinG": k / 20}}
		for _, name := range []string{"breakfast", "lunch", "dinner", "snack"} {
			day.Meals = append(day.Meals, Meal{name, []Item{{"oats", "Oats", int(k / 4), k / 4}}})
		}
		n.Days = append(n.Days, day)
	}
	return n
}

func minutes(onWeekdays map[int]int) *Training {
	t := &Training{FitnessLevel: "intermediate"}
	for weekday, m := range onWeekdays {
		t.Sessions = append(t.Sessions, Session{Weekday: weekday, TotalSeconds: 60 * m, Exercises: json.RawMessage(`[]`)})
	}
	return t
}

func TestDaysWithASessionGetMoreEnergy(t *testing.T) {
	w := Merge(food(2000, 2000, 2000, 2000, 2000, 2000, 2000), minutes(map[int]int{1: 60, 3: 60, 5: 60}), 80)
	// 2.5 MET beyond rest for an hour of 80 kg.
	require.Equal(t, 200.0, w.Days[0].TrainingKcal)
	for _, d := range w.Days {
		if len(d.Sessions) > 0 {
			require.InDelta(t, 2000+200-600.0/7, d.Totals[energyTotal], 2)
		} else {
			require.InDelta(t, 2000-600.0/7, d.Totals[energyTotal], 2)
		}
	}
	require.Len(t, w.Notes, 1)
}

func TestTheNoteOnWhatWasAssumedIsASentence(t *testing.T) {
	for note, assumed := range map[string][]string{
		"age.":            {"age"},
		"age and height.": {"age", "heightCm"},
		"activity level, age, height, sex and weight.": {"activityLevel", "age", "heightCm", "sex", "weightKg"},
		"a field that we do not know yet and weight.":  {"a field that we do not know yet", "weightKg"},
	} {
		n := food(2000, 2000, 2000, 2000, 2000, 2000, 2000)
		n.Assumed = assumed
		require.Equal(t, []string{"A reference adult stood in for what was not said: " + note}, Merge(n, nil, ReferenceKg).Notes)
	}
}

func TestAPartIsAWeekToo(t *testing.T) {
	only := Merge(nil, minutes(map[int]int{2: 45}), ReferenceKg)
	require.Len(t, only.Days, Days)
	require.Len(t, only.Days[1].Sessions, 1)
	require.Nil(t, only.Days[1].Totals)
	plan := food(2000, 2000, 2000, 2000, 2000, 2000, 2000)
	meals := Merge(plan, nil, ReferenceKg)
	require.Equal(t, plan.Days[3].Meals, meals.Days[3].Meals, "without training nothing moves")
	require.Equal(t, plan.Days[3].Totals, meals.Days[3].Totals)
	text, err := json.Marshal(Merge(nil, nil, ReferenceKg))
	require.NoError(t, err)
	require.NotContains(t, string(text), "null", "clients may loop over every list")
}

func TestWhatLiesOutsideTheWeekIsLeftOut(t *testing.T) {
	n := food(2000)
	n.Days[0].Day = 8
	w := Merge(n, minutes(map[int]int{0: 45, 8: 45}), ReferenceKg)
	for _, d := range w.Days {
		require.Empty(t, d.Meals)
		require.Empty(t, d.Sessions)
	}
}

// TestTheWeekKeepsItsEnergy: whatever is trained when, the week's energy stays
// within the rounding of portions, no day moves by more than maxShift, and more
// training never means less energy for the same meals.
func TestTheWeekKeepsItsEnergy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kcal := rapid.SliceOfN(rapid.Float64Range(1200, 4500), Days, Days).Draw(t, "kcal")
		trained := rapid.MapOf(rapid.IntRange(1, Days), rapid.IntRange(10, 180)).Draw(t, "minutes")
		kg := rapid.Float64Range(35, 250).Draw(t, "kg")
		plain := Merge(food(kcal...), nil, kg)
		w := Merge(food(kcal...), minutes(trained), kg)
		before, after, portions := 0.0, 0.0, 0
		factor := [Days]float64{}
		for i, d := range w.Days {
			was, is := plain.Days[i].Totals[energyTotal], d.Totals[energyTotal]
			before, after = before+was, after+is
			factor[i] = is - was
			portions += 4
			if math.Abs(is-was) > maxShift*was+4 {
				t.Fatalf("day %d moved from %g to %g kcal", d.Day, was, is)
			}
		}
		// A portion is rounded to a gram, by half of one kcal here.
		if math.Abs(before-after) > float64(portions) {
			t.Fatalf("the week had %g kcal and has %g", before, after)
		}
		for i, a := range w.Days {
			for j, b := range w.Days {
				if a.TrainingKcal > b.TrainingKcal && factor[i] < factor[j]-8 {
					t.Fatalf("day %d trains more than day %d and gets less", i+1, j+1)
				}
			}
		}
	})
}

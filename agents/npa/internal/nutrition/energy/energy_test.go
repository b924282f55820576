package energy_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/energy"
)

func TestNeedFollowsMifflinStJeor(t *testing.T) {
	for _, row := range []struct {
		reason      string
		p           energy.Person
		basal, need float64
	}{
		{"10*80 + 6.25*180 - 5*40 + 5", energy.Person{40, energy.Male, 180, 80, energy.Sedentary}, 1730, 2076},
		{"10*60 + 6.25*165 - 5*25 - 161", energy.Person{25, energy.Female, 165, 60, energy.VeryActive}, 1345.25, 2555.975},
		{"the mean constant is -78", energy.ReferenceAdult(energy.Unspecified), 1469.5, 2277.725},
	} {
		require.InDelta(t, row.basal, row.p.BasalKcal(), 1e-9, row.reason)
		require.InDelta(t, row.need, row.p.NeedKcal(), 1e-9, row.reason)
	}
}

func TestGoalsSetEnergyAndProtein(t *testing.T) {
	man := energy.Person{AgeYears: 30, Sex: energy.Male, HeightCm: 180, WeightKg: 80, Activity: energy.Moderate} // needs 2,759 kcal
	need := man.NeedKcal()
	for _, row := range []struct {
		reason  string
		goals   []energy.Goal
		prefs   energy.Preferences
		kcal    float64
		protein energy.Range
	}{
		{"no goal is maintenance", nil, energy.Preferences{}, need, energy.Range{Min: 64, Max: 160}},
		{"weight loss: a fifth less energy", []energy.Goal{energy.WeightLoss}, energy.Preferences{}, 0.8 * need, energy.Range{Min: 96, Max: 128}},
		{"muscle gain: a tenth more energy", []energy.Goal{energy.MuscleGain}, energy.Preferences{}, 1.1 * need, energy.Range{Min: 128, Max: 176}},
		{"the load test's two goals mean recomposition", []energy.Goal{energy.WeightLoss, energy.MuscleGain}, energy.Preferences{}, 0.9 * need, energy.Range{Min: 128, Max: 192}},
		{"recomposition by its name", []energy.Goal{energy.Recomposition}, energy.Preferences{}, 0.9 * need, energy.Range{Min: 128, Max: 192}},
		{"two other goals: the mean", []energy.Goal{energy.Endurance, energy.MuscleGain}, energy.Preferences{}, 1.05 * need, energy.Range{Min: 128, Max: 176}},
		{"a preference overrides the goal", nil, energy.Preferences{HighProtein: true}, need, energy.Range{Min: 160, Max: 208}},
	} {
		targets := energy.TargetsFor(man, row.goals, row.prefs)
		require.InDelta(t, row.kcal, targets.GoalKcal, 1e-6, row.reason)
		require.InDelta(t, row.protein.Min, targets.Protein.Min, 1e-6, row.reason)
		require.InDelta(t, row.protein.Max, targets.Protein.Max, 1e-6, row.reason)
	}
	endurance := energy.TargetsFor(man, []energy.Goal{energy.Endurance}, energy.Preferences{})
	require.InDelta(t, 0.5*need/4, endurance.Carbohydrate.Min, 1e-6, "5 g a kg is 400 g, but half of the energy is 345 g")
	require.Equal(t, 1500.0, energy.TargetsFor(man, nil, energy.Preferences{LowSodium: true}).SodiumMax)
}

func TestEnergyDeficitIsLimited(t *testing.T) {
	small := energy.Person{AgeYears: 70, Sex: energy.Female, HeightCm: 150, WeightKg: 50, Activity: energy.Sedentary} // needs 1,112 kcal
	require.Equal(t, 1200.0, energy.TargetsFor(small, []energy.Goal{energy.WeightLoss}, energy.Preferences{}).GoalKcal)
	large := energy.Person{AgeYears: 20, Sex: energy.Male, HeightCm: 200, WeightKg: 150, Activity: energy.VeryActive}
	require.InDelta(t, large.NeedKcal()-750, energy.TargetsFor(large, []energy.Goal{energy.WeightLoss}, energy.Preferences{}).GoalKcal, 1e-9)
}

// drawPerson draws a person within the bounds.
func drawPerson(t *rapid.T) energy.Person {
	return energy.Person{
		AgeYears: rapid.IntRange(energy.MinAge, energy.MaxAge).Draw(t, "age"),
		Sex:      rapid.SampledFrom([]energy.Sex{energy.Female, energy.Male, energy.Unspecified}).Draw(t, "sex"),
		HeightCm: rapid.Float64Range(energy.MinHeight, energy.MaxHeight).Draw(t, "height"),
		WeightKg: rapid.Float64Range(energy.MinWeight, energy.MaxWeight).Draw(t, "weight"),
		Activity: rapid.SampledFrom([]energy.Activity{energy.Sedentary, energy.Light, energy.Moderate, energy.Active, energy.VeryActive}).Draw(t, "activity"),
	}
}

// TestTargetsAreFeasible checks the targets of any person and goals. The minima of protein,
// carbohydrate and fat together must not need more than the day's energy, and their maxima
// must reach it. No range may be empty.
func TestTargetsAreFeasible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		goals := rapid.SliceOfDistinct(rapid.SampledFrom(energy.Goals), func(g energy.Goal) energy.Goal { return g }).Draw(t, "goals")
		targets := energy.TargetsFor(drawPerson(t), goals, energy.Preferences{HighProtein: rapid.Bool().Draw(t, "high protein")})
		for _, r := range []energy.Range{targets.Energy, targets.Protein, targets.Carbohydrate, targets.Fat} {
			require.Positive(t, r.Min)
			require.Greater(t, r.Max, 1.1*r.Min)
		}
		require.LessOrEqual(t, 4*targets.Protein.Min+4*targets.Carbohydrate.Min+9*targets.Fat.Min, targets.Energy.Max)
		require.GreaterOrEqual(t, 4*targets.Protein.Max+4*targets.Carbohydrate.Max+9*targets.Fat.Max, targets.Energy.Min)
		require.GreaterOrEqual(t, targets.GoalKcal, 1200.0)
	})
}

package planner_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/energy"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/planner"
)

func maker(t require.TestingT) *planner.Planner {
	table, err := foods.Load()
	require.NoError(t, err)
	return planner.New(table)
}

// seeds is the request of the seed's load test.
func seeds() planner.Request {
	return planner.Request{
		Person: energy.Reference(energy.Unspecified), Goals: []energy.Goal{energy.WeightLoss, energy.MuscleGain},
		Diet: foods.Vegetarian, Days: 7, Seed: 1,
	}
}

// anyone draws a request within all bounds, with up to two allergies.
func anyone(t *rapid.T) planner.Request {
	return planner.Request{
		Person: energy.Person{
			AgeYears: rapid.IntRange(energy.MinAge, energy.MaxAge).Draw(t, "age"),
			Sex:      rapid.SampledFrom([]energy.Sex{energy.Female, energy.Male, energy.Unspecified}).Draw(t, "sex"),
			HeightCm: rapid.Float64Range(energy.MinHeight, energy.MaxHeight).Draw(t, "height"),
			WeightKg: rapid.Float64Range(energy.MinWeight, energy.MaxWeight).Draw(t, "weight"),
			Activity: rapid.SampledFrom([]energy.Activity{energy.Sedentary, energy.Light, energy.Moderate, energy.Active, energy.VeryActive}).Draw(t, "activity"),
		},
		Goals:  rapid.SliceOfNDistinct(rapid.SampledFrom(energy.Goals), 0, 2, rapid.ID).Draw(t, "goals"),
		Wishes: energy.Wishes{HighProtein: rapid.Bool().Draw(t, "high protein"), LowSodium: rapid.Bool().Draw(t, "low sodium")},
		Diet:   rapid.SampledFrom([]foods.Diet{foods.Vegan, foods.Vegetarian, foods.Pescatarian, foods.Omnivore}).Draw(t, "diet"),
		Avoid:  rapid.SliceOfNDistinct(rapid.SampledFrom(foods.Allergens), 0, 2, rapid.ID).Draw(t, "avoid"),
		Days:   rapid.IntRange(1, 9).Draw(t, "days"),
		Seed:   rapid.Uint64().Draw(t, "seed"),
	}
}

// TestEveryDayMeetsTheTargets is the promise: whoever asks, each day keeps all
// bounds after rounding, holds only what they may eat in sane portions, and is
// not the day before again. Up to two allergies are always met.
func TestEveryDayMeetsTheTargets(t *testing.T) {
	p := maker(t)
	rapid.Check(t, func(t *rapid.T) {
		r := anyone(t)
		plan, err := p.Plan(context.Background(), r)
		require.NoError(t, err)
		require.Len(t, plan.Days, r.Days)
		for i, day := range plan.Days {
			holds(t, plan.Targets, day)
			for _, item := range day {
				require.True(t, item.Food.AllowedTo(r.Diet, r.Avoid), item.Food.ID)
				require.Contains(t, item.Food.Meals, item.Meal)
				require.Zero(t, int(item.Grams)%5, "%s: %v g can be weighed", item.Food.ID, item.Grams)
				require.Positive(t, item.Grams)
				require.LessOrEqual(t, item.Grams, 3*item.Food.MaxGrams+2.5)
			}
			if i > 0 {
				require.NotEqual(t, served(plan.Days[i-1]), served(day), "day %d repeats the one before", i+1)
			}
		}
	})
}

func holds(t require.TestingT, targets energy.Targets, day planner.Day) {
	totals := day.Totals()
	require.True(t, targets.Energy.Holds(totals[foods.Energy]), "energy %v in %v", totals[foods.Energy], targets.Energy)
	require.True(t, targets.Protein.Holds(totals[foods.Protein]), "protein %v in %v", totals[foods.Protein], targets.Protein)
	require.True(t, targets.Carbohydrate.Holds(totals[foods.Carbohydrate]), "carbohydrate %v in %v", totals[foods.Carbohydrate], targets.Carbohydrate)
	require.True(t, targets.Fat.Holds(totals[foods.Fat]), "fat %v in %v", totals[foods.Fat], targets.Fat)
	require.GreaterOrEqual(t, totals[foods.Fibre], targets.FibreMin)
	require.LessOrEqual(t, totals[foods.Sodium], targets.SodiumMax)
}

// served are the foods of a day, in order of their ids.
func served(day planner.Day) []string {
	var ids []string
	for _, item := range day {
		ids = append(ids, item.Food.ID)
	}
	slices.Sort(ids)
	return ids
}

func TestTheSameRequestGetsTheSamePlan(t *testing.T) {
	p := maker(t)
	first, err := p.Plan(t.Context(), seeds())
	require.NoError(t, err)
	again, err := p.Plan(t.Context(), seeds())
	require.NoError(t, err)
	require.Equal(t, first, again)
	other := seeds()
	other.Seed++
	another, err := p.Plan(t.Context(), other)
	require.NoError(t, err)
	require.NotEqual(t, first.Days, another.Days, "the seed decides among equals")
}

func TestAWeekIsVaried(t *testing.T) {
	plan, err := maker(t).Plan(t.Context(), seeds())
	require.NoError(t, err)
	times := map[string]int{}
	for _, day := range plan.Days {
		for _, id := range served(day) {
			times[id]++
			require.LessOrEqual(t, times[id], 5, "%s comes too often", id)
		}
	}
	require.GreaterOrEqual(t, len(times), 50, "different foods in a vegetarian week")
}

// scarce is the table without the foods of these ids.
func scarce(t *testing.T, without ...string) *planner.Planner {
	table, err := foods.Load()
	require.NoError(t, err)
	return planner.New(slices.DeleteFunc(table, func(f foods.Food) bool { return slices.Contains(without, f.ID) }))
}

func TestConflictsAreNamed(t *testing.T) {
	strict := seeds()
	strict.Diet, strict.Avoid = foods.Vegan, []foods.Allergen{"soy", "sesame"}
	strict.Wishes.HighProtein = true
	p := scarce(t, "lupins", "wheat-gluten", "hemp-seeds", "pumpkin-seeds", "spinach", "mushrooms", "asparagus", "bok-choy", "arugula", "broccoli", "chard", "collards")

	_, err := p.Plan(t.Context(), strict)
	var infeasible *planner.Infeasible
	require.ErrorAs(t, err, &infeasible)
	require.Contains(t, infeasible.Conflicts, planner.Conflict{Part: planner.Diet})
	require.Contains(t, infeasible.Conflicts, planner.Conflict{Part: planner.Allergy, Name: "soy"})
	require.Contains(t, infeasible.Conflicts, planner.Conflict{Part: planner.Target, Name: "protein"})
	require.NotContains(t, infeasible.Conflicts, planner.Conflict{Part: planner.Allergy, Name: "sesame"}, "sesame would not help")

	// What it says is true: each change alone gives a plan.
	for _, change := range []func(*planner.Request){
		func(r *planner.Request) { r.Diet = foods.Omnivore },
		func(r *planner.Request) { r.Avoid = []foods.Allergen{"sesame"} },
	} {
		mended := strict
		change(&mended)
		mended.Days = 1
		_, err := p.Plan(t.Context(), mended)
		require.NoError(t, err)
	}
}

func TestNoSingleCulpritIsSaid(t *testing.T) {
	_, err := planner.New(nil).Plan(t.Context(), seeds())
	require.EqualError(t, err, "plan day 1: no foods of the table in sensible portions meet the targets together; "+
		"the nearest plan misses energy, protein, carbohydrate, fat, fibre; letting go of a single part of the request would not change that")
}

func TestDaysAreBounded(t *testing.T) {
	for _, days := range []int{-1, 0, planner.MaxDays + 1} {
		r := seeds()
		r.Days = days
		_, err := maker(t).Plan(t.Context(), r)
		require.ErrorContains(t, err, "must be 1 to 31")
	}
}

func TestAnEndedContextEndsThePlan(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := maker(t).Plan(ctx, seeds())
	require.ErrorIs(t, err, context.Canceled)
}

// BenchmarkSevenDays is issue 4's uncached seven-day plan, with its goal of
// 30 ms at p95 on one core; each round is another request.
func BenchmarkSevenDays(b *testing.B) {
	strict := seeds()
	strict.Diet, strict.Avoid, strict.Wishes.HighProtein = foods.Vegan, []foods.Allergen{"soy", "gluten"}, true
	for name, r := range map[string]planner.Request{"seed": seeds(), "strict": strict} {
		b.Run(name, func(b *testing.B) {
			p := maker(b)
			var took []time.Duration
			for b.Loop() {
				r.Seed++
				began := time.Now()
				_, err := p.Plan(b.Context(), r)
				took = append(took, time.Since(began))
				require.NoError(b, err)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}

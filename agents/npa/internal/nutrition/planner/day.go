package planner

import (
	"context"
	"math"

	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/energy"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/simplex"
)

// constraint is the bounds of one nutrient of a day.
type constraint struct {
	nutrient foods.Nutrient
	bounds   energy.Range
}

// noUpperBound is the upper bound of fibre in g. No day of food contains that much.
const noUpperBound = 1000

// newConstraints returns the constraints of a day with these targets.
func newConstraints(t energy.Targets) []constraint {
	return []constraint{
		{foods.Energy, t.Energy},
		{foods.Protein, t.Protein},
		{foods.Carbohydrate, t.Carbohydrate},
		{foods.Fat, t.Fat},
		{foods.Fibre, energy.Range{Min: t.FibreMin, Max: noUpperBound}},
		{foods.Sodium, energy.Range{Min: 0, Max: t.SodiumMax}},
	}
}

// violation returns how far an amount is outside the bounds, as a share of the nearer
// bound. Within the bounds it is 0.
func (c constraint) violation(amount float64) float64 {
	switch {
	case amount < c.bounds.Min:
		return (c.bounds.Min - amount) / c.bounds.Min
	case amount > c.bounds.Max:
		return (amount - c.bounds.Max) / c.bounds.Max
	default:
		return 0
	}
}

const (
	// margin is the distance that the linear program keeps from each bound, as a share of
	// the bound. So portions usually stay within the bounds when they are rounded.
	margin = 0.02
	// unusualCost is the extra cost of a portion at its minimum or maximum. For comparison: the
	// random costs of two foods differ by up to 1.
	unusualCost = 0.5
	// violationPenalty is the cost of violating a constraint by 100 %. It is far above
	// any sum of other costs.
	violationPenalty = 1e5
	// portionCount is the number of portions of a food in the linear program: minimum,
	// usual and maximum.
	portionCount = 3
	// tolerance is the numerical error of a solution of the linear program.
	tolerance = 1e-6
)

// newDayProblem returns the linear program of a day. Each column is one portion (minimum, usual or
// maximum) of one candidate. The variable of a column is the share of this portion in its slot. The
// first rows are the constraints: the nutrients of all portions together must be within their bounds.
// The other rows are the slots: the shares of each slot must add up to 1.
func newDayProblem(choices dayChoices, constraints []constraint) simplex.Problem {
	rows := make([]simplex.Row, 0, len(constraints)+len(choices.slots))
	for _, c := range constraints {
		scale := c.scale()
		rows = append(rows, simplex.Row{Lo: c.bounds.Min * (1 + margin) / scale, Hi: c.bounds.Max * (1 - margin) / scale, Penalty: violationPenalty})
	}
	for range choices.slots {
		rows = append(rows, simplex.Row{Lo: 1, Hi: 1, Penalty: violationPenalty})
	}
	problem := simplex.Problem{Rows: rows}
	for i, candidates := range choices.candidates {
		for _, c := range candidates {
			for _, portion := range []struct {
				nutrients *foods.Nutrients
				extraCost float64
			}{{&c.minNutrients, unusualCost}, {&c.usualNutrients, 0}, {&c.maxNutrients, unusualCost}} {
				column := make([]float64, len(rows))
				for k, constraint := range constraints {
					column[k] = portion.nutrients[constraint.nutrient] / constraint.scale()
				}
				column[len(constraints)+i] = 1
				problem.Columns, problem.Cost = append(problem.Columns, column), append(problem.Cost, c.cost+portion.extraCost)
			}
		}
	}
	return problem
}

// scale returns the number that divides the constraint's amounts and bounds. The results are
// near 1, as package simplex needs.
func (c constraint) scale() float64 {
	if c.bounds.Min > 0 {
		return c.bounds.Min
	}
	return c.bounds.Max
}

// solveDay plans a day with a diving heuristic. It solves the linear program, which may
// mix several foods in one slot. It then fixes the food of each slot that has only one
// food, and of the slot in which one food has the largest share. It repeats this until
// each slot has one food.
func solveDay(ctx context.Context, choices dayChoices, constraints []constraint) (Day, error) {
	for {
		solution, err := simplex.Solve(ctx, newDayProblem(choices, constraints))
		if err != nil {
			return nil, err
		}
		for _, violation := range solution.Violations {
			if math.Abs(violation) > tolerance {
				return nil, errNotFound
			}
		}
		shares := candidateShares(choices, solution.X)
		if fixSlots(&choices, shares) {
			return roundPortions(choices, solution.X, constraints)
		}
	}
}

// candidateShares returns each candidate's share of its slot: the sum of the shares of its
// portions. x is the solution of the linear program.
func candidateShares(choices dayChoices, x []float64) [][]float64 {
	shares := make([][]float64, len(choices.candidates))
	for i, candidates := range choices.candidates {
		shares[i] = make([]float64, len(candidates))
		for j := range candidates {
			for range portionCount {
				shares[i][j] += x[0]
				x = x[1:]
			}
		}
	}
	return shares
}

// fixSlots removes candidates of slots. If a candidate fills its whole slot, fixSlots removes all other
// candidates of this slot. In the other slots, it finds the candidate with the largest share, and
// removes the other candidates of this one slot too. done is true if each slot already had only one
// candidate.
func fixSlots(choices *dayChoices, shares [][]float64) (done bool) {
	const wholeShare = 1 - tolerance
	done = true
	slotToFix, candidateToKeep, largestShare := -1, 0, 0.0
	remaining := make([][]candidate, len(choices.candidates))
	for i, candidates := range choices.candidates {
		remaining[i] = candidates
		if len(candidates) == 1 {
			continue
		}
		done = false
		best, share := findLargestShare(shares[i])
		switch {
		case share >= wholeShare:
			remaining[i] = candidates[best : best+1]
		case share > largestShare:
			slotToFix, candidateToKeep, largestShare = i, best, share
		}
	}
	if slotToFix >= 0 {
		remaining[slotToFix] = choices.candidates[slotToFix][candidateToKeep : candidateToKeep+1]
	}
	choices.candidates = remaining
	return done
}

// findLargestShare returns the candidate with the largest share of a slot, and this share.
func findLargestShare(shares []float64) (candidate int, share float64) {
	for j, s := range shares {
		if s > shares[candidate] {
			candidate = j
		}
	}
	return candidate, shares[candidate]
}

// roundPortions rounds the portions of a day in which each slot has one candidate. Then
// it changes one portion at a time by one step, until no constraint is violated. It always
// chooses the change that reduces the violations most. It returns errNotFound if no change
// reduces them.
func roundPortions(choices dayChoices, x []float64, constraints []constraint) (Day, error) {
	day := make(Day, len(choices.slots))
	for i, candidates := range choices.candidates {
		c, share := candidates[0], x[i*portionCount:(i+1)*portionCount]
		grams := share[0]*c.minGrams + share[1]*c.usualGrams + share[2]*c.maxGrams
		day[i] = Item{choices.slots[i].meal, c.food, math.Min(math.Max(roundToStep(grams), c.minGrams), c.maxGrams)}
	}
	// The number of changes is limited to bound the time. Rounding changes a portion by at most
	// half a step, so a few changes are enough.
	for range 4 * len(day) {
		totals := day.Totals()
		violation := totalViolation(totals, constraints)
		if violation == 0 {
			return day, nil
		}
		best, bestChange := -1, 0.0
		for i := range day {
			c := choices.candidates[i][0]
			for _, change := range []float64{step, -step} {
				if grams := day[i].Grams + change; grams < c.minGrams || grams > c.maxGrams {
					continue
				}
				// 1e-12 is above the rounding error of a sum, so that equal violations do not count as better.
				newViolation := totalViolation(addNutrients(totals, c.food.NutrientsIn(change)), constraints)
				if newViolation < violation-1e-12 {
					best, bestChange, violation = i, change, newViolation
				}
			}
		}
		if best < 0 {
			break
		}
		day[best].Grams += bestChange
	}
	return nil, errNotFound
}

// totalViolation returns the sum of the violations of all constraints.
func totalViolation(totals foods.Nutrients, constraints []constraint) float64 {
	var sum float64
	for _, c := range constraints {
		sum += c.violation(totals[c.nutrient])
	}
	return sum
}

// addNutrients returns the sum of the nutrients.
func addNutrients(a, b foods.Nutrients) foods.Nutrients {
	for i := range a {
		a[i] += b[i]
	}
	return a
}

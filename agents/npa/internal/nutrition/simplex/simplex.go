// Package simplex solves small dense linear programs. A row may be violated at
// a price. It owns the arithmetic and knows nothing of food.
//
// It is the bounded-variable primal simplex method on a dense tableau (Chvátal,
// Linear Programming, 1983, chapters 2, 3 and 8).
//
// Only the tests use gonum's optimize/convex/lp, to compare the results. gonum's
// solver factorises three times in each iteration. With it, the planner would take
// about thirty times as long for a day (BenchmarkDay) and miss its goal of 30 ms for
// a week. gonum's solver also has no iteration limit and no context.
package simplex

import (
	"context"
	"errors"
	"math"
)

// Row is the rule Lo <= a·x <= Hi. Each unit outside the bounds costs Penalty, so
// a problem always has a solution. With a large Penalty, a rule is violated only
// if it must be. Lo and Hi are finite.
type Row struct{ Lo, Hi, Penalty float64 }

// Problem is: minimise cost·x plus penalties, for x >= 0.
type Problem struct {
	Cost []float64
	// Columns are the coefficients, by variable and then by row.
	Columns [][]float64
	Rows    []Row
}

// Solution is an optimal x. Violations are by row: negative below Lo, positive
// above Hi.
type Solution struct {
	X          []float64
	Violations []float64
	Cost       float64 // with penalties
}

// The errors of Solve besides the context's.
var (
	ErrUnbounded  = errors.New("simplex: the cost is unbounded: a variable with negative cost needs a row that bounds it")
	ErrIterations = errors.New("simplex: no optimum within the limit of iterations")
)

const (
	// tolerance is the largest value that counts as zero. Coefficients should
	// be near 1.
	tolerance = 1e-9
	// stallLimit is the number of consecutive steps without gain after which Bland's
	// rule replaces Dantzig's. Dantzig's is faster, but can cycle.
	stallLimit = 50
	// checkEvery is the number of iterations between two checks of the context.
	checkEvery = 64
)

// Solve returns an optimal solution. It stops after 50 iterations per column.
func Solve(ctx context.Context, p Problem) (Solution, error) {
	t := newTableau(p)
	stalled := 0
	for iteration := range 50 * len(t.upper) {
		if iteration%checkEvery == 0 && ctx.Err() != nil {
			return Solution{}, ctx.Err()
		}
		enter := t.enteringVariable(stalled >= stallLimit)
		if enter < 0 {
			return t.solution(p), nil
		}
		step, row := t.ratioTest(enter)
		if math.IsInf(step, 1) {
			return Solution{}, ErrUnbounded
		}
		t.move(enter, step, row)
		if step > tolerance {
			stalled = 0
		} else {
			stalled++
		}
	}
	return Solution{}, ErrIterations
}

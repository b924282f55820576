// Package simplex solves small dense linear programs. A rule of a program may be
// violated, at a price. The package knows nothing of food.
//
// It uses the primal simplex method for bounded variables, on a dense tableau (Chvátal,
// Linear Programming, 1983, chapters 2, 3 and 8). Its terms are explained there.
//
// The library gonum has a solver too (optimize/convex/lp). The tests compare our results
// with it. The planner does not use it, because it takes about thirty times as long
// (BenchmarkDay). The planner would miss its goal of 30 ms for a week. That solver also
// has no iteration limit and no context.
package simplex

import (
	"context"
	"errors"
	"math"
)

// Row is the rule Lo <= a·x <= Hi, with the coefficients a. Each unit outside the bounds
// costs Penalty, so a problem always has a solution. With a large Penalty, the solution
// only violates a rule if there is no other solution. Lo and Hi must be finite.
type Row struct{ Lo, Hi, Penalty float64 }

// Problem is: minimise cost·x plus penalties, for x >= 0.
type Problem struct {
	Cost []float64
	// Columns are the coefficients, by variable and then by row.
	Columns [][]float64
	Rows    []Row
}

// Solution is an optimal solution.
type Solution struct {
	X []float64
	// Violations has one number for each row: 0 within the bounds, negative below Lo,
	// positive above Hi.
	Violations []float64
	Cost       float64 // with penalties
}

// The errors of Solve. It also returns the error of its context.
var (
	ErrUnbounded  = errors.New("simplex: the cost is unbounded: a variable with negative cost needs a row that bounds it")
	ErrIterations = errors.New("simplex: no optimum within the limit of iterations")
)

const (
	// tolerance is the largest value that counts as zero. So the coefficients of a
	// problem should be near 1.
	tolerance = 1e-9
	// stallLimit is a number of consecutive steps that did not reduce the cost. After
	// them, Bland's rule replaces Dantzig's. Dantzig's rule is faster, but can cycle.
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

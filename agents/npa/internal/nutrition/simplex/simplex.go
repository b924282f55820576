// Package simplex solves small dense linear programmes whose rows may be
// broken at a price. It owns the arithmetic and knows nothing of food.
//
// It is the bounded-variable primal simplex method on a dense tableau
// (Chvátal, Linear Programming, 1983, chapters 2, 3 and 8). gonum's
// optimize/convex/lp, the well-kept solver at hand, is not used to serve: it
// factorises three times an iteration, so that a day of the planner takes it
// some thirty times as long (BenchmarkDay) and a week misses its goal of 30 ms;
// and it has neither a limit of iterations nor an end by context. It is what
// the tests compare this one to.
package simplex

import (
	"context"
	"errors"
	"math"
)

// Row is the rule Lo <= a·x <= Hi. Each unit outside costs Penalty, so a
// problem always has a solution, and a large Penalty makes the rule hard where
// it can be kept at all. Lo and Hi are finite.
type Row struct{ Lo, Hi, Penalty float64 }

// Problem is: minimise cost·x plus penalties over x >= 0.
type Problem struct {
	Cost []float64
	// Columns are the coefficients by variable, then by row.
	Columns [][]float64
	Rows    []Row
}

// Solution is a best x, with what each rule is broken by: negative below Lo,
// positive above Hi.
type Solution struct {
	X      []float64
	Broken []float64
	Cost   float64 // with penalties
}

// The errors of Solve beside the context's.
var (
	ErrUnbounded  = errors.New("simplex: the cost falls without end: a variable with negative cost needs a row that bounds it")
	ErrIterations = errors.New("simplex: no optimum within the limit of iterations")
)

const (
	// tolerance is below what counts as zero; coefficients should be near 1.
	tolerance = 1e-9
	// stalled is after how many steps without gain in a row Bland's rule, which
	// can't cycle, takes over from Dantzig's, which is faster.
	stalled = 50
	// checkEvery is after how many iterations the context is asked.
	checkEvery = 64
)

// Solve returns an optimal solution. It takes at most 50 iterations a column.
func Solve(ctx context.Context, p Problem) (Solution, error) {
	t := newTableau(p)
	still := 0
	for iteration := range 50 * len(t.upper) {
		if iteration%checkEvery == 0 && ctx.Err() != nil {
			return Solution{}, ctx.Err()
		}
		enter := t.entering(still >= stalled)
		if enter < 0 {
			return t.solution(p), nil
		}
		step, row := t.ratio(enter)
		if math.IsInf(step, 1) {
			return Solution{}, ErrUnbounded
		}
		t.move(enter, step, row)
		if step > tolerance {
			still = 0
		} else {
			still++
		}
	}
	return Solution{}, ErrIterations
}

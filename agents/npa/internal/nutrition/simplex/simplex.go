// Package simplex solves small dense linear programs. The constraints of a program may
// be violated, but each violation has a cost. The package does not depend on foods.
//
// It uses the primal simplex method for bounded variables, on a dense tableau (Chvátal,
// Linear Programming, 1983, chapters 2, 3 and 8). That book explains the terms.
//
// The library gonum also has a solver (optimize/convex/lp). The tests compare the
// results of both. The planner does not use gonum's solver, because it takes about
// thirty times as long (BenchmarkDay). With it, the planner would miss its goal of 30 ms
// for a week. That solver also has no iteration limit and no context.
package simplex

import (
	"context"
	"errors"
	"math"
)

// Row is the constraint Lo <= a·x <= Hi, with the coefficients a. Each unit outside the
// bounds costs Penalty, so a problem always has a solution. With a large Penalty, the
// solution only violates a constraint if there is no other solution. Lo and Hi must be
// finite.
type Row struct{ Lo, Hi, Penalty float64 }

// Problem is a linear program: minimize cost·x plus the penalties, for x >= 0.
type Problem struct {
	Cost []float64
	// Columns are the coefficients, by variable and then by row.
	Columns [][]float64
	Rows    []Row
}

// Solution is an optimal solution.
type Solution struct {
	X []float64
	// Violations has one number for each row: 0 if a·x is within the bounds, negative if
	// it is below Lo, and positive if it is above Hi.
	Violations []float64
	Cost       float64 // with penalties
}

// The errors of Solve. Solve also returns the error of its context.
var (
	ErrUnbounded  = errors.New("simplex: the cost is unbounded: a variable with negative cost needs a row that bounds it")
	ErrIterations = errors.New("simplex: no optimum within the limit of iterations")
)

const (
	// tolerance is the largest value that counts as zero. So the coefficients of a
	// problem should be near 1.
	tolerance = 1e-9
	// stallLimit is the number of consecutive steps without a lower cost after which
	// Bland's rule replaces Dantzig's rule. Dantzig's rule is faster, but can cycle.
	stallLimit = 50
	// checkEvery is the number of iterations between two checks of the context.
	checkEvery = 64
)

// Solve returns an optimal solution. It fails after 50 iterations for each variable of the
// tableau. A problem needs far fewer: rarely more than three for each row (Chvátal, chapter 4).
func Solve(ctx context.Context, p Problem) (Solution, error) {
	t := newTableau(p)
	stalled := 0
	for iteration := range 50 * len(t.upper) {
		if iteration%checkEvery == 0 && ctx.Err() != nil {
			return Solution{}, ctx.Err()
		}
		entering := t.chooseEnteringVariable(stalled >= stallLimit)
		if entering < 0 {
			return t.computeSolution(p), nil
		}
		step, row := t.ratioTest(entering)
		if math.IsInf(step, 1) {
			return Solution{}, ErrUnbounded
		}
		t.move(entering, step, row)
		if step > tolerance {
			stalled = 0
		} else {
			stalled++
		}
	}
	return Solution{}, ErrIterations
}

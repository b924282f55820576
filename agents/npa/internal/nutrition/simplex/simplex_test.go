package simplex_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"
	"pgregory.net/rapid"

	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/simplex"
)

func TestSolveFindsKnownOptima(t *testing.T) {
	for _, row := range []struct {
		reason     string
		p          simplex.Problem
		x          []float64
		violations []float64
		cost       float64
	}{
		{
			"textbook problem: max 3x+5y, x<=4, 2y<=12, 3x+2y<=18 (Hillier and Lieberman, Wyndor Glass)",
			simplex.Problem{
				Cost: []float64{-3, -5}, Columns: [][]float64{{1, 0, 3}, {0, 2, 2}},
				Rows: []simplex.Row{{0, 4, 1e3}, {0, 12, 1e3}, {0, 18, 1e3}},
			}, []float64{2, 6}, []float64{0, 0, 0}, -36,
		},
		{
			"a lower bound is met at the lowest cost",
			simplex.Problem{Cost: []float64{2, 3}, Columns: [][]float64{{1}, {2}}, Rows: []simplex.Row{{4, 9, 1e3}}},
			[]float64{0, 2}, []float64{0}, 6,
		},
		{
			"contradicting constraints: the one with the higher penalty is met",
			simplex.Problem{Cost: []float64{0}, Columns: [][]float64{{1, 1}}, Rows: []simplex.Row{{0, 1, 10}, {3, 4, 20}}},
			[]float64{3}, []float64{2, 0}, 20,
		},
		{
			"a row below zero can't be met by x >= 0 alone",
			simplex.Problem{Cost: []float64{1}, Columns: [][]float64{{1}}, Rows: []simplex.Row{{-3, -2, 5}}},
			[]float64{0}, []float64{2}, 10,
		},
		{
			"a negative row is met from above",
			simplex.Problem{Cost: []float64{1}, Columns: [][]float64{{-1}}, Rows: []simplex.Row{{-3, -2, 5}}},
			[]float64{2}, []float64{0}, 2,
		},
		{
			"Beale's example, on which Dantzig's rule cycles",
			simplex.Problem{
				Cost:    []float64{-0.75, 150, -0.02, 6},
				Columns: [][]float64{{0.25, 0.5, 0}, {-60, -90, 0}, {-0.04, -0.02, 1}, {9, 3, 0}},
				Rows:    []simplex.Row{{-1e4, 0, 1e3}, {-1e4, 0, 1e3}, {0, 1, 1e3}},
			}, []float64{0.04, 0, 1, 0}, []float64{0, 0, 0}, -0.05,
		},
	} {
		t.Run(row.reason, func(t *testing.T) {
			s, err := simplex.Solve(t.Context(), row.p)
			require.NoError(t, err)
			require.InDelta(t, row.cost, s.Cost, 1e-9)
			require.InDeltaSlice(t, row.x, s.X, 1e-9)
			require.InDeltaSlice(t, row.violations, s.Violations, 1e-9)
		})
	}
}

func TestUnboundedProblemIsAnError(t *testing.T) {
	_, err := simplex.Solve(t.Context(), simplex.Problem{Cost: []float64{-1}, Columns: [][]float64{{0}}, Rows: []simplex.Row{{0, 1, 1}}})
	require.ErrorIs(t, err, simplex.ErrUnbounded)
}

func TestCanceledContextEndsSolve(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := simplex.Solve(ctx, simplex.Problem{Cost: []float64{1}, Columns: [][]float64{{1}}, Rows: []simplex.Row{{1, 2, 1}}})
	require.ErrorIs(t, err, context.Canceled)
}

// drawProblem draws a problem with a finite optimum: no cost is negative.
func drawProblem(t *rapid.T) simplex.Problem {
	n, m := rapid.IntRange(1, 12).Draw(t, "n"), rapid.IntRange(1, 6).Draw(t, "m")
	// With small integers, several rows often limit a step equally. Such steps are the most
	// difficult.
	drawNumber := func(low, high int, name string) float64 { return float64(rapid.IntRange(low, high).Draw(t, name)) }
	p := simplex.Problem{}
	for range n {
		column := make([]float64, m)
		for i := range column {
			column[i] = drawNumber(-2, 4, "a")
		}
		p.Cost, p.Columns = append(p.Cost, drawNumber(0, 9, "cost")), append(p.Columns, column)
	}
	for range m {
		lo := drawNumber(-5, 9, "lo")
		p.Rows = append(p.Rows, simplex.Row{Lo: lo, Hi: lo + drawNumber(0, 6, "width"), Penalty: drawNumber(1, 50, "penalty")})
	}
	return p
}

// toStandardForm converts the problem to the form that gonum needs: cost·x is minimal for a·x =
// b and x >= 0. Each constraint becomes two equations, a·x + below - surplus = Lo and a·x -
// above + slack = Hi.
func toStandardForm(p simplex.Problem) (cost []float64, a *mat.Dense, b []float64) {
	n, m := len(p.Cost), len(p.Rows)
	a = mat.NewDense(2*m, n+4*m, nil)
	cost, b = make([]float64, n+4*m), make([]float64, 2*m)
	copy(cost, p.Cost)
	for i, row := range p.Rows {
		for j := range n {
			a.Set(2*i, j, p.Columns[j][i])
			a.Set(2*i+1, j, p.Columns[j][i])
		}
		below, surplus, above, slack := n+4*i, n+4*i+1, n+4*i+2, n+4*i+3
		a.Set(2*i, below, 1)
		a.Set(2*i, surplus, -1)
		a.Set(2*i+1, above, -1)
		a.Set(2*i+1, slack, 1)
		cost[below], cost[above] = row.Penalty, row.Penalty
		b[2*i], b[2*i+1] = row.Lo, row.Hi
	}
	return cost, a, b
}

func TestOptimumEqualsTheOptimumOfGonum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawProblem(t)
		s, err := simplex.Solve(context.Background(), p)
		require.NoError(t, err)
		for _, x := range s.X {
			require.GreaterOrEqual(t, x, 0.0)
		}
		cost, a, b := toStandardForm(p)
		want, _, err := lp.Simplex(cost, a, b, 1e-9, nil)
		if err != nil {
			t.Skip("gonum gave up: ", err)
		}
		require.InDelta(t, want, s.Cost, 1e-6)
	})
}

// newDayProblem returns a random problem of the size of a planner's day: 6 bounds and 16 slots.
// Each slot has 18 columns.
func newDayProblem() simplex.Problem {
	const bounds, slots, candidates = 6, 16, 18
	rng := rand.New(rand.NewPCG(1, 2))
	p := simplex.Problem{}
	for range bounds {
		p.Rows = append(p.Rows, simplex.Row{Lo: 1, Hi: 1.2, Penalty: 1e5})
	}
	for slot := range slots {
		p.Rows = append(p.Rows, simplex.Row{Lo: 1, Hi: 1, Penalty: 1e5})
		for range candidates {
			column := make([]float64, bounds+slots)
			for i := range bounds {
				column[i] = rng.Float64() / 8
			}
			column[bounds+slot] = 1
			p.Columns, p.Cost = append(p.Columns, column), append(p.Cost, rng.Float64())
		}
	}
	return p
}

// BenchmarkDay compares this package with gonum's solver.
func BenchmarkDay(b *testing.B) {
	p := newDayProblem()
	b.Run("this", func(b *testing.B) {
		for b.Loop() {
			_, err := simplex.Solve(b.Context(), p)
			require.NoError(b, err)
		}
	})
	b.Run("gonum", func(b *testing.B) {
		cost, a, rhs := toStandardForm(p)
		for b.Loop() {
			_, _, err := lp.Simplex(cost, a, rhs, 1e-9, nil)
			require.NoError(b, err)
		}
	})
}

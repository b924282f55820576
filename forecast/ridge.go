package forecast

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// penaltyShare is the penalty for a large weight of an input, as a share of the mean square of the
// input.
const penaltyShare = 1e-3

// halfLife is the age in hours at which the weight of an observation is half.
const halfLife = 6 * 24

// ridge is a ridge regression: a linear regression with a penalty for large weights. Older
// observations count less.
type ridge struct {
	gram         *mat.SymDense // the sum of x·xᵀ
	moments      *mat.VecDense // the sum of x·y
	observations int           // the number of observations
	weights      []float64
}

// newRidge returns a regression with zero weights.
func newRidge(inputCount int) *ridge {
	return &ridge{gram: mat.NewSymDense(inputCount, nil), moments: mat.NewVecDense(inputCount, nil), weights: make([]float64, inputCount)}
}

// add adds an observation: the inputs x had the result y.
func (r *ridge) add(x []float64, y float64) {
	v := mat.NewVecDense(len(x), x)
	r.gram.SymRankOne(r.gram, 1, v)
	r.moments.AddScaledVec(r.moments, y, v)
	r.observations++
}

// fit computes the weights. If the observations do not determine the weights, the old ones stay.
// fit must be called once an hour, because each call also reduces the weight of all earlier
// observations. After halfLife hours, the weight of an observation is half.
func (r *ridge) fit() {
	n := len(r.weights)
	penalized := mat.NewSymDense(n, nil)
	penalized.CopySym(r.gram)
	for i := range n {
		// 1e-9 makes the matrix invertible even if an input was always zero.
		penalized.SetSym(i, i, r.gram.At(i, i)*(1+penaltyShare)+1e-9)
	}
	var cholesky mat.Cholesky
	solution := mat.NewVecDense(n, nil)
	if cholesky.Factorize(penalized) && cholesky.SolveVecTo(solution, r.moments) == nil && allFinite(solution.RawVector().Data) {
		copy(r.weights, solution.RawVector().Data)
	}
	decay := math.Exp2(-1.0 / halfLife)
	r.gram.ScaleSym(decay, r.gram)
	r.moments.ScaleVec(decay, r.moments)
}

// predict returns the result for the inputs x.
func (r *ridge) predict(x []float64) float64 {
	sum := 0.0
	for i, w := range r.weights {
		sum += w * x[i]
	}
	return sum
}

// allFinite reports whether all values are finite numbers.
func allFinite(values []float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

package forecast

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// penaltyShare is the penalty for a large weight of an input, as a share of the mean square of the
// input.
const penaltyShare = 1e-3

// halfLife is the age in hours at which an observation counts half.
const halfLife = 6 * 24

// ridge is a ridge regression: a linear regression with a penalty for large weights. Older
// observations count less.
type ridge struct {
	gram    *mat.SymDense // the sum of x·xᵀ
	moments *mat.VecDense // the sum of x·y
	rows    int           // the number of observations
	weights []float64
}

// newRidge returns a regression whose weights are zero.
func newRidge(inputs int) *ridge {
	return &ridge{gram: mat.NewSymDense(inputs, nil), moments: mat.NewVecDense(inputs, nil), weights: make([]float64, inputs)}
}

// add adds an observation: the inputs x had the result y.
func (r *ridge) add(x []float64, y float64) {
	v := mat.NewVecDense(len(x), x)
	r.gram.SymRankOne(r.gram, 1, v)
	r.moments.AddScaledVec(r.moments, y, v)
	r.rows++
}

// fit computes the weights. If the observations do not determine the weights, the old ones stay.
// fit is called once an hour. So it then multiplies the sums by the factor of one hour of halfLife,
// and older observations count less.
func (r *ridge) fit() {
	n := len(r.weights)
	penalized := mat.NewSymDense(n, nil)
	penalized.CopySym(r.gram)
	for i := range n {
		// 1e-9 makes the matrix invertible even if an input was always zero.
		penalized.SetSym(i, i, r.gram.At(i, i)*(1+penaltyShare)+1e-9)
	}
	var cholesky mat.Cholesky
	solved := mat.NewVecDense(n, nil)
	if cholesky.Factorize(penalized) && cholesky.SolveVecTo(solved, r.moments) == nil && finite(solved.RawVector().Data) {
		copy(r.weights, solved.RawVector().Data)
	}
	fade := math.Exp2(-1.0 / halfLife)
	r.gram.ScaleSym(fade, r.gram)
	r.moments.ScaleVec(fade, r.moments)
}

// predict returns the result for the inputs x.
func (r *ridge) predict(x []float64) float64 {
	sum := 0.0
	for i, w := range r.weights {
		sum += w * x[i]
	}
	return sum
}

// finite reports whether all values are finite numbers.
func finite(values []float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

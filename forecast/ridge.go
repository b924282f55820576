package forecast

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// shrink is the ridge's penalty as a share of each input's mean square.
const shrink = 1e-3

// halfLife is the age in hours at which an observation counts half.
const halfLife = 6 * 24

// ridge is a linear regression with a penalty, in which old observations fade.
type ridge struct {
	gram    *mat.SymDense
	moments *mat.VecDense
	rows    int
	weights []float64
}

func newRidge(inputs int) *ridge {
	return &ridge{gram: mat.NewSymDense(inputs, nil), moments: mat.NewVecDense(inputs, nil), weights: make([]float64, inputs)}
}

// add observes that the inputs x gave y.
func (r *ridge) add(x []float64, y float64) {
	v := mat.NewVecDense(len(x), x)
	r.gram.SymRankOne(r.gram, 1, v)
	r.moments.AddScaledVec(r.moments, y, v)
	r.rows++
}

// fit computes the weights, and lets the observations age by an hour. It keeps the weights if the
// observations determine none.
func (r *ridge) fit() {
	n := len(r.weights)
	penalized := mat.NewSymDense(n, nil)
	penalized.CopySym(r.gram)
	for i := range n {
		d := r.gram.At(i, i)
		penalized.SetSym(i, i, d*(1+shrink)+1e-9)
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

func (r *ridge) predict(x []float64) float64 {
	sum := 0.0
	for i, w := range r.weights {
		sum += w * x[i]
	}
	return sum
}

func finite(values []float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

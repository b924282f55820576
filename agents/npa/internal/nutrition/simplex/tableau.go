package simplex

import "math"

// tableau is the simplex tableau of a problem. Each constraint is one row, an equation a·x -
// s - above + below = 0. s must be within the bounds of the constraint. above and below are
// the violations, and their cost is the penalty. The variables are x, then s, above and
// below of each row. The lower bound of every variable is 0, so the tableau stores s - Lo
// instead of s.
type tableau struct {
	n, m    int       // the numbers of variables x and of rows
	cells   []float64 // m rows of width columns
	width   int       // the number of all variables
	reduced []float64 // the reduced cost of each variable
	upper   []float64 // the upper bound of each variable
	atUpper []bool    // whether each variable is nonbasic and at its upper bound
	basis   []int     // the basic variable of each row
	inBasis []bool    // whether each variable is basic
	value   []float64 // the value of the basic variable of each row
}

// newTableau returns the tableau of a problem at x = 0.
func newTableau(p Problem) *tableau {
	n, m := len(p.Cost), len(p.Rows)
	width := n + 3*m
	t := &tableau{
		n: n, m: m, width: width,
		cells: make([]float64, m*width), reduced: make([]float64, width), upper: make([]float64, width),
		atUpper: make([]bool, width), basis: make([]int, m), inBasis: make([]bool, width), value: make([]float64, m),
	}
	for j := range width {
		t.upper[j] = math.Inf(1)
	}
	copy(t.reduced, p.Cost)
	for i, row := range p.Rows {
		t.initRow(i, row, p.Columns)
	}
	return t
}

// initRow fills row i for x = 0 and chooses its basic variable. The basic variable is s if
// x = 0 satisfies the constraint, above if 0 is above Hi, and below if 0 is below Lo.
func (t *tableau) initRow(i int, row Row, columns [][]float64) {
	s, above, below := t.logicalVariables(i)
	t.upper[s] = row.Hi - row.Lo
	t.reduced[above], t.reduced[below] = row.Penalty, row.Penalty
	basic, sign := s, -1.0
	switch {
	case row.Lo > 0:
		basic, sign, t.value[i] = below, 1, row.Lo
	case row.Hi < 0:
		basic, t.value[i] = above, -row.Hi
		t.atUpper[s] = true
	default:
		t.value[i] = -row.Lo
	}
	cells := t.row(i)
	for j := range columns {
		cells[j] = sign * columns[j][i]
	}
	cells[s], cells[above], cells[below] = -sign, -sign, sign
	t.basis[i], t.inBasis[basic] = basic, true
	if price := t.reduced[basic]; price != 0 {
		for j, cell := range cells {
			t.reduced[j] -= price * cell
		}
	}
}

// row returns the row of constraint i.
func (t *tableau) row(i int) []float64 { return t.cells[i*t.width : (i+1)*t.width] }

// logicalVariables returns the indexes of the variables s, above and below of constraint i.
func (t *tableau) logicalVariables(i int) (s, above, below int) {
	return t.n + 3*i, t.n + 3*i + 1, t.n + 3*i + 2
}

// chooseEnteringVariable returns the nonbasic variable that reduces the cost most per unit
// (Dantzig's rule). With Bland's rule, it returns the first variable that reduces the cost.
// At the optimum it returns -1.
func (t *tableau) chooseEnteringVariable(useBlandsRule bool) int {
	best, bestGain := -1, tolerance
	for j, d := range t.reduced {
		if t.inBasis[j] || t.upper[j] <= tolerance {
			continue
		}
		gain := -d
		if t.atUpper[j] {
			gain = d
		}
		if gain > bestGain {
			best, bestGain = j, gain
			if useBlandsRule {
				break
			}
		}
	}
	return best
}

// ratioTest returns how far the entering variable can move, and the row of the basic
// variable that reaches a bound first. The row is -1 if the entering variable reaches
// its own bound first. If several basic variables reach a bound at the same step, it
// returns the row of the variable with the lowest index, as Bland's rule needs.
func (t *tableau) ratioTest(entering int) (step float64, row int) {
	step, row = t.upper[entering], -1
	for i := range t.m {
		// decrease is how much the basic variable of the row decreases for each unit of the step.
		decrease := t.row(i)[entering]
		if t.atUpper[entering] {
			decrease = -decrease
		}
		var limit float64
		switch {
		case decrease > tolerance:
			limit = t.value[i] / decrease
		case decrease < -tolerance:
			limit = (t.upper[t.basis[i]] - t.value[i]) / -decrease
		default:
			continue
		}
		limit = math.Max(limit, 0)
		isSmaller := limit < step-tolerance
		isTie := limit < step+tolerance && row >= 0
		if isSmaller || isTie && t.basis[i] < t.basis[row] {
			step, row = limit, i
		}
	}
	return step, row
}

// move moves the entering variable by step. If a row limits the step, the entering
// variable replaces the row's basic variable.
func (t *tableau) move(entering int, step float64, row int) {
	direction, newValue := 1.0, step
	if t.atUpper[entering] {
		direction, newValue = -1, t.upper[entering]-step
	}
	for i := range t.m {
		t.value[i] -= t.row(i)[entering] * direction * step
	}
	if row < 0 {
		t.atUpper[entering] = !t.atUpper[entering]
		return
	}
	leaving := t.basis[row]
	t.atUpper[leaving] = t.row(row)[entering]*direction < 0 // the leaving variable rose to its upper bound
	t.inBasis[leaving], t.inBasis[entering], t.atUpper[entering] = false, true, false
	t.basis[row], t.value[row] = entering, newValue
	t.pivot(row, entering)
}

// pivot changes the rows so that the column is 1 in this row and 0 in all other rows.
func (t *tableau) pivot(row, column int) {
	pivot := t.row(row)
	scale := 1 / pivot[column]
	for j := range pivot {
		pivot[j] *= scale
	}
	for i := range t.m {
		if i != row {
			eliminate(t.row(i), pivot, column)
		}
	}
	eliminate(t.reduced, pivot, column)
}

// eliminate subtracts a multiple of the row pivot from row, so that row has 0 in this column.
func eliminate(row, pivot []float64, column int) {
	factor := row[column]
	if factor == 0 {
		return
	}
	pivot = pivot[:len(row)]
	for j := range row {
		row[j] -= factor * pivot[j]
	}
	row[column] = 0
}

// computeSolution returns the values of x in this tableau, and computes the cost and the
// violations from them.
func (t *tableau) computeSolution(p Problem) Solution {
	s := Solution{X: make([]float64, t.n), Violations: make([]float64, t.m)}
	for i, j := range t.basis {
		if j < t.n {
			s.X[j] = math.Max(t.value[i], 0)
		}
	}
	activity := make([]float64, t.m)
	for j, x := range s.X {
		if x == 0 {
			continue
		}
		s.Cost += p.Cost[j] * x
		for i, a := range p.Columns[j] {
			activity[i] += a * x
		}
	}
	for i, row := range p.Rows {
		switch a := activity[i]; {
		case a < row.Lo-tolerance:
			s.Violations[i] = a - row.Lo
		case a > row.Hi+tolerance:
			s.Violations[i] = a - row.Hi
		}
		s.Cost += row.Penalty * math.Abs(s.Violations[i])
	}
	return s
}

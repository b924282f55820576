package simplex

import "math"

// tableau is a basis of the problem in the form a·x - s - above + below = 0,
// one row a rule. s is within the rule's bounds; above and below have a
// penalty. The variables are x, then s, above and below of each row. All are
// shifted to begin at 0 (s by Lo).
type tableau struct {
	n, m    int
	cells   []float64 // m rows of width columns
	width   int
	reduced []float64 // reduced costs
	upper   []float64 // bound of each variable
	atUpper []bool    // of nonbasic variables
	basis   []int     // the variable that is basic in each row
	inBasis []bool
	value   []float64 // of the basic variables
}

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
		t.startRow(i, row, p.Columns)
	}
	return t
}

// startRow makes one variable of row i basic, for x = 0: s if the rule holds, else
// above or below.
func (t *tableau) startRow(i int, row Row, columns [][]float64) {
	s, above, below := t.logicals(i)
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

// row returns the row of rule i.
func (t *tableau) row(i int) []float64 { return t.cells[i*t.width : (i+1)*t.width] }

// logicals returns the indexes of the variables s, above and below of rule i.
func (t *tableau) logicals(i int) (s, above, below int) {
	return t.n + 3*i, t.n + 3*i + 1, t.n + 3*i + 2
}

// enteringVariable returns the nonbasic variable with the largest gain. With Bland's
// rule it is the first with any gain. It is -1 at the optimum.
func (t *tableau) enteringVariable(bland bool) int {
	best, most := -1, tolerance
	for j, d := range t.reduced {
		if t.inBasis[j] || t.upper[j] <= tolerance {
			continue
		}
		gain := -d
		if t.atUpper[j] {
			gain = d
		}
		if gain > most {
			best, most = j, gain
			if bland {
				break
			}
		}
	}
	return best
}

// ratioTest returns how far the entering variable can move, and the row whose basic
// variable limits the step. The row is -1 if the entering variable's own bound is the
// limit. Ties go to the lowest variable, as Bland's rule needs.
func (t *tableau) ratioTest(enter int) (step float64, row int) {
	step, row = t.upper[enter], -1
	for i := range t.m {
		decrease := t.row(i)[enter]
		if t.atUpper[enter] {
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
		if limit < step-tolerance || limit < step+tolerance && row >= 0 && t.basis[i] < t.basis[row] {
			step, row = limit, i
		}
	}
	return step, row
}

// move moves the entering variable by step. If a row limits the step, the
// variable enters the basis there.
func (t *tableau) move(enter int, step float64, row int) {
	direction, newValue := 1.0, step
	if t.atUpper[enter] {
		direction, newValue = -1, t.upper[enter]-step
	}
	for i := range t.m {
		t.value[i] -= t.row(i)[enter] * direction * step
	}
	if row < 0 {
		t.atUpper[enter] = !t.atUpper[enter]
		return
	}
	leave := t.basis[row]
	t.atUpper[leave] = t.row(row)[enter]*direction < 0 // true if the leaving variable rose to its bound; the step may be 0
	t.inBasis[leave], t.inBasis[enter], t.atUpper[enter] = false, true, false
	t.basis[row], t.value[row] = enter, newValue
	t.pivot(row, enter)
}

// pivot makes the column zero in all rows but this one, where it becomes 1.
func (t *tableau) pivot(row, column int) {
	pivot := t.row(row)
	scale := 1 / pivot[column]
	for j := range pivot {
		pivot[j] *= scale
	}
	for i := range t.m {
		if i != row {
			subtract(t.row(i), pivot, column)
		}
	}
	subtract(t.reduced, pivot, column)
}

// subtract subtracts a multiple of pivot, so that the row's column becomes 0.
func subtract(row, pivot []float64, column int) {
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

// solution computes x from the basis, and cost and violations from x.
func (t *tableau) solution(p Problem) Solution {
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

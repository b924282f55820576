package cost

import "fmt"

// String is the amount in dollars and cents, such as $1,234.56. It is rounded to
// the nearest cent, half a cent away from zero.
func (m Micros) String() string {
	sign, cents := "", (int64(m.abs())+5_000)/10_000
	if m < 0 && cents > 0 {
		sign = "-"
	}
	return fmt.Sprintf("%s$%s.%02d", sign, thousands(cents/100), cents%100)
}

// Signed is String with a plus sign for an amount above zero.
func (m Micros) Signed() string {
	if m > 0 {
		return "+" + m.String()
	}
	return m.String()
}

// abs is the amount without its sign.
func (m Micros) abs() Micros { return max(m, -m) }

// thousands is a number with a comma after each three digits.
func thousands(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// Plus is the sum of two amounts.
func (r Range) Plus(other Range) Range {
	return Range{r.Min + other.Min, r.Expected + other.Expected, r.Max + other.Max}
}

// Minus is the difference of two amounts.
func (r Range) Minus(other Range) Range {
	return Range{r.Min - other.Min, r.Expected - other.Expected, r.Max - other.Max}
}

// String is the expected amount, with the minimum and the maximum if they differ.
func (r Range) String() string {
	if r.Min == r.Max {
		return r.Expected.String()
	}
	return fmt.Sprintf("%s (%s to %s)", r.Expected, r.Min, r.Max)
}

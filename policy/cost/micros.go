package cost

import (
	"fmt"
	"strconv"
	"strings"
)

// String returns the amount in dollars and cents, such as $1,234.56. It rounds to the nearest
// cent, and rounds half a cent away from zero.
func (m Micros) String() string {
	sign, cents := "", (int64(m.abs())+5_000)/10_000
	if m < 0 && cents > 0 {
		sign = "-"
	}
	return fmt.Sprintf("%s$%s.%02d", sign, groupThousands(cents/100), cents%100)
}

// Signed returns the text of String, with a plus sign for an amount above zero.
func (m Micros) Signed() string {
	if m > 0 {
		return "+" + m.String()
	}
	return m.String()
}

// Exact returns the amount with all its decimals, two or more, such as $0.2016.
func (m Micros) Exact() string {
	sign, amount := "", int64(m.abs())
	if m < 0 {
		sign = "-"
	}
	decimals := strings.TrimRight(fmt.Sprintf("%06d", amount%int64(Dollar)), "0")
	return fmt.Sprintf("%s$%s.%s", sign, groupThousands(amount/int64(Dollar)), decimals+strings.Repeat("0", max(0, 2-len(decimals))))
}

// ParseMicros reads an amount in dollars, such as 0.2016000000. It must be a whole
// number of millionths.
func ParseMicros(text string) (Micros, error) {
	whole, decimals, _ := strings.Cut(text, ".")
	decimals = strings.TrimRight(decimals, "0")
	if len(decimals) > 6 {
		return 0, fmt.Errorf("%s is not a whole number of millionths of a dollar", text)
	}
	n, err := strconv.ParseInt(whole+decimals+strings.Repeat("0", 6-len(decimals)), 10, 64)
	if err != nil || n < 0 || whole == "" {
		return 0, fmt.Errorf("%q must be an amount in dollars, such as 0.2016", text)
	}
	return Micros(n), nil
}

// abs returns the amount without its sign.
func (m Micros) abs() Micros { return max(m, -m) }

// groupThousands returns a number with a comma before each group of three digits.
func groupThousands(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", groupThousands(n/1000), n%1000)
}

// Plus returns the sum of two amounts.
func (r Range) Plus(other Range) Range {
	return Range{r.Min + other.Min, r.Expected + other.Expected, r.Max + other.Max}
}

// Minus returns the difference of two amounts.
func (r Range) Minus(other Range) Range {
	return Range{r.Min - other.Min, r.Expected - other.Expected, r.Max - other.Max}
}

// String returns the expected amount, with the minimum and the maximum if they differ.
func (r Range) String() string {
	if r.Min == r.Max {
		return r.Expected.String()
	}
	return fmt.Sprintf("%s (%s to %s)", r.Expected, r.Min, r.Max)
}

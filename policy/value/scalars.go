package value

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// String is a string. A comparison of an absent value returns False, and of an unknown value Unknown.
type String struct{ Node }

// Bool is true or false. It is compared as a String is.
type Bool struct{ Node }

// Number is a whole number or a fraction. It is compared as a String is.
type Number struct{ Node }

// applyTest applies test to a known value of type T. For an absent value it returns
// False; use Or first if the property has a default.
func applyTest[T any](n Node, test func(T) bool) Truth {
	switch n.state {
	case unknown:
		return Unknown
	case known:
		v, ok := n.raw.(T)
		return FromBool(ok && test(v))
	}
	return False
}

// withDefault returns n, or the fallback if n is absent.
func withDefault[T View](n T, fallback any) T {
	node := struct{ Node }(n).Node // each view is a struct with only a Node
	if node.state != absent {
		return n
	}
	return As[T](New(fallback))
}

// Or returns s, or fallback if s is absent.
func (s String) Or(fallback string) String { return withDefault(s, fallback) }

// Is reports whether the text is want.
func (s String) Is(want string) Truth {
	return applyTest(s.Node, func(v string) bool { return v == want })
}

// Equals reports whether the two values are equal. Two absent values are equal.
func (s String) Equals(other String) Truth {
	if s.state == unknown || other.state == unknown {
		return Unknown
	}
	return FromBool(s.raw == other.raw)
}

// In reports whether the text is one of wants.
func (s String) In(wants ...string) Truth {
	return applyTest(s.Node, func(v string) bool { return slices.Contains(wants, v) })
}

// HasPrefix reports whether the text begins with prefix.
func (s String) HasPrefix(prefix string) Truth {
	return applyTest(s.Node, func(v string) bool { return strings.HasPrefix(v, prefix) })
}

// HasSuffix reports whether the text ends with suffix.
func (s String) HasSuffix(suffix string) Truth {
	return applyTest(s.Node, func(v string) bool { return strings.HasSuffix(v, suffix) })
}

// Contains reports whether part is in the text.
func (s String) Contains(part string) Truth {
	return applyTest(s.Node, func(v string) bool { return strings.Contains(v, part) })
}

// Matches reports whether the text matches a regular expression.
func (s String) Matches(re *regexp.Regexp) Truth { return applyTest(s.Node, re.MatchString) }

// Satisfies reports whether test is true for the text.
func (s String) Satisfies(test func(string) bool) Truth { return applyTest(s.Node, test) }

// Text returns the text in quotes, for a message. For an absent value it returns "(not set)", for an
// unknown one "(not known yet)", and for a value that is not a string "".
func (s String) Text() string {
	switch v := s.raw.(type) {
	case string:
		return strconv.Quote(v)
	default:
		return map[state]string{absent: "(not set)", unknown: "(not known yet)"}[s.state]
	}
}

// Or returns b, or fallback if b is absent.
func (b Bool) Or(fallback bool) Bool { return withDefault(b, fallback) }

// IsTrue reports whether b is true.
func (b Bool) IsTrue() Truth {
	// Tags and parameters have their booleans as strings.
	if text, ok := b.raw.(string); ok {
		return FromBool(text == "true")
	}
	return applyTest(b.Node, func(v bool) bool { return v })
}

// IsFalse reports whether b is false.
func (b Bool) IsFalse() Truth { return applyTest(b.Node, func(v bool) bool { return !v }) }

// Or returns n, or fallback if n is absent.
func (n Number) Or(fallback float64) Number { return withDefault(n, fallback) }

// Is reports whether the number is want.
func (n Number) Is(want float64) Truth {
	return applyTest(n.Node, func(v float64) bool { return v == want })
}

// AtLeast reports whether n ≥ limit.
func (n Number) AtLeast(limit float64) Truth {
	return applyTest(n.Node, func(v float64) bool { return v >= limit })
}

// AtMost reports whether n ≤ limit.
func (n Number) AtMost(limit float64) Truth {
	return applyTest(n.Node, func(v float64) bool { return v <= limit })
}

// Between reports whether low ≤ n ≤ high.
func (n Number) Between(low, high float64) Truth { return All(n.AtLeast(low), n.AtMost(high)) }

// Compare applies test to two numbers. It returns False if a number is absent. Otherwise it returns
// Unknown if a number is unknown.
func (n Number) Compare(other Number, test func(a, b float64) bool) Truth {
	return applyTestToBoth(n.Node, other.Node, test)
}

// IntOrPercent is a number, or a percentage of another number such as "50%".
type IntOrPercent struct{ Node }

// Compare applies test to the value and to total. It converts a percentage of total to a number first,
// and rounds it up, as Kubernetes does for a PodDisruptionBudget. It returns False if the value or total
// is absent. Otherwise it returns Unknown if the value or total is unknown.
func (p IntOrPercent) Compare(total Number, test func(part, total float64) bool) Truth {
	return applyTestToBoth(p.Node, total.Node, func(part, total any) bool {
		number, isNumber := total.(float64)
		switch part := part.(type) {
		case float64:
			return isNumber && test(part, number)
		case string:
			percent, err := strconv.ParseFloat(strings.TrimSuffix(part, "%"), 64)
			return isNumber && err == nil && test(math.Ceil(percent*number/100), number)
		}
		return false
	})
}

// IsZero reports whether the value is 0 or "0%".
func (p IntOrPercent) IsZero() Truth { return Any(Number(p).Is(0), String(p).Is("0%")) }

// Text returns the value as a text, for a message. For an absent value it returns "(not set)", and
// for an unknown one "(not known yet)".
func (p IntOrPercent) Text() string { return Number(p).Text() }

// CompareStrings applies test to two strings. It returns False if a string is absent. Otherwise it
// returns Unknown if a string is unknown.
func CompareStrings(a, b String, test func(a, b string) bool) Truth {
	return applyTestToBoth(a.Node, b.Node, test)
}

// applyTestToBoth applies test to two known values of type T. It returns False if a value is absent.
// Otherwise it returns Unknown if a value is unknown.
func applyTestToBoth[T any](a, b Node, test func(a, b T) bool) Truth {
	if a.state == absent || b.state == absent {
		return False
	}
	if a.state == unknown || b.state == unknown {
		return Unknown
	}
	x, ok1 := a.raw.(T)
	y, ok2 := b.raw.(T)
	return FromBool(ok1 && ok2 && test(x, y))
}

// Text returns the number as a text, for a message. For an absent value it returns "(not set)",
// and for an unknown one "(not known yet)".
func (n Number) Text() string {
	if v, ok := n.raw.(float64); ok {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return String(n).Text()
}

package value

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// String is a text.
type String struct{ Node }

// Bool is true or false.
type Bool struct{ Node }

// Number is a whole number or a fraction.
type Number struct{ Node }

// ask applies a question to a known value of type T. The absent value answers
// false: give it its default with Or.
func ask[T any](n Node, question func(T) bool) Truth {
	switch n.state {
	case unknown:
		return Unknown
	case known:
		v, ok := n.raw.(T)
		return Of(ok && question(v))
	}
	return False
}

func or[T View](n T, fallback any) T {
	if plain := Node(struct{ Node }(n).Node); plain.state != absent {
		return n
	}
	return As[T](New(fallback))
}

// Or is s, or fallback where s is absent.
func (s String) Or(fallback string) String { return or(s, fallback) }

// Is compares with a text.
func (s String) Is(want string) Truth { return ask(s.Node, func(v string) bool { return v == want }) }

// Equals compares with another value.
func (s String) Equals(other String) Truth {
	if s.state == unknown || other.state == unknown {
		return Unknown
	}
	return Of(s.raw == other.raw)
}

// In compares with several texts.
func (s String) In(wants ...string) Truth {
	return ask(s.Node, func(v string) bool { return slices.Contains(wants, v) })
}

// HasPrefix looks at the beginning.
func (s String) HasPrefix(prefix string) Truth {
	return ask(s.Node, func(v string) bool { return strings.HasPrefix(v, prefix) })
}

// HasSuffix looks at the end.
func (s String) HasSuffix(suffix string) Truth {
	return ask(s.Node, func(v string) bool { return strings.HasSuffix(v, suffix) })
}

// Contains looks for a part.
func (s String) Contains(part string) Truth {
	return ask(s.Node, func(v string) bool { return strings.Contains(v, part) })
}

// Matches compares with a regular expression.
func (s String) Matches(re *regexp.Regexp) Truth { return ask(s.Node, re.MatchString) }

// Satisfies asks any question about the text.
func (s String) Satisfies(question func(string) bool) Truth { return ask(s.Node, question) }

// Text is the known text, or a placeholder, for messages.
func (s String) Text() string {
	switch v := s.raw.(type) {
	case string:
		return strconv.Quote(v)
	default:
		return map[state]string{absent: "(not set)", unknown: "(not known yet)"}[s.state]
	}
}

// Or is b, or fallback where b is absent.
func (b Bool) Or(fallback bool) Bool { return or(b, fallback) }

// IsTrue asks whether b is true.
func (b Bool) IsTrue() Truth {
	// A boolean in a tag or a parameter is a text.
	if text, ok := b.raw.(string); ok {
		return Of(text == "true")
	}
	return ask(b.Node, func(v bool) bool { return v })
}

// IsFalse asks whether b is false.
func (b Bool) IsFalse() Truth { return ask(b.Node, func(v bool) bool { return !v }) }

// Or is n, or fallback where n is absent.
func (n Number) Or(fallback float64) Number { return or(n, fallback) }

// Is compares with a number.
func (n Number) Is(want float64) Truth { return ask(n.Node, func(v float64) bool { return v == want }) }

// AtLeast asks whether n ≥ limit.
func (n Number) AtLeast(limit float64) Truth {
	return ask(n.Node, func(v float64) bool { return v >= limit })
}

// AtMost asks whether n ≤ limit.
func (n Number) AtMost(limit float64) Truth {
	return ask(n.Node, func(v float64) bool { return v <= limit })
}

// Between asks whether low ≤ n ≤ high.
func (n Number) Between(low, high float64) Truth { return All(n.AtLeast(low), n.AtMost(high)) }

// Compare asks a question about two numbers.
func (n Number) Compare(other Number, question func(a, b float64) bool) Truth {
	return both(n.Node, other.Node, question)
}

// Both asks a question about two texts.
func Both(a, b String, question func(a, b string) bool) Truth { return both(a.Node, b.Node, question) }

// both is ask for two values: an unknown one makes the answer unknown, whatever
// the other one is, unless that is absent.
func both[T any](a, b Node, question func(a, b T) bool) Truth {
	if a.state == absent || b.state == absent {
		return False
	}
	if a.state == unknown || b.state == unknown {
		return Unknown
	}
	x, ok1 := a.raw.(T)
	y, ok2 := b.raw.(T)
	return Of(ok1 && ok2 && question(x, y))
}

// Text is the known number, or a placeholder, for messages.
func (n Number) Text() string {
	if v, ok := n.raw.(float64); ok {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return String{n.Node}.Text()
}

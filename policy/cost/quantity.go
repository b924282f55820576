package cost

import (
	"fmt"
	"math"
	"strconv"

	"github.com/progressive-framework/platform/policy/value"
)

// maxQuantity bounds a quantity that an input gives, so that no amount overflows:
// the highest price × 730 hours × maxQuantity is below 2^63.
const maxQuantity = 1_000_000

// reading is the value of an input. problem is empty, or says why there is no value: the input
// "is not known yet", "is not set", or has a wrong value.
type reading[T any] struct {
	value   T
	problem string
}

// ok reports whether the input has a value.
func (r reading[T]) ok() bool { return r.problem == "" }

const (
	notKnown = "is not known yet"
	notSet   = "is not set"
)

// readWhole reads an input that is a whole number; a fraction is rounded up.
func readWhole(n value.Number) reading[int64] {
	switch v := n.Raw().(type) {
	case nil:
		return reading[int64]{problem: notSet}
	case value.Undetermined:
		return reading[int64]{problem: notKnown}
	case float64:
		if v >= 0 && v <= maxQuantity {
			return reading[int64]{value: int64(math.Ceil(v))}
		}
		return reading[int64]{problem: fmt.Sprintf("is %v, must be 0 to %d", v, maxQuantity)}
	case string: // a state export has some numbers as text
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return readWhole(value.As[value.Number](value.New(f)))
		}
	}
	return reading[int64]{problem: "is not a number"}
}

// readWholeOr reads a whole number. fallback is AWS's default for an input that is not set.
func readWholeOr(n value.Number, fallback int64) reading[int64] {
	if r := readWhole(n); r.problem != notSet {
		return r
	}
	return reading[int64]{value: fallback}
}

// readText reads an input that is a text.
func readText(s value.String) reading[string] {
	switch v := s.Raw().(type) {
	case nil:
		return reading[string]{problem: notSet}
	case value.Undetermined:
		return reading[string]{problem: notKnown}
	case string:
		if v == "" {
			return reading[string]{problem: notSet}
		}
		return reading[string]{value: v}
	}
	return reading[string]{problem: "is not a text"}
}

// readTextOr reads a text. fallback is AWS's default for an input that is not set.
func readTextOr(s value.String, fallback string) reading[string] {
	if r := readText(s); r.problem != notSet {
		return r
	}
	return reading[string]{value: fallback}
}

// readBool reads an input that is true or false. An input that is not set counts as false.
func readBool(b value.Bool) reading[bool] {
	answer, known := b.IsTrue().Known()
	if !known {
		return reading[bool]{problem: notKnown}
	}
	return reading[bool]{value: answer}
}

// possible reports whether a result is true, or not known yet.
func possible(t value.Truth) bool {
	answer, known := t.Known()
	return answer || !known
}

// readLength reads the number of elements of a list. An element that is not known yet also
// counts.
func readLength[T value.View](l value.List[T]) reading[int64] {
	switch l.Raw().(type) {
	case nil:
		return reading[int64]{problem: notSet}
	case value.Undetermined:
		return reading[int64]{problem: notKnown}
	}
	items, _ := l.Items()
	return reading[int64]{value: int64(len(items))}
}

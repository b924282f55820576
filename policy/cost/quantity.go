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

// reading is the value of an input. problem is empty, or says why there is no value: "is
// not known yet", "is not set", or what is wrong with it.
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

// whole reads an input that is a whole number; a fraction is rounded up.
func whole(n value.Number) reading[int64] {
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
			return whole(value.As[value.Number](value.New(f)))
		}
	}
	return reading[int64]{problem: "is not a number"}
}

// wholeOr reads a whole number, with AWS's default for an input that is not set.
func wholeOr(n value.Number, fallback int64) reading[int64] {
	if r := whole(n); r.problem != notSet {
		return r
	}
	return reading[int64]{value: fallback}
}

// text reads an input that is a text.
func text(s value.String) reading[string] {
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

// textOr reads a text, with AWS's default for an input that is not set.
func textOr(s value.String, fallback string) reading[string] {
	if r := text(s); r.problem != notSet {
		return r
	}
	return reading[string]{value: fallback}
}

// truth reads an input that is true or false; false if it is not set.
func truth(b value.Bool) reading[bool] {
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

// length reads the number of elements of a list. Elements that are not known yet
// count.
func length[T value.View](l value.List[T]) reading[int64] {
	switch l.Raw().(type) {
	case nil:
		return reading[int64]{problem: notSet}
	case value.Undetermined:
		return reading[int64]{problem: notKnown}
	}
	items, _ := l.Items()
	return reading[int64]{value: int64(len(items))}
}

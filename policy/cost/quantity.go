package cost

import (
	"fmt"
	"math"
	"strconv"

	"github.com/progressive-framework/platform/policy/value"
)

// maxQuantity is the upper limit of a quantity from an input. With the limit no amount overflows:
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

// readInteger reads an input that is a number. It rounds a fraction up.
func readInteger(n value.Number) reading[int64] {
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
	case string: // a state export has some numbers as strings
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return readInteger(value.As[value.Number](value.New(f)))
		}
	}
	return reading[int64]{problem: "is not a number"}
}

// readIntegerOr reads a whole number. fallback is AWS's default for an input that is not set.
func readIntegerOr(n value.Number, fallback int64) reading[int64] {
	if r := readInteger(n); r.problem != notSet {
		return r
	}
	return reading[int64]{value: fallback}
}

// readString reads an input that is a string. An empty string counts as not set.
func readString(s value.String) reading[string] {
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
	return reading[string]{problem: "is not a string"}
}

// readStringOr reads a string. fallback is AWS's default for an input that is not set.
func readStringOr(s value.String, fallback string) reading[string] {
	if r := readString(s); r.problem != notSet {
		return r
	}
	return reading[string]{value: fallback}
}

// readBool reads an input that is true or false. An input that is not set counts as false.
func readBool(b value.Bool) reading[bool] {
	isTrue, known := b.IsTrue().Known()
	if !known {
		return reading[bool]{problem: notKnown}
	}
	return reading[bool]{value: isTrue}
}

// mayBeTrue reports whether truth is true, or not known yet.
func mayBeTrue(truth value.Truth) bool {
	isTrue, known := truth.Known()
	return isTrue || !known
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

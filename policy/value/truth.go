// Package value holds the property values that a rule reads. In a preview many of them are not
// known yet, so a comparison has three possible results.
//
// The package owns values and their comparisons. It does not depend on rules, resources or Pulumi's
// protocol.
package value

// Truth is the result of a comparison: True, False or Unknown. It is not a bool, and it
// can't be compared with == or switch. So a rule that ignores Unknown does not compile.
type Truth struct {
	_ [0]func() // Go does not compare functions
	t int8
}

// The three results.
var (
	False   = Truth{t: -1}
	Unknown = Truth{t: 0}
	True    = Truth{t: 1}
)

// FromBool converts a bool, which is never unknown.
func FromBool(b bool) Truth {
	if b {
		return True
	}
	return False
}

func (t Truth) String() string { return [...]string{"false", "unknown", "true"}[t.t+1] }

// Known returns the result as a bool, and whether it is known. Rules combine results with Not,
// All, Any and Implies instead.
func (t Truth) Known() (isTrue, known bool) { return t.t > 0, t.t != 0 }

// Not turns True into False and back. Unknown stays unknown.
func Not(t Truth) Truth { return Truth{t: -t.t} }

// All returns True if every argument is True, False if any is False, and otherwise
// Unknown.
func All(terms ...Truth) Truth {
	lowest := True
	for _, t := range terms {
		lowest.t = min(lowest.t, t.t)
	}
	return lowest
}

// Any returns True if any argument is True, False if all are False, and otherwise Unknown.
func Any(terms ...Truth) Truth {
	highest := False
	for _, t := range terms {
		highest.t = max(highest.t, t.t)
	}
	return highest
}

// Implies returns True if first is False or second is True, False if first is True and second is
// False, and otherwise Unknown.
func Implies(first, second Truth) Truth { return Any(Not(first), second) }

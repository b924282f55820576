// Package value holds the property values that a rule reads. In a preview many
// of them are not known yet, so a comparison has three possible results.
//
// The package owns values and their comparisons. It knows nothing of rules,
// resources or Pulumi's protocol.
package value

// Truth is the result of a comparison: True, False or Unknown. It is not a bool and can't be
// compared with == or switch, so that a rule that ignores Unknown does not compile.
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
func (t Truth) Known() (answer, known bool) { return t.t > 0, t.t != 0 }

// Not turns True into False and back. Unknown stays unknown.
func Not(t Truth) Truth { return Truth{t: -t.t} }

// All returns True if every argument is True, False if any is False, and otherwise
// Unknown.
func All(terms ...Truth) Truth {
	all := True
	for _, t := range terms {
		all.t = min(all.t, t.t)
	}
	return all
}

// Any returns True if any argument is True, False if all are False, and otherwise Unknown.
func Any(terms ...Truth) Truth {
	one := False
	for _, t := range terms {
		one.t = max(one.t, t.t)
	}
	return one
}

// Implies returns True if first is False or second is True.
func Implies(first, second Truth) Truth { return Any(Not(first), second) }

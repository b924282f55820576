// Package value holds the property values that a rule reads. In a preview many
// of them are not known yet, so every comparison has three answers.
//
// The package owns values and their comparisons. It knows nothing of rules,
// resources or Pulumi's protocol.
package value

// Truth is the answer to a question about a value. It is no bool: a rule that
// forgets that a value may be unknown does not compile.
type Truth struct{ t int8 }

// The three answers.
var (
	False   = Truth{-1}
	Unknown = Truth{0}
	True    = Truth{1}
)

// Of is the answer to a question about something that is always known.
func Of(b bool) Truth {
	if b {
		return True
	}
	return False
}

func (t Truth) String() string { return [...]string{"false", "unknown", "true"}[t.t+1] }

// Not turns true into false and back. Unknown stays unknown.
func Not(t Truth) Truth { return Truth{-t.t} }

// All is true if every answer is true, and false if one is false.
func All(answers ...Truth) Truth {
	all := True
	for _, t := range answers {
		all.t = min(all.t, t.t)
	}
	return all
}

// Any is true if one answer is true, and false if every one is false.
func Any(answers ...Truth) Truth {
	one := False
	for _, t := range answers {
		one.t = max(one.t, t.t)
	}
	return one
}

// Implies is true if the second answer is true, or the first one is false.
func Implies(first, second Truth) Truth { return Any(Not(first), second) }

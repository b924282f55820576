package rule

import "fmt"

// Level is what a broken rule does to an operation.
type Level int

// The levels, from the weakest to the strongest.
const (
	Disabled  Level = iota // the rule is not evaluated
	Advisory               // a violation is reported
	Mandatory              // a violation is reported, and the operation fails
)

func (l Level) String() string { return [...]string{"disabled", "advisory", "mandatory"}[l] }

// ParseLevel reads the name of a level.
func ParseLevel(name string) (Level, error) {
	for _, l := range []Level{Disabled, Advisory, Mandatory} {
		if l.String() == name {
			return l, nil
		}
	}
	return 0, fmt.Errorf("level %q is unknown: must be %s or %s; set one of them, or remove the level", name, Advisory, Mandatory)
}

// Levels are a rule's levels by environment.
type Levels struct{ Prod, Staging, Sandbox Level }

// The levels that rules have.
var (
	// Everywhere is for a rule that is kept without additional cost.
	Everywhere = Levels{Mandatory, Mandatory, Mandatory}
	// Deployed is for a rule that the sandbox can't keep, because the sandbox runs on one machine.
	Deployed = Levels{Mandatory, Mandatory, Advisory}
	// ProdOnly is for a rule that only a more expensive stack keeps.
	ProdOnly = Levels{Mandatory, Advisory, Advisory}
	// Advice is for a rule that a stack may break. A reviewer judges each violation.
	Advice = Levels{Advisory, Advisory, Advisory}
)

// In returns the level in an environment. An environment that is not in Levels has
// the level of prod.
func (l Levels) In(environment string) Level {
	switch environment {
	case "sandbox":
		return l.Sandbox
	case "staging":
		return l.Staging
	}
	return l.Prod
}

// Package diagnose is the subcommand diagnose: it reads a platform and says what
// is wrong with it, by the checks of the design document's debugging toolkit. It
// changes nothing.
//
// Rules are pure functions from what was read to findings, so that each fault is
// a unit test. What could not be read is in the report, with the reason.
package diagnose

import (
	"cmp"
	"slices"
)

// Check is one of the checks of the design document's script.
type Check string

// The checks.
const (
	App       Check = "app"
	Resources Check = "resources"
	Database  Check = "database"
	Scaling   Check = "scaling"
	Agents    Check = "agents"
	Cache     Check = "cache"
)

// Checks lists every check.
var Checks = []Check{App, Resources, Database, Scaling, Agents, Cache}

// Finding is one thing that is not as it must be.
type Finding struct {
	Check Check `json:"check"`
	// Name is the kind of finding, such as pod-out-of-memory.
	Name string `json:"name"`
	// Where is the object or the endpoint.
	Where string `json:"where"`
	// Evidence is what was read, with its value.
	Evidence string `json:"evidence"`
	// Threshold is what it was compared with; "" if the state itself is wrong.
	Threshold string `json:"threshold,omitempty"`
	Cause     string `json:"cause"`
	Fix       string `json:"fix"`
	// Next is a command that shows more.
	Next string `json:"next"`
}

// Missing is something that could not be read. Its checks are incomplete.
type Missing struct {
	Check  Check  `json:"check"`
	What   string `json:"what"`
	Reason string `json:"reason"`
}

// Absent is a part that this platform does not have, so that there is nothing to check.
type Absent struct {
	Check Check  `json:"check"`
	What  string `json:"what"`
	Why   string `json:"why"`
}

// Figure is something that was measured, good or bad.
type Figure struct {
	Check Check  `json:"check"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// results are what rules say.
type results struct {
	findings []Finding
	figures  []Figure
}

func (r *results) add(findings []Finding, figures []Figure) {
	r.findings, r.figures = append(r.findings, findings...), append(r.figures, figures...)
}

// sortFindings orders findings by check, name and object.
func sortFindings(list []Finding) {
	slices.SortFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(slices.Index(Checks, a.Check), slices.Index(Checks, b.Check)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Where, b.Where))
	})
}

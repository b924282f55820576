// Package diagnose is the subcommand diagnose. It reads a platform and reports its faults, with the
// checks of the design document's debugging toolkit. It changes nothing.
//
// Each rule is a pure function: the input is what was read, and the result is findings. So a unit
// test can check each fault. The report names what could not be read, with the reason.
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

// Finding is one fault of the platform.
type Finding struct {
	Check Check `json:"check"`
	// Name is the kind of the finding, such as pod-out-of-memory.
	Name string `json:"name"`
	// Where is the object or the endpoint with the fault.
	Where string `json:"where"`
	// Evidence is the observed state, with its values.
	Evidence string `json:"evidence"`
	// Threshold is the limit that was exceeded. It is empty if the state itself is a fault.
	Threshold string `json:"threshold,omitempty"`
	Cause     string `json:"cause"`
	Fix       string `json:"fix"`
	// Next is a command that shows more.
	Next string `json:"next"`
	// Runbook is the URL of the section that explains the finding and the fix.
	Runbook string `json:"runbook"`
}

// Missing is an item that could not be read, such as a list or a metric. The check that needs the
// item is incomplete.
type Missing struct {
	Check  Check  `json:"check"`
	What   string `json:"what"`
	Reason string `json:"reason"`
}

// Absent is an item that this platform does not have, so there is nothing to check.
type Absent struct {
	Check Check  `json:"check"`
	What  string `json:"what"`
	Why   string `json:"why"`
}

// Figure is a measured value, without a judgement.
type Figure struct {
	Check Check  `json:"check"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// results collects the findings and figures of the rules.
type results struct {
	findings []Finding
	figures  []Figure
}

// add appends the findings and figures of one rule.
func (r *results) add(findings []Finding, figures []Figure) {
	r.findings, r.figures = append(r.findings, findings...), append(r.figures, figures...)
}

// sortFindings orders findings by check, name and object.
func sortFindings(list []Finding) {
	slices.SortFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(slices.Index(Checks, a.Check), slices.Index(Checks, b.Check)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Where, b.Where))
	})
}

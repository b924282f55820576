// Package rule defines the type of a rule: the resources that the rule checks, its requirements,
// its reason, and how to fix a resource that breaks it. The rules themselves are in
// policy/ruleset.
package rule

import (
	"fmt"
	"time"

	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/value"
)

// Rule is one requirement for the resources of some types.
type Rule struct {
	// ID names the rule in reports and waivers, such as postgres-encrypted.
	ID string
	// Title says what is true of a resource that keeps the rule.
	Title string
	// Why says what goes wrong if a resource breaks the rule.
	Why string
	// Fix names the component's argument or the configuration key to change.
	Fix string
	// Standards are the controls of AWS FSBP, CIS, AWS Well-Architected (WA) and
	// the Pod Security Standards (PSS) that the rule covers.
	Standards []string
	Severity  Severity
	Levels    Levels
	Check     Check
}

// Severity is how much harm a broken rule does.
type Severity int

// The severities, from the least harm to the most.
const (
	Low Severity = iota + 1
	Medium
	High
	Critical
)

func (s Severity) String() string {
	return [...]string{"unspecified", "low", "medium", "high", "critical"}[s]
}

// Check has the types of the resources that a rule checks, and the function that checks them.
type Check struct {
	// Types are the types of the resources that the rule checks.
	Types []string
	// Cross is true if the rule also reads other resources. Such a rule is evaluated
	// after all resources are registered.
	Cross bool
	// Run checks one resource.
	Run func(*Subject)
}

// Typed is a view of the inputs of one resource type.
type Typed interface {
	value.View
	Token() string
}

// On returns a check that reads only the resource itself. T is the view of its type.
func On[T Typed](run func(*Subject, T)) Check {
	var view T
	return Check{Types: []string{view.Token()}, Run: func(s *Subject) { run(s, value.As[T](s.Resource.View())) }}
}

// Across returns a check that also reads other resources. T is the view of the checked type.
func Across[T Typed](run func(*Subject, T)) Check {
	c := On(run)
	c.Cross = true
	return c
}

// OnTypes returns a check of resources of several types. The check reads only the resource itself.
func OnTypes(run func(*Subject), types ...string) Check { return Check{Types: types, Run: run} }

// AcrossTypes returns a check of resources of several types that also reads other resources.
func AcrossTypes(run func(*Subject), types ...string) Check {
	return Check{Types: types, Run: run, Cross: true}
}

// Subject is the resource that a rule checks.
type Subject struct {
	*graph.Resource
	Graph *graph.Graph
	// Now is the time of the evaluation. A rule compares it with the ends of support.
	Now time.Time
	// Spending is the stack's cost configuration.
	Spending Spending
	// Broken are the messages of the requirements that the resource does not meet.
	// Undecided are the messages of the requirements that need a value that is not known yet.
	Broken, Undecided []string
	// Watch is called for each requirement, with the format and the text of the requirement's message, and
	// with the requirement's result. It may be nil.
	Watch func(format, text string, result value.Truth)
}

// Must requires that t is True. If t is False, it adds the message to Broken. If t is Unknown, it
// adds the message to Undecided.
func (s *Subject) Must(t value.Truth, format string, args ...any) {
	if s.Watch != nil {
		s.Watch(format, fmt.Sprintf(format, args...), t)
	}
	switch holds, known := t.Known(); {
	case !known:
		s.Undecided = append(s.Undecided, fmt.Sprintf(format, args...))
	case !holds:
		s.Broken = append(s.Broken, fmt.Sprintf(format, args...))
	}
}

// LeaveUndecided records that the rule can't be decided yet, because it depends on an unknown value.
// unknown names that value.
func (s *Subject) LeaveUndecided(unknown string) { s.Undecided = append(s.Undecided, unknown) }

// Spending is the part of a stack's configuration that limits and estimates its cost.
type Spending struct {
	// MonthlyBudget is the highest allowed monthly cost of the stack, in US dollars. Zero
	// means no limit.
	MonthlyBudget int64 `json:"monthlyBudget"`
	// MaxGrowthPercent is the highest growth of the monthly cost by one change, in percent.
	// Zero means no limit. A policy pack does not get the state before the change, so
	// `pf ci preview` checks it.
	MaxGrowthPercent int64 `json:"maxGrowthPercent"`
	// Estimates are the units of usage per month, by name.
	Estimates map[string]int64 `json:"estimates"`
}

// Set has related resources of one type.
type Set[T Typed] struct{ graph.Related }

// Refs returns the resources that the input prop of r refers to.
func Refs[T Typed](g *graph.Graph, r *graph.Resource, prop string) Set[T] {
	var view T
	return Set[T]{g.Refs(r, prop, view.Token())}
}

// Referrers returns the resources that refer to r with their input prop.
func Referrers[T Typed](g *graph.Graph, r *graph.Resource, prop string) Set[T] {
	var view T
	return Set[T]{g.Referrers(r, view.Token(), prop)}
}

// Every returns all resources of the type in the stack.
func Every[T Typed](g *graph.Graph) Set[T] {
	var view T
	return Set[T]{graph.Related{Resources: g.OfType(view.Token()), Complete: true}}
}

// Any returns True, False or Unknown for a test of the resources, as graph.Related.Any does.
func (s Set[T]) Any(test func(*graph.Resource, T) value.Truth) value.Truth {
	return s.Related.Any(func(r *graph.Resource) value.Truth { return test(r, value.As[T](r.View())) })
}

// All returns True, False or Unknown for a test of the resources, as graph.Related.All does.
func (s Set[T]) All(test func(*graph.Resource, T) value.Truth) value.Truth {
	return s.Related.All(func(r *graph.Resource) value.Truth { return test(r, value.As[T](r.View())) })
}

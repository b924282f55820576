// Package rule says what a rule is: what it looks at, what it demands, why, and
// how to fix a resource that breaks it. It owns no rule; those are in
// policy/rules.
package rule

import (
	"fmt"
	"time"

	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/value"
)

// Rule is one demand on the resources of some types.
type Rule struct {
	// ID names the rule in reports and waivers, such as postgres-encrypted.
	ID string
	// Title says what holds for a resource that keeps the rule.
	Title string
	// Why is what goes wrong without it.
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

// Check is what a rule does with a resource.
type Check struct {
	// Types are the types of the resources that the rule looks at.
	Types []string
	// Cross says that the rule reads other resources, too. It is decided once
	// all of them are known.
	Cross bool
	// Run looks at one resource.
	Run func(*Subject)
}

// Typed is a view of the inputs of one resource type.
type Typed interface {
	value.View
	Token() string
}

// On checks a resource by its own properties.
func On[T Typed](run func(*Subject, T)) Check {
	var view T
	return Check{Types: []string{view.Token()}, Run: func(s *Subject) { run(s, value.As[T](s.Resource.View())) }}
}

// Across checks a resource together with others.
func Across[T Typed](run func(*Subject, T)) Check {
	c := On(run)
	c.Cross = true
	return c
}

// OnTypes checks resources of several types, which share no view.
func OnTypes(run func(*Subject), types ...string) Check { return Check{Types: types, Run: run} }

// AcrossTypes is OnTypes for a rule that reads other resources, too.
func AcrossTypes(run func(*Subject), types ...string) Check {
	return Check{Types: types, Run: run, Cross: true}
}

// Subject is the resource that a rule looks at.
type Subject struct {
	*graph.Resource
	Graph *graph.Graph
	// Now is the day by which versions are supported.
	Now time.Time
	// Broken are the demands that the resource does not meet, and Undecided
	// those of which a value is not known yet.
	Broken, Undecided []string
	// Watch is told of each demand; nil for nobody.
	Watch func(format string, t value.Truth)
}

// Must demands that t is true; the text says what is wrong if it is not.
func (s *Subject) Must(t value.Truth, format string, args ...any) {
	if s.Watch != nil {
		s.Watch(format, t)
	}
	switch t {
	case value.False:
		s.Broken = append(s.Broken, fmt.Sprintf(format, args...))
	case value.Unknown:
		s.Undecided = append(s.Undecided, fmt.Sprintf(format, args...))
	}
}

// Wait leaves the rule undecided: a value is missing that is part of no demand.
func (s *Subject) Wait(what string) { s.Undecided = append(s.Undecided, what) }

// Set are related resources of one type.
type Set[T Typed] struct{ graph.Related }

// Refs are the resources from which the input prop of r comes.
func Refs[T Typed](g *graph.Graph, r *graph.Resource, prop string) Set[T] {
	var view T
	return Set[T]{g.Refs(r, prop, view.Token())}
}

// Users are the resources whose input prop comes from r.
func Users[T Typed](g *graph.Graph, r *graph.Resource, prop string) Set[T] {
	var view T
	return Set[T]{g.Back(r, view.Token(), prop)}
}

// Every are all resources of the type in the stack.
func Every[T Typed](g *graph.Graph) Set[T] {
	var view T
	return Set[T]{graph.Related{Resources: g.Of(view.Token()), Complete: true}}
}

// Any asks whether the answer is true for one of them.
func (s Set[T]) Any(question func(*graph.Resource, T) value.Truth) value.Truth {
	return s.Related.Any(func(r *graph.Resource) value.Truth { return question(r, value.As[T](r.View())) })
}

// All asks whether the answer is true for each of them.
func (s Set[T]) All(question func(*graph.Resource, T) value.Truth) value.Truth {
	return s.Related.All(func(r *graph.Resource) value.Truth { return question(r, value.As[T](r.View())) })
}

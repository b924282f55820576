// Package evaluate applies rules to the resources of a stack. The engine's plugin, the
// command policy check and the tests use the same evaluator.
package evaluate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
	"github.com/progressive-framework/platform/policy/waiver"
)

// Outcome is the result of a rule for a resource.
type Outcome string

// The outcomes.
const (
	Holds     Outcome = "holds"
	Broken    Outcome = "broken"
	Undecided Outcome = "undecided" // a value is not known yet
)

// Result is the outcome of one rule for one resource.
type Result struct {
	Rule     *rule.Rule
	Resource *graph.Resource
	Outcome  Outcome
	// Messages say what is wrong, or what is not known.
	Messages []string
	Level    rule.Level
	// Waiver is the waiver that accepts the violation, or nil.
	Waiver *waiver.Waiver
}

// Fails reports whether the result makes an operation fail.
func (r Result) Fails() bool {
	return r.Outcome == Broken && r.Level == rule.Mandatory && r.Waiver == nil
}

// ConfigRule is the rule that a faulty waiver or level breaks. No waiver can
// waive it.
var ConfigRule = &rule.Rule{
	ID: "policy-config", Title: "Waivers and levels are valid, in use, and not expired",
	Why:      "A waiver that nobody reads again hides the violation that it accepts.",
	Fix:      "the configuration key " + waiver.Key,
	Severity: rule.High, Levels: rule.Everywhere,
}

// Evaluator applies a set of rules to the resources of one stack.
type Evaluator struct {
	rules       []*rule.Rule
	byID        map[string]*rule.Rule
	byType      map[string][]*rule.Rule
	environment string
	config      waiver.Config
	// configErr is the error from parsing the configuration, or nil.
	configErr error
	now       time.Time
	// Watch is called for each requirement of each rule, with the format and the text of the requirement's
	// message, and with the requirement's result. It may be nil. A test uses Watch to find a requirement
	// that no example breaks.
	Watch func(ruleID, format, text string, result value.Truth)
}

// New returns an evaluator for an environment. config is the value of the configuration
// key waiver.Key. Each problem in config is a violation of ConfigRule.
func New(rules []*rule.Rule, environment, config string, now time.Time) *Evaluator {
	e := &Evaluator{rules: rules, byID: map[string]*rule.Rule{}, byType: map[string][]*rule.Rule{}, environment: environment, now: now}
	e.config, e.configErr = waiver.Parse(config)
	for _, r := range rules {
		e.byID[r.ID] = r
		for _, typ := range r.Check.Types {
			e.byType[typ] = append(e.byType[typ], r)
		}
	}
	return e
}

// Rules returns the evaluator's rules.
func (e *Evaluator) Rules() []*rule.Rule { return e.rules }

// Rule returns the rule with an ID, or nil.
func (e *Evaluator) Rule(id string) *rule.Rule { return e.byID[id] }

// Level returns the level of a rule in this stack.
func (e *Evaluator) Level(r *rule.Rule) rule.Level { return e.config.Level(r, e.environment) }

// ApplyToResource applies the rules that need no other resource.
func (e *Evaluator) ApplyToResource(r *graph.Resource) []Result {
	return e.applySelected(r, nil, func(r *rule.Rule) bool { return !r.Check.Cross })
}

// ApplyToStack applies all rules to every resource, and checks the configuration.
func (e *Evaluator) ApplyToStack(g *graph.Graph) []Result {
	var results []Result
	for _, r := range g.All() {
		results = append(results, e.applySelected(r, g, func(*rule.Rule) bool { return true })...)
	}
	return append(results, e.ConfigViolations(results)...)
}

// applySelected applies rules to one resource: each rule for which selected returns true.
func (e *Evaluator) applySelected(r *graph.Resource, g *graph.Graph, selected func(*rule.Rule) bool) []Result {
	var results []Result
	for _, candidate := range e.byType[r.Type] {
		level := e.Level(candidate)
		if level == rule.Disabled || !selected(candidate) {
			continue
		}
		results = append(results, e.apply(candidate, level, r, g))
	}
	return results
}

// apply applies one rule to one resource. If the rule panics, its result is Broken, and the
// other rules are still applied.
func (e *Evaluator) apply(applied *rule.Rule, level rule.Level, r *graph.Resource, g *graph.Graph) (result Result) {
	result = Result{Rule: applied, Resource: r, Outcome: Holds, Level: level}
	defer func() {
		if cause := recover(); cause != nil {
			result.Outcome = Broken
			result.Messages = []string{fmt.Sprintf("the rule itself failed: %v; report it, and waive the rule until it is fixed", cause)}
		}
		if result.Outcome == Broken {
			result.Waiver = e.findWaiver(applied.ID, r.Name)
		}
	}()
	s := &rule.Subject{Resource: r, Graph: g, Now: e.now, Spending: e.config.Cost}
	if e.Watch != nil {
		s.Watch = func(format, text string, t value.Truth) { e.Watch(applied.ID, format, text, t) }
	}
	applied.Check.Run(s)
	switch {
	case len(s.Broken) > 0:
		result.Outcome, result.Messages = Broken, s.Broken
	case len(s.Undecided) > 0:
		result.Outcome, result.Messages = Undecided, s.Undecided
	}
	return result
}

// findWaiver returns a valid waiver for the violation of a rule by a resource, or nil.
func (e *Evaluator) findWaiver(id, resource string) *waiver.Waiver {
	for i := range e.config.Waivers {
		w := &e.config.Waivers[i]
		if w.Matches(id, resource) && len(w.Problems(e.now, e.Rule)) == 0 {
			return w
		}
	}
	return nil
}

// ConfigViolations returns the violations of ConfigRule. results has the results of all other rules.
func (e *Evaluator) ConfigViolations(results []Result) []Result {
	var problems []string
	if e.configErr != nil {
		problems = append(problems, e.configErr.Error())
	}
	problems = append(problems, e.config.LevelProblems(e.environment, e.Rule)...)
	for i := range e.config.Waivers {
		w := &e.config.Waivers[i]
		waiverProblems := w.Problems(e.now, e.Rule)
		used := slices.ContainsFunc(results, func(r Result) bool {
			// An undecided result may become a violation that needs the waiver.
			return r.Outcome != Holds && w.Matches(r.Rule.ID, r.Resource.Name)
		})
		if len(waiverProblems) == 0 && !used {
			waiverProblems = append(waiverProblems, "nothing breaks the rule any more; remove the waiver")
		}
		for _, problem := range waiverProblems {
			problems = append(problems, fmt.Sprintf("%s: %s", w, problem))
		}
	}
	slices.Sort(problems)
	var violations []Result
	for _, problem := range problems {
		violations = append(violations, Result{Rule: ConfigRule, Resource: &graph.Resource{}, Outcome: Broken, Messages: []string{problem}, Level: rule.Mandatory})
	}
	return violations
}

// ExpiringWaivers returns the waivers that end within two weeks.
func (e *Evaluator) ExpiringWaivers() []waiver.Waiver {
	return slices.DeleteFunc(slices.Clone(e.config.Waivers), func(w waiver.Waiver) bool { return !w.ExpiresSoon(e.now) })
}

// Text describes the result: what is wrong, and how to fix it.
func (r Result) Text() string {
	text := strings.Join(r.Messages, "; ")
	if r.Outcome == Undecided {
		return "not decided yet, because a value is not known yet: " + text
	}
	text += ". Fix: " + r.Rule.Fix + "."
	if r.Waiver != nil {
		text = fmt.Sprintf("waived until %s (%s: %s): %s", r.Waiver.Until, r.Waiver.Owner, r.Waiver.Reason, text)
	}
	return text
}

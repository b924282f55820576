// Package report renders the results of a stack for people and for machines:
// text, JSON, SARIF, JUnit and Markdown. It owns the comparison with an earlier
// state, so that a change fails only because of its own violations.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/waiver"
)

// Schema identifies the format of the JSON report; schema.json describes it.
const Schema = "https://progressive-framework.example/policy-report/v1"

// Report has the results of one stack.
type Report struct {
	Schema      string  `json:"schema"`
	Stack       string  `json:"stack"`
	Environment string  `json:"environment"`
	Summary     Summary `json:"summary"`
	// Findings are the broken and undecided results. Results that hold are only
	// counted, in Summary.
	Findings []Finding `json:"findings"`
	// Fixed are the violations that the earlier state has and this report does not.
	Fixed []Finding `json:"fixed,omitempty"`
	// Expiring are the waivers that end within two weeks.
	Expiring []waiver.Waiver `json:"expiring,omitempty"`

	// comparedToState is true after Compare.
	comparedToState bool
}

// Summary counts results.
type Summary struct {
	Rules     int `json:"rules"`
	Resources int `json:"resources"`
	Holds     int `json:"holds"`
	Mandatory int `json:"mandatory"`
	Advisory  int `json:"advisory"`
	Waived    int `json:"waived"`
	Undecided int `json:"undecided"`
}

// Kind is the class of a finding in the report.
type Kind string

// The kinds of findings.
const (
	Mandatory Kind = "mandatory"
	Advisory  Kind = "advisory"
	Waived    Kind = "waived"
	Undecided Kind = "undecided"
)

// Finding is a violation of one rule by one resource, or an undecided result.
type Finding struct {
	Rule      string         `json:"rule"`
	Title     string         `json:"title"`
	Kind      Kind           `json:"kind"`
	Severity  string         `json:"severity"`
	Resource  string         `json:"resource"`
	URN       string         `json:"urn,omitempty"`
	Message   string         `json:"message"`
	Why       string         `json:"why"`
	Fix       string         `json:"fix"`
	Standards []string       `json:"standards,omitempty"`
	Waiver    *waiver.Waiver `json:"waiver,omitempty"`
	Source    graph.Source   `json:"source"`
	// New is false if the earlier state has the same violation.
	New bool `json:"new"`
}

// New returns the report of all results of a stack.
func New(stack, environment string, e *evaluate.Evaluator, g *graph.Graph, results []evaluate.Result) *Report {
	r := &Report{Schema: Schema, Stack: stack, Environment: environment, Findings: []Finding{}, Expiring: e.ExpiringWaivers()}
	r.Summary.Rules, r.Summary.Resources = len(e.Rules()), len(g.All())
	for _, result := range results {
		if result.Outcome == evaluate.Holds {
			r.Summary.Holds++
			continue
		}
		f := newFinding(result)
		switch f.Kind {
		case Mandatory:
			r.Summary.Mandatory++
		case Advisory:
			r.Summary.Advisory++
		case Waived:
			r.Summary.Waived++
		case Undecided:
			r.Summary.Undecided++
		}
		r.Findings = append(r.Findings, f)
	}
	order := []Kind{Mandatory, Advisory, Waived, Undecided}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		if d := slices.Index(order, a.Kind) - slices.Index(order, b.Kind); d != 0 {
			return d
		}
		return strings.Compare(a.Rule+" "+a.Resource, b.Rule+" "+b.Resource)
	})
	return r
}

// newFinding returns the finding of a result that is broken or undecided.
func newFinding(r evaluate.Result) Finding {
	kind := Advisory
	switch {
	case r.Outcome == evaluate.Undecided:
		kind = Undecided
	case r.Waiver != nil:
		kind = Waived
	case r.Fails():
		kind = Mandatory
	}
	return Finding{
		Rule: r.Rule.ID, Title: r.Rule.Title, Kind: kind, Severity: r.Rule.Severity.String(),
		Resource: r.Resource.Name, URN: r.Resource.URN, Message: strings.Join(r.Messages, "; "),
		Why: r.Rule.Why, Fix: r.Rule.Fix, Standards: r.Rule.Standards,
		Waiver: r.Waiver, Source: r.Resource.Source, New: true,
	}
}

// key identifies a violation in both reports of a comparison.
func (f Finding) key() string { return f.Rule + " " + f.URN }

// isConfigProblem reports whether the finding is a problem in the configuration of waivers and levels.
func (f Finding) isConfigProblem() bool { return f.Rule == evaluate.ConfigRule.ID }

// Compare sets New to false for each violation that the earlier report also has. It adds to Fixed
// each violation of the earlier report that this report does not have. A problem of the configuration
// is always New and never fixed: an earlier state is evaluated with today's configuration, so its
// report has the same problems.
func (r *Report) Compare(earlier *Report) {
	r.comparedToState = true
	earlierKeys, keys := earlier.violationKeys(), r.violationKeys()
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Kind != Undecided {
			f.New = f.isConfigProblem() || !earlierKeys[f.key()]
		}
	}
	for _, f := range earlier.Findings {
		if f.Kind != Undecided && !f.isConfigProblem() && !keys[f.key()] && !r.isUndecided(f) {
			r.Fixed = append(r.Fixed, f)
		}
	}
}

// violationKeys returns the keys of the findings that are not undecided.
func (r *Report) violationKeys() map[string]bool {
	keys := map[string]bool{}
	for _, f := range r.Findings {
		if f.Kind != Undecided {
			keys[f.key()] = true
		}
	}
	return keys
}

// isUndecided reports whether f, a violation of an earlier report, is an undecided result in r.
func (r *Report) isUndecided(f Finding) bool {
	return slices.ContainsFunc(r.Findings, func(other Finding) bool { return other.key() == f.key() && other.Kind == Undecided })
}

// Fails reports whether a mandatory rule is broken. After Compare, a violation that the earlier
// state also has does not count.
func (r *Report) Fails() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Kind == Mandatory && f.New })
}

// Formats has, by the name of a format, the method that writes it.
var Formats = map[string]func(*Report, io.Writer) error{
	"text": (*Report).WriteText, "json": (*Report).WriteJSON, "sarif": (*Report).WriteSARIF,
	"junit": (*Report).WriteJUnit, "markdown": (*Report).WriteMarkdown,
}

// WriteText writes the report for a terminal.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, f := range r.Findings {
		if f.Kind == Undecided {
			continue
		}
		fmt.Fprintf(&b, "%s%s  %s  %s\n", r.markIfNew(f), f.Kind, f.Rule, f.location())
		fmt.Fprintf(&b, "    %s\n    fix: %s\n", f.Message, f.Fix)
		if f.Waiver != nil {
			fmt.Fprintf(&b, "    waived until %s by %s: %s\n", f.Waiver.Until, f.Waiver.Owner, f.Waiver.Reason)
		}
	}
	for _, f := range r.Fixed {
		fmt.Fprintf(&b, "fixed  %s  %s\n", f.Rule, f.location())
	}
	for _, w := range r.Expiring {
		fmt.Fprintf(&b, "expires soon  %s  on %s, owner %s\n", w, w.Until, w.Owner)
	}
	fmt.Fprintf(&b, "%s\n", r.summaryLine())
	_, err := io.WriteString(w, b.String())
	return err
}

// markIfNew returns "new " for a finding that the earlier state does not have. For any other finding,
// and without an earlier state, it returns an empty string.
func (r *Report) markIfNew(f Finding) string {
	if r.comparedToState && f.New {
		return "new "
	}
	return ""
}

// location returns the name of the resource, with the source line that registered it. A finding
// without a resource is about the stack's configuration.
func (f Finding) location() string {
	name := f.Resource
	if name == "" {
		name = "the stack's configuration"
	}
	if f.Source.File != "" {
		return fmt.Sprintf("%s (%s:%d)", name, f.Source.File, f.Source.Line)
	}
	return name
}

// summaryLine returns the summary in one line.
func (r *Report) summaryLine() string {
	s := r.Summary
	return fmt.Sprintf("%s: %d rules, %d resources: %d mandatory, %d advisory and %d waived violations; %d undecided, %d hold",
		r.Stack, s.Rules, s.Resources, s.Mandatory, s.Advisory, s.Waived, s.Undecided, s.Holds)
}

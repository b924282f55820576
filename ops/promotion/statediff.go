package promotion

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/progressive-framework/platform/policy/cost"
	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/report"
	"github.com/progressive-framework/platform/policy/ruleset"
	"github.com/progressive-framework/platform/policy/source"
	"github.com/progressive-framework/platform/policy/waiver"
)

// evaluatePolicies evaluates the policy rules on the state of a stack. It returns the findings by
// rule and resource, without undecided findings. The names of resources have * in place of the
// environment, so that the same resource has the same name in two stacks.
func (s comparedStack) evaluatePolicies(now time.Time) (map[string]report.Finding, error) {
	stack, err := source.Parse(s.state)
	if err != nil {
		return nil, fmt.Errorf("state of %s: %w", s.name, err)
	}
	environment := s.values[waiver.EnvironmentKey]
	evaluator := evaluate.New(ruleset.All(), environment, s.values[waiver.Key], now)
	findings := map[string]report.Finding{}
	for _, f := range report.New(s.name, environment, evaluator, stack.Graph, evaluator.ApplyToStack(stack.Graph)).Findings {
		if f.Kind != report.Undecided {
			findings[f.Rule+" "+s.withoutEnvironment(f.Resource)] = f
		}
	}
	return findings, nil
}

// withoutEnvironment returns a resource's name with * in place of the environment.
func (s comparedStack) withoutEnvironment(resource string) string {
	return strings.TrimSuffix(strings.Replace(resource+"-", "-"+s.values[waiver.EnvironmentKey]+"-", "-*-", 1), "-")
}

// printPolicyDiff prints each rule and resource that has different results in the two stacks.
func printPolicyDiff(out io.Writer, a, b comparedStack, now time.Time) {
	before, err := a.evaluatePolicies(now)
	if err != nil {
		fmt.Fprintf(out, "  not known: %v\n", err)
		return
	}
	after, err := b.evaluatePolicies(now)
	if err != nil {
		fmt.Fprintf(out, "  not known: %v\n", err)
		return
	}
	for _, key := range unionOfKeys(before, after) {
		from, to := findingKind(before, key), findingKind(after, key)
		if from != to {
			fmt.Fprintf(out, "  %s  %s -> %s\n", key, from, to)
		}
	}
}

// findingKind returns the kind of a finding, or "holds" if there is no finding, because the rule
// holds.
func findingKind(findings map[string]report.Finding, key string) string {
	if f, ok := findings[key]; ok {
		return string(f.Kind)
	}
	return "holds"
}

// printCostDiff prints the monthly cost of two stacks by component.
func printCostDiff(out io.Writer, a, b comparedStack, now time.Time) error {
	var reports [2]cost.Report
	for i, s := range []comparedStack{a, b} {
		stack, err := source.Parse(s.state)
		if err != nil {
			fmt.Fprintf(out, "  not known: state of %s: %v\n", s.name, err)
			return nil
		}
		config, err := waiver.Parse(s.values[waiver.Key])
		if err != nil {
			return fmt.Errorf("%s: %w", fileName(s.name), err)
		}
		reports[i] = cost.Estimate(stack, cost.Options{Now: now, Region: s.values["aws:region"], Estimates: config.Cost.Estimates})
	}
	d := cost.Compare(reports[0], reports[1])
	if d.NoFigure != "" {
		fmt.Fprintf(out, "  no figure: %s\n", d.NoFigure)
		return nil
	}
	for _, c := range d.Components {
		fmt.Fprintf(out, "  %s  %s -> %s\n", c.Component, c.Before.Expected, c.After.Expected)
	}
	fmt.Fprintf(out, "  total  %s -> %s; without a price: %d -> %d\n", d.Before.Expected, d.After.Expected,
		len(reports[0].Unpriced)+len(reports[0].Undecided), len(reports[1].Unpriced)+len(reports[1].Undecided))
	return nil
}

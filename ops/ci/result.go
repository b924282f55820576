package ci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/progressive-framework/platform/ops/ci/approval"
	"github.com/progressive-framework/platform/ops/ci/canonicalplan"
	"github.com/progressive-framework/platform/ops/ci/prcomment"
	"github.com/progressive-framework/platform/ops/ci/pulumicli"
	"github.com/progressive-framework/platform/policy/cost"
	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/report"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/ruleset"
	"github.com/progressive-framework/platform/policy/source"
	"github.com/progressive-framework/platform/policy/stackconfig"
	"github.com/progressive-framework/platform/policy/waiver"
)

// previewResult is the plan, the policy report and the cost of one preview.
type previewResult struct {
	plan *canonicalplan.Plan
	// change equals plan. With --base, change is the difference from the plan of the base commit.
	change *canonicalplan.Plan
	policy *report.Report
	cost   *prcomment.Cost
	// maxGrowth is the highest growth of the monthly cost that the change may cause, in percent. It
	// comes from the stack's configuration. 0 means no limit.
	maxGrowth int64
}

// previewStack previews a stack and reads its state. A violation of a policy is no error: the result
// has it. Every other failure of Pulumi is an error.
func previewStack(ctx context.Context, cli *pulumicli.CLI, commit string) (*previewResult, error) {
	state, err := cli.Export(ctx)
	if err != nil {
		return nil, failureError(err)
	}
	fingerprint, err := canonicalplan.StateFingerprint(state)
	if err != nil {
		return nil, failureError(err)
	}
	config, err := readConfigDigest(cli)
	if err != nil {
		return nil, err
	}
	raw, policy, err := previewAndReadReport(ctx, cli)
	if err != nil {
		return nil, failureError(err)
	}
	preview, err := canonicalplan.ParsePreview(raw)
	if err != nil {
		return nil, failureError(err)
	}
	origin := canonicalplan.Origin{Stack: cli.Stack, Commit: commit, Config: config, State: fingerprint, Offline: cli.Sandbox != ""}
	r := &previewResult{policy: policy}
	if r.plan, err = canonicalplan.New(origin, preview); err != nil {
		return nil, err
	}
	r.change = r.plan
	addSources(policy, preview.Sources())
	// The error is ignored: a stack without a configuration file has no waivers and no estimates.
	values, _ := stackconfig.Read(filepath.Join(cli.Dir, "Pulumi."+cli.Stack+".yaml"))
	r.markExistingViolations(state, cli.Stack, values)
	r.cost = estimateCosts(state, raw, parseUsageEstimates(values))
	r.maxGrowth = parseSpending(values).MaxGrowthPercent
	return r, nil
}

// readConfigDigest returns the digest of the stack's configuration.
func readConfigDigest(cli *pulumicli.CLI) (string, error) {
	project, stack, err := cli.ReadFiles()
	if err != nil {
		return "", err
	}
	return canonicalplan.ConfigDigest(project, stack)
}

// previewAndReadReport runs the preview and reads the report of the policy pack.
func previewAndReadReport(ctx context.Context, cli *pulumicli.CLI) ([]byte, *report.Report, error) {
	dir, err := os.MkdirTemp("", "pf-ci-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "report.json")
	raw, failure := cli.Preview(ctx, file)
	if ctx.Err() != nil {
		return nil, nil, failure
	}
	content, err := os.ReadFile(file)
	switch {
	case err != nil && failure != nil: // the preview failed before the pack saw all resources
		return nil, nil, withMessages(raw, failure)
	case err != nil:
		return nil, nil, fmt.Errorf("the policy pack wrote no report: %w", err)
	}
	var policy report.Report
	if err := json.Unmarshal(content, &policy); err != nil {
		return nil, nil, fmt.Errorf("the report of the policy pack: %w", err)
	}
	// A violation makes Pulumi fail without an error message. Any error message is another failure.
	if failure != nil && (!policy.Fails() || len(errorMessages(raw)) > 0) {
		return nil, nil, withMessages(raw, failure)
	}
	return raw, &policy, nil
}

// withMessages adds the error messages of the program and of the providers to a failure of Pulumi.
// raw is the output of Pulumi. It returns nil if failure is nil.
func withMessages(raw []byte, failure error) error {
	if failure == nil {
		return nil
	}
	if messages := errorMessages(raw); len(messages) > 0 {
		return fmt.Errorf("%w\n%s", failure, strings.Join(messages, "\n"))
	}
	return failure
}

// errorMessages returns the error messages in the output of a preview. It returns nil if the output
// is not a preview.
func errorMessages(raw []byte) []string {
	p, err := canonicalplan.ParsePreview(raw)
	if err != nil {
		return nil
	}
	return p.Errors()
}

// addSources adds to each finding the Go line that registered the resource. The engine does not send
// these lines to the policy pack.
func addSources(r *report.Report, sources map[string]string) {
	for i := range r.Findings {
		file, line, _ := strings.Cut(sources[r.Findings[i].URN], ":")
		if file != "" {
			r.Findings[i].Source.File = file
			_, _ = fmt.Sscan(line, &r.Findings[i].Source.Line)
		}
	}
}

// markExistingViolations marks the violations that the state already has as not new. If the state
// can't be evaluated, such as an empty state, every violation is new.
func (r *previewResult) markExistingViolations(state []byte, stack string, values map[string]string) {
	before, err := source.Parse(state)
	if err != nil {
		r.policy.Compare(&report.Report{})
		return
	}
	r.policy.Compare(evaluateStack(before.Graph, stack, r.policy.Environment, values))
}

// evaluateStack returns the report of the platform's rules about the resources of a stack.
func evaluateStack(g *graph.Graph, stack, environment string, values map[string]string) *report.Report {
	evaluator := evaluate.New(ruleset.All(), environment, values[waiver.Key], time.Now())
	return report.New(stack, environment, evaluator, g, evaluator.ApplyToStack(g))
}

// parseSpending returns the part of the stack's configuration that limits and estimates the cost.
// It returns the zero value for a wrong configuration, because the policy pack reports the error.
func parseSpending(values map[string]string) rule.Spending {
	config, err := waiver.Parse(values[waiver.Key])
	if err != nil {
		return rule.Spending{}
	}
	return config.Cost
}

// parseUsageEstimates returns the usage estimates in the stack's configuration, or nil if they are
// wrong.
func parseUsageEstimates(values map[string]string) map[string]int64 {
	estimates := parseSpending(values).Estimates
	if len(cost.EstimateProblems(estimates)) > 0 {
		return nil
	}
	return estimates
}

// estimateCosts estimates the cost of the state and of the preview. It returns nil if the preview
// can't be read. If a cost has no figure, as in a region without prices, NoFigure has the reason.
func estimateCosts(state, preview []byte, usage map[string]int64) *prcomment.Cost {
	after, err := source.Parse(preview)
	if err != nil {
		return nil
	}
	options := cost.Options{Now: time.Now(), Estimates: usage}
	c := prcomment.Cost{After: cost.Estimate(after, options)}
	c.Before = cost.Report{Stack: c.After.Stack, Region: c.After.Region} // for an empty state
	if before, err := source.Parse(state); err == nil {
		c.Before = cost.Estimate(before, options)
	}
	c.Difference = cost.Compare(c.Before, c.After)
	return &c
}

// compareWithBase sets change to the difference from the plan of the base commit. It also compares
// the policies and the cost with the base commit. dir has the files of the base commit's preview.
func (r *previewResult) compareWithBase(dir string) error {
	basePlan, err := readPlan(filepath.Join(dir, planFile))
	if err != nil {
		return fmt.Errorf("the base: %w", err)
	}
	if basePlan.Stack != r.plan.Stack {
		return fmt.Errorf("the base: %s is a plan of %s, must be one of %s", dir, basePlan.Stack, r.plan.Stack)
	}
	if r.change, err = canonicalplan.PlanBetween(basePlan, r.plan); err != nil {
		return err
	}
	var basePolicy report.Report
	if err := readJSON(filepath.Join(dir, policyFile), &basePolicy); err != nil {
		return fmt.Errorf("the base: %w", err)
	}
	r.policy.Fixed = nil
	r.policy.Compare(&basePolicy)
	var baseCost prcomment.Cost
	switch err := readJSON(filepath.Join(dir, costFile), &baseCost); {
	case errors.Is(err, os.ErrNotExist): // the cost of the base commit could not be estimated
	case err != nil:
		return fmt.Errorf("the base: %w", err)
	case r.cost != nil:
		r.cost.Before = baseCost.After
		r.cost.Difference = cost.Compare(r.cost.Before, r.cost.After)
	}
	return nil
}

// stackForComment returns the result as the input of the comment.
func (r *previewResult) stackForComment(approvals []approval.Approval, budget cost.Micros, now time.Time) prcomment.Stack {
	return prcomment.Stack{
		Plan: r.change, Policy: r.policy, Cost: r.cost, Budget: budget, MaxGrowth: r.maxGrowth,
		Losses: approval.FindLosses(r.change, approvals, now),
	}
}

// readJSON decodes a JSON file into the value that into points to.
func readJSON(file string, into any) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

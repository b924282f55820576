package promotion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/ops/ci/canonicalplan"
	"github.com/progressive-framework/platform/ops/ci/gitcommit"
	"github.com/progressive-framework/platform/policy/cost"
	"github.com/progressive-framework/platform/policy/stackconfig"
	"github.com/progressive-framework/platform/policy/waiver"
	"github.com/progressive-framework/platform/release/record"
)

// readPlan reads plan.json of pf ci preview --out. It checks that the plan is of this stack and of the
// working tree with this identity, and that the preview ran against the stack's own state.
func readPlan(dir, stack, tree string) (*canonicalplan.Plan, error) {
	file := filepath.Join(dir, "plan.json")
	raw, err := readFile(file)
	if err != nil {
		return nil, err
	}
	plan, err := canonicalplan.Decode(raw)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s is no report: %w", file, err)
	case plan.Stack != stack:
		return nil, fmt.Errorf("%s is a preview of the stack %q, must be of %q", dir, plan.Stack, stack)
	case plan.Offline:
		// An offline preview does not know what the stack has, so no step shows a loss of data.
		return nil, fmt.Errorf("%s is a preview with --offline, which does not compare with the stack's own state: preview without --offline", dir)
	case commitOf(plan.Commit) != commitOf(tree):
		return nil, fmt.Errorf("%s is a preview of the program at commit %.12s, must be at %.12s: preview again", dir, plan.Commit, tree)
	case plan.Commit != tree:
		return nil, fmt.Errorf("%s is a preview of other files than those of the working tree: preview again, and change nothing before the promotion", dir)
	}
	return plan, nil
}

// commitOf returns the commit in the identity of a working tree.
func commitOf(tree string) string {
	commit, _, _ := strings.Cut(tree, "+")
	return commit
}

// identifyPreviewedTree returns the identity of the working tree. The stack's file may have the draft
// of the release. It returns an error if the tree has any other change, because such a preview does
// not show this commit.
func (p project) identifyPreviewedTree(ctx context.Context, stack string) (string, error) {
	file, err := p.readStackFile(stack)
	if err != nil {
		return "", err
	}
	committed, err := p.readFileAt(ctx, stack, "HEAD")
	if err != nil {
		return "", fmt.Errorf("%s of the last commit: %w", fileName(stack), err)
	}
	if !file.DiffersOnlyByRelease(committed) {
		return "", fmt.Errorf("%s has other changes than the release: commit or undo them, and preview again", fileName(stack))
	}
	changes, err := p.runGit(ctx, "status", "--porcelain", "-z", "--untracked-files=all", "--", ":/", ":(exclude)"+fileName(stack))
	if err != nil {
		return "", err
	}
	if first, _, _ := strings.Cut(changes, "\x00"); first != "" {
		if untracked, found := strings.CutPrefix(first, "?? "); found {
			return "", fmt.Errorf("%s is not in git: commit it, or move a report to out/, which git ignores; then preview again", untracked)
		}
		const statusWidth = len("XY ")
		return "", fmt.Errorf("%s has changes that are not committed: commit or undo them, and preview again", first[statusWidth:])
	}
	return gitcommit.Read(ctx, p.dir)
}

// checkPreview reads plan.json, verdict.json and policy.json of pf ci preview --out. It checks that
// the preview is of the stack with the digests of the record, and of the working tree with this
// identity. The preview must replace or delete nothing that holds data, and have no new mandatory
// violation.
func checkPreview(dir, stack, tree string, r *record.Record) (string, error) {
	plan, err := readPlan(dir, stack, tree)
	if err != nil {
		return "", err
	}
	var verdict struct {
		Losses []struct {
			Op, URN, Refused string
			Approval         *json.RawMessage
		} `json:"losses"`
	}
	var policy struct {
		Findings []struct {
			Rule, Kind, Resource string
			New                  bool
		} `json:"findings"`
	}
	for file, into := range map[string]any{"verdict.json": &verdict, "policy.json": &policy} {
		if err := readEvidence(filepath.Join(dir, file), into); err != nil {
			return "", err
		}
	}
	var problems []string
	images := 0
	for _, image := range plan.Images {
		if image.After == "" {
			continue // the preview deletes the image
		}
		if images++; !slices.Contains(slices.Collect(maps.Values(r.Images)), image.After) {
			problems = append(problems, fmt.Sprintf("%s has another image, %s", image.Name, image.After))
		}
	}
	if images == 0 || len(problems) > 0 {
		problems = append(problems, "the preview is not of this release: write it with --draft, and preview again")
	}
	for _, loss := range verdict.Losses {
		if loss.Approval == nil {
			problems = append(problems, fmt.Sprintf("%s of %s, which holds data: %s", loss.Op, loss.URN, loss.Refused))
		}
	}
	for _, f := range policy.Findings {
		if f.New && f.Kind == "mandatory" {
			problems = append(problems, fmt.Sprintf("new violation of %s by %s", f.Rule, f.Resource))
		}
	}
	if len(problems) > 0 {
		return "", errors.New(strings.Join(problems, "; "))
	}
	return fmt.Sprintf("%d changes at commit %.12s, %d images, no loss without an approval, no new mandatory violation", len(plan.Steps), plan.Commit, images), nil
}

// checkCost checks that the preview's cost is within a monthly budget, in US dollars.
func checkCost(dir string, budget int64) (string, error) {
	var c struct {
		After, Before cost.Report
	}
	if err := readEvidence(filepath.Join(dir, "cost.json"), &c); err != nil {
		return "", err
	}
	after, limit := c.After.Total.Expected, cost.Micros(budget)*cost.Dollar
	switch {
	case c.After.NoFigure != "":
		return "", fmt.Errorf("the preview has no cost: %s", c.After.NoFigure)
	case after > limit:
		return "", fmt.Errorf("the stack would cost %s a month, the budget is %s (policy.cost.monthlyBudget)", after, limit)
	}
	return fmt.Sprintf("%s a month of %s, before %s; without a price: %d", after, limit, c.Before.Total.Expected, len(c.After.Unpriced)+len(c.After.Undecided)), nil
}

// readMonthlyBudget returns the budget in a stack's file in US dollars. It is 0 without a budget.
func (p project) readMonthlyBudget(stack string) (int64, error) {
	values, err := stackconfig.Read(filepath.Join(p.dir, fileName(stack)))
	if err != nil {
		return 0, err
	}
	config, err := waiver.Parse(values[waiver.Key])
	return config.Cost.MonthlyBudget, err
}

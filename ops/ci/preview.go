package ci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/ops/ci/approval"
	"github.com/progressive-framework/platform/ops/ci/canonicalplan"
	"github.com/progressive-framework/platform/ops/ci/prcomment"
	"github.com/progressive-framework/platform/ops/ci/pulumicli"
	"github.com/progressive-framework/platform/ops/stackoutput"
	"github.com/progressive-framework/platform/policy/cost"
)

func previewCommand(stack *stackoutput.Stack) *cobra.Command {
	var o options
	var out, base string
	var offline bool
	var budget int64
	c := &cobra.Command{
		Use:   "preview --stack STACK --out DIR",
		Short: "Preview a stack, and write its plan, policies and cost as files",
		Long: "Run one preview with the policy pack. Write plan.json (the plan that pf ci up compares),\n" +
			"policy.json, policy.sarif, junit.xml, summary.md and cost.json.\n\n" +
			"Exit code 1: a new mandatory violation, a stateful resource that would be replaced or\n" +
			"deleted without an approval, or a cost above the budget.",
		Example: "  pf ci preview --stack prod --out out/prod\n" +
			"  pf ci preview --stack prod --offline --base base/prod --out out/prod",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if out == "" {
				return errors.New("--out is not set: name a folder for the files")
			}
			if base != "" && !offline {
				return errors.New("--base is for --offline: an account has a state to compare with")
			}
			cli, err := o.newCLI(stack)
			if err != nil {
				return err
			}
			if offline {
				if cli.Sandbox, err = sandboxPath(stack.Dir); err != nil {
					return err
				}
			}
			return runPreview(c.Context(), cli, o, previewOptions{out: out, baseDir: base, budget: cost.Micros(budget) * cost.Dollar}, c.OutOrStdout())
		},
	}
	o.addFlags(c)
	c.Flags().StringVar(&out, "out", "", "the folder for the files")
	c.Flags().BoolVar(&offline, "offline", false, "preview against the sandbox's stand-in for AWS, without an account: every resource is new, unless the sandbox runs the stack")
	c.Flags().StringVar(&base, "base", "", "with --offline: the folder of the base commit's preview; the summary has the differences from it")
	c.Flags().Int64Var(&budget, "budget", 0, "the highest allowed cost of the stack in US dollars a month; 0 means no limit")
	return c
}

// sandboxPath returns the path of the sandbox's executable, which make build creates.
func sandboxPath(dir string) (string, error) {
	folder := os.Getenv("PROGRESSIVE_SANDBOX")
	if folder == "" {
		folder = filepath.Join(dir, ".sandbox")
	}
	path, err := filepath.Abs(filepath.Join(folder, "bin", "sandbox"))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("sandbox executable: %w: run make build", err)
	}
	return path, nil
}

// previewOptions are the flags that only the preview has.
type previewOptions struct {
	// out is the folder for the files. baseDir is the folder of the base commit's preview.
	out, baseDir string
	budget       cost.Micros
}

// runPreview previews the stack and writes the files. If the change must be refused, runPreview prints
// the reasons and returns an error.
func runPreview(ctx context.Context, cli *pulumicli.CLI, o options, p previewOptions, stdout io.Writer) error {
	approvals, err := readApprovals(cli.Dir, o.approvalsFile)
	if err != nil {
		return err
	}
	commit, err := readCommit(ctx, cli.Dir, o.commit)
	if err != nil {
		return err
	}
	result, err := previewStack(ctx, cli, commit)
	if err != nil {
		return err
	}
	if p.baseDir != "" {
		if err := result.compareWithBase(p.baseDir); err != nil {
			return err
		}
	}
	stack := result.stackForComment(approvals, p.budget, time.Now())
	if err := result.writeFiles(p.out, stack); err != nil {
		return err
	}
	reasons := stack.RefusalReasons()
	fmt.Fprintf(stdout, "%s: %s; files in %s\n", cli.Stack, stack.Summary(), p.out)
	for _, f := range reasons {
		fmt.Fprintf(stdout, "refused: %s\n", f)
	}
	if len(reasons) > 0 {
		return refusalError()
	}
	return nil
}

// readApprovals reads the file of approvals. If file is empty, it reads the project's file, and
// returns nil if that file does not exist.
func readApprovals(dir, file string) ([]approval.Approval, error) {
	isDefault := file == ""
	if isDefault {
		file = filepath.Join(dir, approval.File)
	}
	raw, err := os.ReadFile(file)
	if isDefault && errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := approval.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return list, nil
}

// The files that a preview writes.
const (
	planFile    = "plan.json"
	policyFile  = "policy.json"
	sarifFile   = "policy.sarif"
	junitFile   = "junit.xml"
	summaryFile = "summary.md"
	costFile    = "cost.json"
	// changeFile has the difference from the base. A preview without a base does not write it.
	changeFile = "change.json"
	// verdictFile has the losses with their approvals, and the budget.
	verdictFile = "verdict.json"
)

// verdict is the content of verdictFile: the values that decide a refusal and depend on flags of
// pf ci preview. pf ci comment does not get these flags, and reads the values from the file.
type verdict struct {
	Losses []approval.Loss `json:"losses"`
	Budget cost.Micros     `json:"budgetMicroUSD,omitempty"`
	// MaxGrowth is in percent.
	MaxGrowth int64 `json:"maxGrowthPercent,omitempty"`
}

// writeFiles writes the files of the preview to the folder dir.
func (r *previewResult) writeFiles(dir string, stack prcomment.Stack) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	plan, err := r.plan.Encode()
	if err != nil {
		return err
	}
	files := map[string]string{planFile: string(plan), summaryFile: prcomment.Render([]prcomment.Stack{stack}, prcomment.Limit)}
	for name, render := range map[string]func(io.Writer) error{policyFile: r.policy.WriteJSON, sarifFile: r.policy.WriteSARIF, junitFile: r.policy.WriteJUnit} {
		var text strings.Builder
		if err := render(&text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		files[name] = text.String()
	}
	jsonFiles := map[string]any{verdictFile: verdict{Losses: stack.Losses, Budget: stack.Budget, MaxGrowth: stack.MaxGrowth}}
	if r.change != r.plan {
		jsonFiles[changeFile] = r.change
	}
	if r.cost != nil {
		jsonFiles[costFile] = r.cost
	}
	for name, content := range jsonFiles {
		raw, err := json.MarshalIndent(content, "", "  ")
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		files[name] = string(raw) + "\n"
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640); err != nil {
			return err
		}
	}
	return nil
}

// readPlan reads a plan from a file that pf ci preview wrote.
func readPlan(file string) (*canonicalplan.Plan, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p, err := canonicalplan.Decode(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

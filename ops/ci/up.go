package ci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/ops/ci/canonicalplan"
	"github.com/progressive-framework/platform/ops/ci/pulumicli"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

func upCommand(stack *stackoutput.Stack) *cobra.Command {
	var o options
	var approved, out string
	c := &cobra.Command{
		Use:   "up --stack STACK --approved PLAN",
		Short: "Update a stack, if its preview is still the approved one",
		Long: "Preview again, and update the stack only if commit, configuration, state and every\n" +
			"change are equal to those of the approved plan. Otherwise print the differences. After\n" +
			"the update, compare the operations with the plan.\n\n" +
			"Exit code 1: the plan differs from the approved one, and nothing was changed; or the update\n" +
			"did something that was not approved.",
		Example: "  pf ci up --stack prod --approved out/prod/plan.json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if approved == "" {
				return errors.New("--approved is not set: name the plan.json of pf ci preview")
			}
			cli, err := o.newCLI(stack)
			if err != nil {
				return err
			}
			cli.Progress = c.ErrOrStderr()
			return runUp(c.Context(), cli, o, approved, out, c.OutOrStdout())
		},
	}
	o.addFlags(c)
	c.Flags().StringVar(&approved, "approved", "", "the plan that was approved")
	c.Flags().StringVar(&out, "out", "", "a folder for done.json, the record of the update; the default writes none")
	return c
}

// updateRecord describes what an update did. It is the content of done.json.
type updateRecord struct {
	Stack string `json:"stack"`
	// Plan is the digest of the approved plan.
	Plan   string    `json:"plan"`
	Commit string    `json:"commit"`
	Began  time.Time `json:"began"`
	Ended  time.Time `json:"ended"`
	// Failure is the error of the update. It is empty after a success.
	Failure string `json:"failure,omitempty"`
	// Operations are the operations that the update did, in their order. A resource without a change
	// is not in the list.
	Operations []pulumicli.Operation `json:"operations"`
	// Unplanned are operations that were not in the plan. Unneeded are planned operations that did
	// not happen.
	Unplanned []string `json:"unplanned,omitempty"`
	Unneeded  []string `json:"unneeded,omitempty"`
}

// runUp previews the stack again. It updates the stack only if the new plan equals the approved
// plan and nothing else refuses the change.
func runUp(ctx context.Context, cli *pulumicli.CLI, o options, approved, out string, stdout io.Writer) error {
	plan, err := readPlan(approved)
	if err != nil {
		return err
	}
	if plan.Offline {
		return fmt.Errorf("%s is the plan of an offline preview: preview the stack itself", approved)
	}
	approvals, err := readApprovals(cli.Dir, o.approvalsFile)
	if err != nil {
		return err
	}
	commit, err := readCommit(ctx, cli.Dir, o.commit)
	if err != nil {
		return err
	}
	current, err := previewStack(ctx, cli, commit)
	if err != nil {
		return err
	}
	if differences := canonicalplan.Differences(plan, current.plan); len(differences) > 0 {
		fmt.Fprintf(stdout, "refused: the plan is not the approved one. Nothing was changed.\n")
		for _, d := range differences {
			fmt.Fprintln(stdout, "  "+d)
		}
		return refusalError()
	}
	// Since the plan was approved, approvals of losses may have expired, and policies may have
	// changed.
	if reasons := current.stackForComment(approvals, 0, time.Now()).RefusalReasons(); len(reasons) > 0 {
		fmt.Fprintf(stdout, "refused: nothing was changed.\n")
		for _, f := range reasons {
			fmt.Fprintln(stdout, "  "+f)
		}
		return refusalError()
	}
	return updateStack(ctx, cli, plan, out, stdout)
}

// updateStack updates the stack, writes the record, and compares the operations with the plan. It
// returns an error if the update failed or did something that was not approved.
func updateStack(ctx context.Context, cli *pulumicli.CLI, plan *canonicalplan.Plan, out string, stdout io.Writer) error {
	r := updateRecord{Stack: plan.Stack, Plan: plan.Digest, Commit: plan.Commit, Began: time.Now().UTC()}
	operations, failure := cli.Up(ctx)
	r.Ended = time.Now().UTC()
	done := make([]canonicalplan.DoneOperation, 0, len(operations))
	for _, operation := range operations {
		if operation.Step != "same" {
			r.Operations = append(r.Operations, operation)
		}
		done = append(done, canonicalplan.DoneOperation{URN: operation.URN, Step: operation.Step})
	}
	r.Unplanned, r.Unneeded = plan.CompareOperations(done)
	if failure != nil {
		r.Failure, r.Unneeded = failure.Error(), nil
	}
	if err := r.write(out); err != nil {
		return errors.Join(err, failure)
	}
	fmt.Fprintf(stdout, "%s: %d operations done\n", r.Stack, len(r.Operations))
	for _, description := range r.Unneeded {
		fmt.Fprintln(stdout, "  "+description)
	}
	for _, description := range r.Unplanned {
		fmt.Fprintln(stdout, "  not approved: "+description)
	}
	switch {
	case failure != nil:
		return failureError(failure)
	case len(r.Unplanned) > 0:
		return refusalError()
	}
	return nil
}

// write writes the record to done.json in dir. If dir is empty, it writes nothing.
func (r *updateRecord) write(dir string) error {
	if dir == "" {
		return nil
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "done.json"), append(raw, '\n'), 0o640)
}

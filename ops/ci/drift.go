package ci

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/ops/ci/canonicalplan"
	"github.com/progressive-framework/platform/ops/ci/driftreport"
	"github.com/progressive-framework/platform/ops/ci/githubapi"
	"github.com/progressive-framework/platform/ops/ci/pulumicli"
	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

func driftCommand(stack *stackoutput.Stack) *cobra.Command {
	var o options
	var out string
	var issue bool
	c := &cobra.Command{
		Use:   "drift --stack STACK",
		Short: "Compare the state with what exists, without writing anything",
		Long: "Compare the state with what exists. The command writes nothing, not even the state.\n" +
			"Changes by autoscalers and controllers are no drift; the report counts them.\n\n" +
			"With --issue the command writes one issue of the repository. Each run edits the same\n" +
			"issue, and closes it when nothing drifts.\n\n" +
			"Exit code 3: something drifted.",
		Example: "  pf ci drift --stack prod\n  pf ci drift --stack prod --issue --out out",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cli, err := o.newCLI(stack)
			if err != nil {
				return err
			}
			return runDrift(c.Context(), cli, out, issue, os.Getenv, c.OutOrStdout())
		},
	}
	o.addFlags(c)
	c.Flags().StringVar(&out, "out", "", "a folder for drift.json; the default writes none")
	c.Flags().BoolVar(&issue, "issue", false, "write the issue; needs GITHUB_TOKEN and GITHUB_REPOSITORY")
	return c
}

// runDrift compares the state with the existing resources, and reports the drift.
func runDrift(ctx context.Context, cli *pulumicli.CLI, out string, issue bool, getenv func(string) string, stdout io.Writer) error {
	var client *githubapi.Client
	if issue {
		var err error
		if client, err = githubapi.FromEnv(getenv); err != nil {
			return err
		}
	}
	raw, err := cli.Refresh(ctx)
	if err != nil {
		return failureError(withMessages(raw, err))
	}
	refresh, err := canonicalplan.ParsePreview(raw)
	if err != nil {
		return failureError(err)
	}
	r := driftreport.New(cli.Stack, refresh)
	if out != "" {
		content, err := r.JSON()
		if err != nil {
			return err
		}
		if err := os.MkdirAll(out, 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(out, "drift.json"), content, 0o640); err != nil {
			return err
		}
	}
	fmt.Fprint(stdout, r.Text())
	if client != nil {
		if err := writeIssue(ctx, client, r, stdout); err != nil {
			return failureError(err)
		}
	}
	if len(r.Drifts) > 0 {
		return &exitcode.Error{Code: exitcode.Drifted}
	}
	return nil
}

// writeIssue creates or edits the stack's issue, or closes it if nothing drifted.
func writeIssue(ctx context.Context, client *githubapi.Client, r *driftreport.Report, stdout io.Writer) error {
	var address string
	var err error
	if len(r.Drifts) > 0 {
		address, err = client.Issue(ctx, driftreport.Marker(r.Stack), driftreport.Title(r.Stack), r.Markdown())
	} else {
		address, err = client.CloseIssue(ctx, driftreport.Marker(r.Stack))
	}
	if err == nil && address != "" {
		fmt.Fprintln(stdout, address)
	}
	return err
}

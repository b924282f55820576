package ci

import (
	"context"
	"errors"
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
			"Changes by autoscalers and controllers are not drift; the report counts them.\n\n" +
			"With --issue the command writes one issue of the repository. Each run edits the same\n" +
			"issue, and closes it when nothing drifts.\n\n" +
			"Exit code 3: something drifted. Exit code 4: an update runs at the same time, or Pulumi failed;\n" +
			"then nothing is reported, and the issue stays as it is.",
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

// runDrift compares the state with the existing resources, and reports the drift on stdout. If out is
// set, it also writes drift.json. If issue is true, it also writes the stack's issue.
func runDrift(ctx context.Context, cli *pulumicli.CLI, out string, issue bool, getenv func(string) string, stdout io.Writer) error {
	var client *githubapi.Client
	if issue {
		var err error
		if client, err = githubapi.FromEnv(getenv); err != nil {
			return err
		}
	}
	raw, err := refreshUnlessUpdating(ctx, cli)
	if err != nil {
		return failureError(err)
	}
	refresh, err := canonicalplan.ParsePreview(raw)
	if err != nil {
		return failureError(err)
	}
	report := driftreport.New(cli.Stack, refresh)
	if out != "" {
		content, err := report.JSON()
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
	fmt.Fprint(stdout, report.Text())
	if client != nil {
		if err := writeIssue(ctx, client, report, stdout); err != nil {
			return failureError(err)
		}
	}
	if len(report.Drifts) > 0 {
		return &exitcode.Error{Code: exitcode.Drifted}
	}
	return nil
}

// refreshUnlessUpdating compares the state with the existing resources, and returns the output of
// Pulumi. It returns an error if an update runs at the same time, because changes of the update
// look like drift. pulumi refresh --preview-only ignores the lock of an update. But each step of
// an update writes the state, so refreshUnlessUpdating compares the state before and after.
func refreshUnlessUpdating(ctx context.Context, cli *pulumicli.CLI) ([]byte, error) {
	before, err := readFingerprint(ctx, cli)
	if err != nil {
		return nil, err
	}
	raw, err := cli.Refresh(ctx)
	if err != nil {
		return nil, withMessages(raw, err)
	}
	after, err := readFingerprint(ctx, cli)
	if err == nil && after != before {
		err = errors.New("the state changed during the comparison")
	}
	if err != nil {
		return nil, fmt.Errorf("%s is being updated, and changes of an update look like drift: run pf ci drift again after the update: %w", cli.Stack, err)
	}
	return raw, nil
}

// readFingerprint returns the fingerprint of the stack's state.
func readFingerprint(ctx context.Context, cli *pulumicli.CLI) (string, error) {
	state, err := cli.Export(ctx)
	if err != nil {
		return "", err
	}
	return canonicalplan.StateFingerprint(state)
}

// writeIssue creates or edits the stack's issue, or closes it if nothing drifted.
func writeIssue(ctx context.Context, client *githubapi.Client, report *driftreport.Report, stdout io.Writer) error {
	var issueURL string
	var err error
	if len(report.Drifts) > 0 {
		issueURL, err = client.UpsertIssue(ctx, driftreport.Marker(report.Stack), driftreport.Title(report.Stack), report.Markdown())
	} else {
		issueURL, err = client.CloseIssue(ctx, driftreport.Marker(report.Stack))
	}
	if err == nil && issueURL != "" {
		fmt.Fprintln(stdout, issueURL)
	}
	return err
}

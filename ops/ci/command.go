// Package ci has the commands that the workflows run: preview, comment, up and drift. A person can
// also run each command on their own machine. This package owns the command line and the files that
// the commands exchange. Its subpackages decide when a change is refused, and render the texts.
package ci

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/ops/ci/approval"
	"github.com/progressive-framework/platform/ops/ci/gitcommit"
	"github.com/progressive-framework/platform/ops/ci/pulumicli"
	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// Command returns the subcommand ci. stack holds the flags --stack and --cwd.
func Command(stack *stackoutput.Stack) *cobra.Command {
	c := &cobra.Command{
		Use:   "ci",
		Short: "The steps of the workflows: preview, comment, up, drift",
		Long: "The steps of the workflows. Each also runs on a person's machine: docs/ci.md.\n\n" +
			"Exit codes: 0 done; 1 refused, and the output has the reason; 2 wrong usage;\n" +
			"3 drift; 4 Pulumi or GitHub failed.",
		Example: "  pf ci preview --stack prod --out out/prod\n  pf ci up --stack prod --approved out/prod/plan.json",
		// Without a subcommand the command fails, so that a workflow with a mistake does not
		// succeed.
		RunE: func(c *cobra.Command, _ []string) error {
			return fmt.Errorf("pf ci needs a subcommand: %s", strings.Join(commandNames(c.Commands()), ", "))
		},
	}
	c.AddCommand(previewCommand(stack), commentCommand(), upCommand(stack), driftCommand(stack))
	return c
}

// commandNames returns the names of commands.
func commandNames(commands []*cobra.Command) (all []string) {
	for _, c := range commands {
		all = append(all, c.Name())
	}
	return all
}

// options are the flags that several subcommands share.
type options struct {
	pack, commit, approvalsFile string
	timeout                     time.Duration
}

// addFlags adds the shared flags to a command.
func (o *options) addFlags(c *cobra.Command) {
	c.Flags().StringVar(&o.pack, "policy-pack", "", "the policy pack; the default is "+pulumicli.PackVariable+", then bin/policy in the project")
	c.Flags().StringVar(&o.commit, "commit", "", "the commit of the program; the default is that of the project's working tree")
	c.Flags().StringVar(&o.approvalsFile, "approvals", "", "a file that approves the replacement or deletion of resources with data (docs/ci.md); the default is "+approval.File+" in the project, if it exists")
	c.Flags().DurationVar(&o.timeout, "timeout", time.Hour, "how long each command of Pulumi may take")
}

// newCLI returns a CLI that runs Pulumi on a stack.
func (o *options) newCLI(stack *stackoutput.Stack) (*pulumicli.CLI, error) {
	if stack.Name == "" {
		return nil, errors.New("--stack is not set: a workflow has no selected stack")
	}
	if !isValidStackName(stack.Name) {
		return nil, fmt.Errorf("--stack is %q, must have letters, digits, '-', '_' and '.' only", stack.Name)
	}
	pack, err := packPath(o.pack, stack.Dir)
	if err != nil {
		return nil, err
	}
	return &pulumicli.CLI{Stack: stack.Name, Dir: stack.Dir, Pack: pack, Timeout: o.timeout}, nil
}

// isValidStackName reports whether a stack's name can be part of a file name.
func isValidStackName(name string) bool {
	return strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == "" && strings.Trim(name, ".") != ""
}

// packPath returns the absolute path of the policy pack. Every command needs a policy pack, because
// a preview without policies looks like a preview without violations.
func packPath(flag, dir string) (string, error) {
	path := flag
	if path == "" {
		path = os.Getenv(pulumicli.PackVariable)
	}
	if path == "" {
		path = filepath.Join(dir, "bin", "policy")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the policy pack: %w: run go build -o bin/policy ./policy, or set --policy-pack", err)
	}
	return path, nil
}

// failureError returns the exit error for a failure of Pulumi or of GitHub.
func failureError(err error) error { return &exitcode.Error{Code: exitcode.Failed, Err: err} }

// refusalError returns the exit error of a command that has already printed the reason.
func refusalError() error { return &exitcode.Error{Code: exitcode.Found} }

// readCommit returns flag, the value of --commit, if it is set. Otherwise it identifies the working
// tree in dir.
func readCommit(ctx context.Context, dir, flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	commit, err := gitcommit.Read(ctx, dir)
	if err != nil {
		return "", fmt.Errorf("%w: set --commit", err)
	}
	return commit, nil
}

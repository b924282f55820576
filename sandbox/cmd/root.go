// Package cmd has the sandbox's commands, for users and for the Makefile. It
// defines the order of the steps, for example of the steps of `up`. It also writes
// the text on the terminal. The other packages do the work.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/progressive-framework/platform/sandbox/aws"
	"github.com/progressive-framework/platform/sandbox/layout"
)

// Exit codes of Main. If Main runs a tool for the user, such as pulumi, and the tool fails, Main
// returns the exit code of the tool.
const (
	exitFailed = 1
	exitUsage  = 2
)

// Main runs the command line args and returns the exit code. It prints an error once, on
// stderr.
func Main(ctx context.Context, args []string, runComponent ComponentRunner, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot(runComponent)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var (
		usage    *usageError
		reported *reportedError
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &reported):
		return reported.code
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "error: %s\nSee: %s --help\n", indent(err), usage.command)
		return exitUsage
	default:
		fmt.Fprintln(stderr, "error:", indent(err))
		return exitFailed
	}
}

// indent returns the error's message. All lines after the first one are indented, so that a
// reader sees that they belong to the same error.
func indent(err error) string { return strings.ReplaceAll(err.Error(), "\n", "\n  ") }

// usageError is an error in the command line. Main exits with exitUsage.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// reportedError is the failure of a tool that has printed its own message. Main
// prints nothing more and exits with the tool's code.
type reportedError struct {
	code int
	err  error
}

func (e *reportedError) Error() string { return e.err.Error() }
func (e *reportedError) Unwrap() error { return e.err }

// ComponentRunner runs the component of the cluster with the given name. It is a parameter
// of Main, so that this package does not import the components, which import all of
// Kubernetes. The tests of this package therefore link faster.
type ComponentRunner func(ctx context.Context, l *layout.Layout, name string) error

// app has the values that all commands share.
type app struct {
	// dir is the sandbox's folder, from --home.
	dir          string
	runComponent ComponentRunner
}

func newRoot(runComponent ComponentRunner) *cobra.Command {
	a := &app{runComponent: runComponent}
	root := &cobra.Command{
		Use:   "sandbox",
		Short: "One machine that stands in for AWS",
		Long: "The sandbox runs the platform's own program on the real Pulumi engine into a real\n" +
			"Kubernetes on this machine. Only AWS is a stand-in.",
		Example:       "  sandbox up\n  sandbox status",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.TraverseChildren = true // parses --home before the command pulumi, which passes its flags to Pulumi
	// Kubernetes registers a flag --version for the whole process. cobra would list it in
	// the help of every command.
	if versionFlag := pflag.Lookup("version"); versionFlag != nil {
		versionFlag.Hidden = true
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{command: c.CommandPath(), err: err}
	})
	root.PersistentFlags().StringVar(&a.dir, "home", "", "the sandbox's folder (default $"+layout.Variable+", else .sandbox in the project)")
	root.AddCommand(
		a.newUpCommand(), a.newRecoverCommand(), a.newDownCommand(), a.newStatusCommand(), a.newLogsCommand(), a.newEnvCommand(), a.newShellProjectCommand(), a.newPreviewCommand(), a.newPulumiCommand(), a.newRunCommand(), a.newVersionCommand(), a.newAWSCommand(),
	)
	return root
}

// newAWSCommand returns the command of the AWS stand-in. It sets the variable that names the
// sandbox, because the stand-in finds its store by this variable.
func (a *app) newAWSCommand() *cobra.Command {
	c := aws.Command()
	c.PersistentPreRunE = func(*cobra.Command, []string) error {
		l, err := a.open()
		if err != nil {
			return err
		}
		return os.Setenv(layout.Variable, l.Dir)
	}
	return c
}

// noArgs returns a usageError if the command has arguments, and nil otherwise.
func noArgs(c *cobra.Command, args []string) error {
	if err := cobra.NoArgs(c, args); err != nil {
		return &usageError{command: c.CommandPath(), err: err}
	}
	return nil
}

// maxArgs returns a check that returns a usageError if the command has more than n arguments.
func maxArgs(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := cobra.MaximumNArgs(n)(c, args); err != nil {
			return &usageError{command: c.CommandPath(), err: err}
		}
		return nil
	}
}

// folder returns the sandbox's folder as an absolute path: the value of --home, or else the value
// of layout.Variable in the environment, or else .sandbox in the project.
func (a *app) folder() (string, error) {
	dir := a.dir
	if dir == "" {
		dir = os.Getenv(layout.Variable)
	}
	if dir == "" {
		projectDir, err := findProject()
		if err != nil {
			return "", err
		}
		return filepath.Join(projectDir, ".sandbox"), nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("sandbox folder %q: %w", dir, err)
	}
	return abs, nil
}

// open opens the sandbox, which must exist.
func (a *app) open() (*layout.Layout, error) {
	dir, err := a.folder()
	if err != nil {
		return nil, err
	}
	l, err := layout.Open(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no sandbox in %s: create one with make up", dir)
	}
	return l, err
}

// findProject returns the folder that contains Pulumi.yaml: the working directory, or the nearest
// folder above it.
func findProject() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for folder := dir; ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "Pulumi.yaml")); err == nil {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("no Pulumi.yaml in %s or above it: run this inside the project, or name the sandbox by --home", dir)
		}
	}
}

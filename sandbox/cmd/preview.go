package cmd

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/lock"
	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/settings"
	"github.com/progressive-framework/platform/sandbox/stack"
)

func (a *app) newPreviewCommand() *cobra.Command {
	stackName := project.SandboxStack
	c := &cobra.Command{
		Use:   "preview [-- FLAGS...]",
		Short: "Run pulumi preview on one of the stacks, against the stand-in",
		Long: "Run `pulumi preview` on a stack, in a copy of the project's YAML files, so that the\n" +
			"CLI writes nothing into the project.",
		Example: "  sandbox preview --stack prod\n  sandbox preview --stack staging -- --diff",
		RunE: func(c *cobra.Command, args []string) error {
			l, err := a.openOrCreate()
			if err != nil {
				return err
			}
			return a.runOnStack(c, l, stackName, append([]string{"preview", "--stack", stackName}, args...))
		},
	}
	c.Flags().StringVar(&stackName, "stack", stackName, "sandbox, staging or prod")
	return c
}

func (a *app) newPulumiCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "pulumi ARGS...",
		Short:   "Run the sandbox's pulumi in the project, as in a shell of make env",
		Example: "  sandbox pulumi stack output",
		// Every flag belongs to Pulumi.
		DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
				return c.Help()
			}
			l, err := a.openOrCreate()
			if err != nil {
				return err
			}
			return a.runOnStack(c, l, project.SandboxStack, args)
		},
	}
}

// runOnStack runs Pulumi on a stack with the user's terminal. If Pulumi fails, it has already printed
// its error, and runOnStack returns a reportedError. If stack.Explain adds a hint to the error,
// runOnStack instead returns the error with the hint, and Main prints it.
func (a *app) runOnStack(c *cobra.Command, l *layout.Layout, stackName string, args []string) error {
	if err := prepare(c.Context(), l); err != nil {
		return err
	}
	s, err := stack.Open(c.Context(), l, stackName, terminal(c))
	if err != nil {
		return err
	}
	failure := s.Run(c.Context(), args...)
	explained := s.Explain(c.Context(), failure)
	var toolError *stack.ToolError
	if !errors.As(failure, &toolError) || explained.Error() != failure.Error() {
		return explained
	}
	return &reportedError{code: toolError.Code, err: failure}
}

// openOrCreate opens the sandbox. If there is none, it creates the folder with settings
// from the environment. It does not start a cluster, because a preview needs no cluster.
func (a *app) openOrCreate() (*layout.Layout, error) {
	dir, err := a.folder()
	if err != nil {
		return nil, err
	}
	if l, err := layout.Open(dir); !errors.Is(err, os.ErrNotExist) {
		return l, err
	}
	projectDir, err := findProject()
	if err != nil {
		return nil, err
	}
	release, err := lock.Take(dir, "creating the sandbox")
	if err != nil {
		return nil, err
	}
	defer release()
	return settings.Ensure(dir, projectDir, settings.Options{}.WithEnv(os.Getenv))
}

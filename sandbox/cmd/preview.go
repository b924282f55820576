package cmd

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/lock"
	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/settings"
	"github.com/progressive-framework/platform/sandbox/stack"
)

func (a *app) preview() *cobra.Command {
	name := project.SandboxStack
	c := &cobra.Command{
		Use:   "preview [-- FLAGS...]",
		Short: "Run pulumi preview on one of the stacks, against the stand-in",
		Long: "Run `pulumi preview` on a stack. Other stacks than sandbox are previewed in a copy\n" +
			"of the project's YAML files, so that the CLI writes nothing into the project.",
		Example: "  sandbox preview --stack prod\n  sandbox preview --stack staging -- --diff",
		RunE: func(c *cobra.Command, args []string) error {
			h, err := a.openOrMake()
			if err != nil {
				return err
			}
			return a.onStack(c, h, name, append([]string{"preview", "--stack", name}, args...))
		},
	}
	c.Flags().StringVar(&name, "stack", name, "sandbox, staging or prod")
	return c
}

func (a *app) pulumi() *cobra.Command {
	return &cobra.Command{
		Use:     "pulumi ARGS...",
		Short:   "Run the sandbox's pulumi in the project, as in a shell of make env",
		Example: "  sandbox pulumi stack output",
		// Every flag is Pulumi's.
		DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
				return c.Help()
			}
			h, err := a.openOrMake()
			if err != nil {
				return err
			}
			return a.onStack(c, h, project.SandboxStack, args)
		},
	}
}

// onStack runs Pulumi on a stack for a person, who reads its own messages.
func (a *app) onStack(c *cobra.Command, h *home.Home, name string, args []string) error {
	if err := prepare(c.Context(), h); err != nil {
		return err
	}
	s, err := stack.Open(c.Context(), h, name, terminal(c))
	if err != nil {
		return err
	}
	failure := s.Run(c.Context(), args...)
	explained := s.Explain(c.Context(), failure)
	var tool *stack.ToolError
	if !errors.As(failure, &tool) || explained.Error() != failure.Error() {
		return explained
	}
	// Pulumi has said all there is to say.
	return &reportedError{code: tool.Code, err: failure}
}

// openOrMake opens the sandbox, or makes its folder with the settings that the
// environment asks for: Pulumi works in it without a cluster, too.
func (a *app) openOrMake() (*home.Home, error) {
	dir, err := a.folder()
	if err != nil {
		return nil, err
	}
	if h, err := home.Open(dir); !errors.Is(err, os.ErrNotExist) {
		return h, err
	}
	project, err := findProject()
	if err != nil {
		return nil, err
	}
	release, err := lock.Take(dir, "making the sandbox")
	if err != nil {
		return nil, err
	}
	defer release()
	return settings.Ensure(dir, project, settings.Options{}.WithEnv(os.Getenv))
}

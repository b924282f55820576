package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/stack"
)

// recover is for a person who works with plain pulumi; `up` does it by itself.
func (a *app) recover() *cobra.Command {
	name := project.SandboxStack
	c := &cobra.Command{
		Use:   "recover",
		Short: "Bring a stack into order after a pulumi that was killed",
		Long: "Give back the lock of a killed pulumi, take into the state what it had made and not\n" +
			"yet noted, forget what it had not made, and refresh. `make up` does this by itself.",
		Example: "  sandbox recover --stack staging",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			h, err := a.open()
			if err != nil {
				return err
			}
			if err := prepare(c.Context(), h); err != nil {
				return err
			}
			s, err := stack.Open(c.Context(), h, name, terminal(c))
			if err != nil {
				return err
			}
			return s.Recover(c.Context(), func(format string, args ...any) {
				fmt.Fprintf(c.ErrOrStderr(), format+"\n", args...)
			})
		},
	}
	c.Flags().StringVar(&name, "stack", name, "sandbox, staging or prod")
	return c
}

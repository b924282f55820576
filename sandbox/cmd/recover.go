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
		Short: "Bring a stack into order after an update that was cut short",
		Long: "Give back the lock of a killed pulumi, take into the state what was made and not yet\n" +
			"noted, also where AWS's answer was lost, forget what was not made, and refresh.\n" +
			"`make up` does this by itself.",
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
			dir, err := project.Last(h, name)
			if err != nil {
				return err
			}
			s, err := stack.OpenIn(c.Context(), h, name, dir, terminal(c))
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

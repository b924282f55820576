package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/stack"
)

// recover is for users of plain pulumi; `up` recovers the stack by itself.
func (a *app) recover() *cobra.Command {
	name := project.SandboxStack
	c := &cobra.Command{
		Use:   "recover",
		Short: "Repair a stack's state after an interrupted update",
		Long: "Release the lock of a killed pulumi. Add to the state the resources that were created\n" +
			"but not recorded, also where AWS's answer was lost. Drop those that were not created.\n" +
			"Then refresh. `make up` does all of this by itself.",
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
			_, err = s.Recover(c.Context(), func(format string, args ...any) {
				fmt.Fprintf(c.ErrOrStderr(), format+"\n", args...)
			})
			return err
		},
	}
	c.Flags().StringVar(&name, "stack", name, "sandbox, staging or prod")
	return c
}

package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/stack"
)

// newRecoverCommand returns the command that repairs a stack. It is for users who run pulumi
// directly, because `sandbox up` repairs the stack by itself.
func (a *app) newRecoverCommand() *cobra.Command {
	stackName := project.SandboxStack
	c := &cobra.Command{
		Use:   "recover",
		Short: "Repair a stack's state after an interrupted update",
		Long: "Release the lock of a killed pulumi. Add to the state the resources that were created\n" +
			"but not recorded, for example because a response of AWS was lost. Remove pending\n" +
			"creations that did not happen. Then refresh. `make up` does all of this by itself.",
		Example: "  sandbox recover --stack staging",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := a.open()
			if err != nil {
				return err
			}
			if err := prepare(c.Context(), l); err != nil {
				return err
			}
			dir, err := project.LastCopy(l, stackName)
			if err != nil {
				return err
			}
			s, err := stack.OpenIn(c.Context(), l, stackName, dir, terminal(c))
			if err != nil {
				return err
			}
			_, err = s.Recover(c.Context(), func(format string, args ...any) {
				fmt.Fprintf(c.ErrOrStderr(), format+"\n", args...)
			})
			return err
		},
	}
	c.Flags().StringVar(&stackName, "stack", stackName, "sandbox, staging or prod")
	return c
}

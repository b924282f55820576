package cmd

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/frontdoor"
	"github.com/progressive-framework/platform/sandbox/localcluster"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

// newRunCommand returns the command that runs one process of the sandbox. `sandbox up` uses this
// command to start the sandbox's processes.
func (a *app) newRunCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "run NAME [ARGS...]",
		Short:   "Run one process of the sandbox in the foreground",
		Example: "  sandbox run kube-apiserver",
		Hidden:  true,
		Args: func(c *cobra.Command, args []string) error {
			if err := cobra.MinimumNArgs(1)(c, args); err != nil {
				return &usageError{command: c.CommandPath(), err: err}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			l, err := a.open()
			if err != nil {
				return err
			}
			if args[0] != localcluster.Forward {
				return a.runComponent(c.Context(), l, args[0])
			}
			if len(args) != 4 {
				return &usageError{command: c.CommandPath(), err: fmt.Errorf("%s: needs three arguments: a namespace, a service and a port", localcluster.Forward)}
			}
			port, err := strconv.Atoi(args[3])
			if err != nil {
				return &usageError{command: c.CommandPath(), err: fmt.Errorf("%s: port %q: %w", localcluster.Forward, args[3], err)}
			}
			return frontdoor.Run(c.Context(), l, frontdoor.Target{Namespace: args[1], Service: args[2], Port: port})
		},
	}
}

func (a *app) newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Show the versions of Kubernetes and Pulumi",
		Example: "  sandbox version",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(c.OutOrStdout(), "Kubernetes %s\nPulumi %d.%d or later\n",
				localcluster.KubernetesVersion, toolchain.PulumiMajor, toolchain.PulumiMinor)
			return err
		},
	}
}

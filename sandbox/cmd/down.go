package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/localcluster"
	"github.com/progressive-framework/platform/sandbox/lock"
	"github.com/progressive-framework/platform/sandbox/process"
	"github.com/progressive-framework/platform/sandbox/progress"
	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/stack"
)

// keptByPurge are the entries of the sandbox's folder that a purge does not remove. They
// are the built executables, all logs, and the lock that this command holds.
var keptByPurge = []string{"bin", "logs", lock.Name}

// forwardGrace is the time between SIGTERM and SIGKILL for the process that forwards to the
// cluster. This process has no data to save.
const forwardGrace = 5 * time.Second

func (a *app) newDownCommand() *cobra.Command {
	var purge bool
	c := &cobra.Command{
		Use:   "down",
		Short: "Stop the sandbox and remove its processes, mounts and network devices",
		Long: "Stop every process and remove mounts, network devices and iptables rules. The\n" +
			"data and the built executables stay, and the next up uses them. --purge also\n" +
			"removes the data. With a cluster of your own, --purge first destroys the stack\n" +
			"in it.",
		Example: "  sandbox down\n  sandbox down --purge",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			dir, err := a.folder()
			if err != nil {
				return err
			}
			l, err := layout.Open(dir)
			if errors.Is(err, fs.ErrNotExist) {
				fmt.Fprintf(c.ErrOrStderr(), "no sandbox in %s: nothing to stop\n", dir)
				return nil
			}
			if err != nil {
				return err
			}
			release, err := lock.Take(dir, "make down")
			if err != nil {
				return err
			}
			defer release()
			return stopSandbox(c, l, purge)
		},
	}
	c.Flags().BoolVar(&purge, "purge", false, "remove the data too")
	return c
}

// stopSandbox stops the sandbox's processes and the cluster. With purge it also removes the
// sandbox's data. In a user's own cluster, a purge first destroys the stack.
func stopSandbox(c *cobra.Command, l *layout.Layout, purge bool) error {
	ctx := c.Context()
	log := progress.New(c.ErrOrStderr(), 0)
	if purge && l.Cluster == layout.ClusterExisting {
		// The purge removes the stack's state. Without the state, Pulumi could not find the
		// stack's objects in the user's cluster.
		if err := destroyInExistingCluster(c, l); err != nil {
			return err
		}
	}
	if err := process.Stop(ctx, l, localcluster.Forward, forwardGrace); err != nil {
		return err
	}
	if err := localcluster.Stop(ctx, l, log); err != nil {
		return err
	}
	if !purge {
		return nil
	}
	if err := localcluster.Purge(ctx, l); err != nil {
		return err
	}
	entries, err := os.ReadDir(l.Dir)
	if err != nil {
		return fmt.Errorf("remove the sandbox's data: %w", err)
	}
	for _, entry := range entries {
		if slices.Contains(keptByPurge, entry.Name()) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(l.Dir, entry.Name())); err != nil {
			return fmt.Errorf("remove the sandbox's data: %w", err)
		}
	}
	log.Say("the sandbox's data are removed; the built executables stay in %s", l.Bin())
	return nil
}

// destroyInExistingCluster destroys the stack in the user's own cluster, if the
// stack exists.
func destroyInExistingCluster(c *cobra.Command, l *layout.Layout) error {
	if !stack.Exists(l, project.SandboxStack) {
		return nil
	}
	s, err := stack.Open(c.Context(), l, project.SandboxStack, terminal(c))
	if err != nil {
		return err
	}
	if err := s.Run(c.Context(), "destroy", "--yes", "--skip-preview", "--stack", s.Name()); err != nil {
		return fmt.Errorf("%w. The sandbox's data were not removed, because only the stack's state names its objects in your cluster",
			s.Explain(c.Context(), err))
	}
	return nil
}

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

	"github.com/progressive-framework/platform/sandbox/cluster"
	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/lock"
	"github.com/progressive-framework/platform/sandbox/process"
	"github.com/progressive-framework/platform/sandbox/progress"
	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/stack"
)

// kept are the entries of the sandbox's folder that a purge leaves: what was
// built, and what this command itself holds.
var kept = []string{"bin", "logs", lock.Name}

func (a *app) down() *cobra.Command {
	var purge bool
	c := &cobra.Command{
		Use:   "down",
		Short: "Stop the sandbox and leave no trace in the machine",
		Long: "Stop every process and remove mounts, network devices and iptables rules. The\n" +
			"data stay, and the next up goes on with them. With --purge the data go as well;\n" +
			"only what was built is kept. In a cluster of your own, --purge first destroys the\n" +
			"stack there.",
		Example: "  sandbox down\n  sandbox down --purge",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			dir, err := a.folder()
			if err != nil {
				return err
			}
			h, err := home.Open(dir)
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
			return stop(c, h, purge)
		},
	}
	c.Flags().BoolVar(&purge, "purge", false, "remove the data too")
	return c
}

func stop(c *cobra.Command, h *home.Home, purge bool) error {
	ctx := c.Context()
	log := progress.New(c.ErrOrStderr(), 0)
	if purge && h.Cluster == home.ClusterExisting {
		// Without its state nobody could remove what is in the person's cluster.
		if err := destroyForeign(c, h); err != nil {
			return err
		}
	}
	if err := process.Stop(ctx, h, cluster.Forward, 5*time.Second); err != nil {
		return err
	}
	if err := cluster.Stop(ctx, h, log); err != nil {
		return err
	}
	if !purge {
		return nil
	}
	if err := cluster.Purge(ctx, h); err != nil {
		return err
	}
	entries, err := os.ReadDir(h.Dir)
	if err != nil {
		return fmt.Errorf("remove the sandbox's data: %w", err)
	}
	for _, entry := range entries {
		if slices.Contains(kept, entry.Name()) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(h.Dir, entry.Name())); err != nil {
			return fmt.Errorf("remove the sandbox's data: %w", err)
		}
	}
	log.Say("the sandbox's data are removed; what was built stays in %s", h.Bin())
	return nil
}

// destroyForeign destroys the stack in a person's own cluster, where there is
// one.
func destroyForeign(c *cobra.Command, h *home.Home) error {
	if !stack.Exists(h, project.SandboxStack) {
		return nil
	}
	s, err := stack.Open(c.Context(), h, project.SandboxStack, terminal(c))
	if err != nil {
		return err
	}
	if err := s.Run(c.Context(), "destroy", "--yes", "--skip-preview", "--stack", s.Name()); err != nil {
		return fmt.Errorf("%w. Nothing was removed: without its state the stack in your cluster could not be found again",
			s.Explain(c.Context(), err))
	}
	return nil
}

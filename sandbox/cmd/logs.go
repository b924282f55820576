package cmd

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// newLogsCommand returns the command that shows logs. It runs tail(1), because tail -F also follows
// a log file that is replaced.
func (a *app) newLogsCommand() *cobra.Command {
	var (
		follow bool
		count  int
	)
	c := &cobra.Command{
		Use:     "logs [NAME]",
		Short:   "Show the last lines of one log, or of all logs",
		Example: "  sandbox logs\n  sandbox logs kubelet -f",
		Args:    maxArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			l, err := a.open()
			if err != nil {
				return err
			}
			files, err := filepath.Glob(filepath.Join(l.Logs(), "*.log"))
			if err != nil {
				return err
			}
			var names []string
			for _, f := range files {
				names = append(names, strings.TrimSuffix(filepath.Base(f), ".log"))
			}
			if len(args) == 1 {
				if !slices.Contains(names, args[0]) {
					return fmt.Errorf("no log %q: must be one of %s", args[0], strings.Join(names, ", "))
				}
				names = args
			}
			if len(names) == 0 {
				return fmt.Errorf("no log in %s yet: run make up", l.Logs())
			}
			tail := exec.CommandContext(c.Context(), "tail", "-n", fmt.Sprint(count))
			if follow {
				tail.Args = append(tail.Args, "-F")
			}
			for _, name := range names {
				tail.Args = append(tail.Args, name+".log")
			}
			tail.Dir, tail.Stdout, tail.Stderr = l.Logs(), c.OutOrStdout(), c.ErrOrStderr()
			if err := tail.Run(); err != nil && c.Context().Err() == nil { // the end by Ctrl-C is no error
				return fmt.Errorf("tail: %w", err)
			}
			return nil
		},
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "also show the lines that are written from now on")
	c.Flags().IntVarP(&count, "lines", "n", 20, "how many lines")
	return c
}

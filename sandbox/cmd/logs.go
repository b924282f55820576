package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) logs() *cobra.Command {
	var (
		follow bool
		count  int
	)
	c := &cobra.Command{
		Use:     "logs [NAME]",
		Short:   "Show the last lines of one log, or of every one",
		Example: "  sandbox logs\n  sandbox logs kubelet -f",
		Args:    maxArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			h, err := a.open()
			if err != nil {
				return err
			}
			names, err := logNames(h.Logs())
			if err != nil {
				return err
			}
			if len(args) == 1 {
				if !slices.Contains(names, args[0]) {
					return fmt.Errorf("no log %q; there are %s", args[0], strings.Join(names, ", "))
				}
				names = args
			}
			if follow && len(names) != 1 {
				return &usageError{command: c.CommandPath(), err: errors.New("-f follows one log: name it")}
			}
			for _, name := range names {
				if len(names) > 1 {
					fmt.Fprintf(c.OutOrStdout(), "==> %s <==\n", name)
				}
				file := filepath.Join(h.Logs(), name+".log")
				end, err := tail(c.OutOrStdout(), file, count)
				if err != nil {
					return err
				}
				if follow {
					return followFile(c.Context(), c.OutOrStdout(), file, end)
				}
			}
			return nil
		},
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what is written from now on")
	c.Flags().IntVarP(&count, "lines", "n", 20, "how many lines")
	return c
}

func logNames(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		return nil, err
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(filepath.Base(f), ".log")
	}
	return names, nil
}

// tailWindow bounds what is read of a log for its last lines.
const tailWindow = 1 << 20

// tail writes the last count lines of a file and returns where it ended.
func tail(out io.Writer, path string, count int) (end int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	from := max(0, info.Size()-tailWindow)
	raw, err := io.ReadAll(io.NewSectionReader(f, from, info.Size()-from))
	if err != nil {
		return 0, err
	}
	lines := bytes.SplitAfter(raw, []byte("\n"))
	if len(lines) > 0 && len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	_, err = out.Write(bytes.Join(lines[max(0, len(lines)-count):], nil))
	return info.Size(), err
}

// followFile writes what is added to a file until ctx ends. A file that was
// replaced or cut is read from its beginning.
func followFile(ctx context.Context, out io.Writer, path string, offset int64) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		info, err := f.Stat()
		if err == nil && info.Size() < offset {
			offset = 0
		}
		if err == nil {
			var n int64
			n, err = io.Copy(out, io.NewSectionReader(f, offset, 1<<62))
			offset += n
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
}

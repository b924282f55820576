package cmd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/aws"
	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/registry"
	"github.com/progressive-framework/platform/sandbox/stack"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

// prepare writes the files that Pulumi needs into the sandbox's folder: the passphrase, the
// registry's password and the links to the tools. It also creates the resources that an AWS
// account has before any stack. prepare does not need a cluster.
func prepare(ctx context.Context, l *layout.Layout) error {
	built, err := builtFolder()
	if err != nil {
		return err
	}
	tools, err := toolchain.Resolve(ctx, l, built, os.Environ())
	if err != nil {
		return err
	}
	if err := toolchain.Link(l, tools); err != nil {
		return err
	}
	if err := stack.EnsurePassphrase(l); err != nil {
		return err
	}
	if _, err := registry.EnsurePassword(l); err != nil {
		return err
	}
	return aws.EnsureAccount(ctx, l)
}

// builtFolder returns the folder with the executables that the bootstrap has built. One of
// them is this executable, so builtFolder returns its folder.
func builtFolder() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("path of this program: %w", err)
	}
	return filepath.Dir(self), nil
}

// terminal returns the standard streams of a command.
func terminal(c *cobra.Command) stack.Terminal {
	return stack.Terminal{In: c.InOrStdin(), Out: c.OutOrStdout(), Err: c.ErrOrStderr()}
}

// firstLine returns the first line of a message, because a row of a table is one line.
func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

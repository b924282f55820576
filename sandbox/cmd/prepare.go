package cmd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/aws"
	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/registry"
	"github.com/progressive-framework/platform/sandbox/stack"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

// prepare makes of a sandbox's folder a place where Pulumi can work, cluster
// or not: the passphrase, the registry's password, the links to the tools, and
// what the AWS account has before any stack.
func prepare(ctx context.Context, h *home.Home) error {
	built, err := builtFolder()
	if err != nil {
		return err
	}
	tools, err := toolchain.Resolve(ctx, h, built, os.Environ())
	if err != nil {
		return err
	}
	if err := toolchain.Link(h, tools); err != nil {
		return err
	}
	if err := stack.EnsurePassphrase(h); err != nil {
		return err
	}
	if _, err := registry.EnsurePassword(h); err != nil {
		return err
	}
	return aws.EnsureAccount(ctx, h)
}

// builtFolder is where the bootstrap put what it built: beside this binary.
func builtFolder() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("path of this program: %w", err)
	}
	return filepath.Dir(self), nil
}

// terminal is that of a command.
func terminal(c *cobra.Command) stack.Terminal {
	return stack.Terminal{In: c.InOrStdin(), Out: c.OutOrStdout(), Err: c.ErrOrStderr()}
}

// firstLine is for messages that are one line in a table.
func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

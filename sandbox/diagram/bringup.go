package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/progressive-framework/platform/sandbox/test/testenv"
)

// bringUp starts a temporary sandbox with simulated nodes, and creates the stack of the project
// in root. It returns the output of `pulumi stack export`.
func bringUp(ctx context.Context, root, stack string) (export []byte, err error) {
	root, err = filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	l, stop, err := testenv.New(ctx, root, 0, os.Stderr)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	dir, err := testenv.InitStack(ctx, l, stack)
	if err != nil {
		return nil, err
	}
	if _, err := testenv.RunOutput(ctx, l, dir, "pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", stack); err != nil {
		return nil, err
	}
	return testenv.RunOutput(ctx, l, dir, "pulumi", "stack", "export", "--stack", stack)
}

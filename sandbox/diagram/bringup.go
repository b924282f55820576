package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/progressive-framework/platform/sandbox/test/testenv"
)

// bringUp makes the stack of the project in root from nothing, in a sandbox of
// simulated nodes that ends with it, and returns its `pulumi stack export`.
func bringUp(ctx context.Context, root, stack string) (export []byte, err error) {
	root, err = filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	l, stop, err := testenv.New(ctx, root)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	dir, err := testenv.Init(ctx, l, stack)
	if err != nil {
		return nil, err
	}
	if _, err := testenv.Output(ctx, l, dir, "pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", stack); err != nil {
		return nil, err
	}
	return testenv.Output(ctx, l, dir, "pulumi", "stack", "export", "--stack", stack)
}

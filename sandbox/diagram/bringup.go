package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/progressive-framework/platform/sandbox/test/world"
)

// bringUp makes the stack of the project in root from nothing, in a sandbox of
// simulated nodes that ends with it, and returns its `pulumi stack export`.
func bringUp(ctx context.Context, root, stack string) (export []byte, err error) {
	root, err = filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	h, stop, err := world.New(ctx, root)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	dir, err := world.Init(ctx, h, stack)
	if err != nil {
		return nil, err
	}
	if _, err := world.Output(ctx, h, dir, "pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", stack); err != nil {
		return nil, err
	}
	return world.Output(ctx, h, dir, "pulumi", "stack", "export", "--stack", stack)
}

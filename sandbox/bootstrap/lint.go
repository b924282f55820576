package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/progressive-framework/platform/sandbox/progress"
)

// lint runs golangci-lint over the modules, built from the version that
// tools/go.mod pins.
func lint(ctx context.Context, w where, log *progress.Log, out io.Writer) error {
	linter := executable{
		name: "golangci-lint", log: "golangci-lint", dir: "tools",
		pkg: "github.com/golangci/golangci-lint/v2/cmd/golangci-lint", out: filepath.Join(w.bin(), "golangci-lint"),
		flags: []string{"-buildvcs=false", "-ldflags", "-s -w"}, stamp: true,
	}
	log.Expect(1 + len(modules))
	if err := prepareFolders(w); err != nil {
		return err
	}
	if err := linter.run(ctx, w, log); err != nil {
		return err
	}
	var errs []error
	for _, m := range modules {
		err := log.Step("linting "+m.name, func(func(string)) error {
			cmd := w.command(ctx, m.dir, linter.out,
				"run", "--config", filepath.Join(w.project, ".golangci.yml"), "./...")
			cmd.Stdout, cmd.Stderr = out, out
			return cmd.Run()
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("lint of %s: %w", m.name, err))
		}
	}
	return errors.Join(errs...)
}

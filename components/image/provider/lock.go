package provider

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// lock keeps every other build of the import path off ko's cached binary of
// it: those of this process, and those of another pulumi in the same folder.
func lock(ctx context.Context, importPath string) (unlock func(), err error) {
	dir := os.Getenv("KOCACHE")
	if dir == "" {
		return nil, errors.New("the process is not isolated: Isolate must be called before the first build")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cache of built binaries: %w", err)
	}
	mutex := lockedfile.MutexAt(filepath.Join(dir, strings.ReplaceAll(importPath, "/", "_")+".lock"))
	type result struct {
		unlock func()
		err    error
	}
	got := make(chan result, 1)
	go func() { // the file lock knows no context
		u, err := mutex.Lock()
		got <- result{u, err}
	}()
	select {
	case r := <-got:
		if r.err != nil {
			return nil, fmt.Errorf("lock of %s: %w", importPath, r.err)
		}
		return r.unlock, nil
	case <-ctx.Done():
		go func() {
			if r := <-got; r.err == nil {
				r.unlock()
			}
		}()
		return nil, fmt.Errorf("waiting for another build of %s: %w", importPath, context.Cause(ctx))
	}
}

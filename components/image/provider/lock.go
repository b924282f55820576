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

// lock prevents concurrent builds of one import path, because they would write the same
// cached binary. It locks against other builds of this process, and against other Pulumi
// processes in the same folder.
func lock(ctx context.Context, importPath string) (unlock func(), err error) {
	dir := os.Getenv("KOCACHE")
	if dir == "" {
		return nil, errors.New("KOCACHE is not set: Isolate must be called before the first build")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cache of built binaries: %w", err)
	}
	mutex := lockedfile.MutexAt(filepath.Join(dir, strings.ReplaceAll(importPath, "/", "_")+".lock"))
	type result struct {
		unlock func()
		err    error
	}
	results := make(chan result, 1)
	go func() { // a file lock accepts no context
		u, err := mutex.Lock()
		results <- result{u, err}
	}()
	select {
	case r := <-results:
		if r.err != nil {
			return nil, fmt.Errorf("lock of %s: %w", importPath, r.err)
		}
		return r.unlock, nil
	case <-ctx.Done():
		go func() {
			if r := <-results; r.err == nil {
				r.unlock()
			}
		}()
		return nil, fmt.Errorf("waiting for another build of %s: %w", importPath, context.Cause(ctx))
	}
}

package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// lock keeps two commands from starting and stopping one sandbox at a time. The
// kernel gives the lock back when its holder dies.
func lock(ctx context.Context, h *home.Home, log *progress.Log) (unlock func(), err error) {
	if err := os.MkdirAll(h.Run(), 0o700); err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	path := filepath.Join(h.Run(), "cluster.lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for said := false; ; said = true {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if !said {
			log.Say("another command starts or stops this sandbox; waiting for it")
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("another command starts or stops this sandbox (it holds %s): %w", path, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

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
	path := lockFile(h)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for said := false; ; said = true {
		err := tryLock(f)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, errLocked) {
			f.Close()
			return nil, err
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

func lockFile(h *home.Home) string { return filepath.Join(h.Run(), "cluster.lock") }

// errLocked is what tryLock returns while another command holds the lock.
var errLocked = errors.New("another command holds it")

// tryLock locks f until it is closed, and does not wait.
func tryLock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errLocked
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return nil
}

// Package lock keeps two commands from working on one sandbox at the same
// time. It owns one file; it imports the standard library alone, because the
// bootstrap uses it before anything else is built.
package lock

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Name is the file's name inside the sandbox's folder.
const Name = "lock"

// HeldError is returned if another command holds the lock.
type HeldError struct {
	// Dir is the sandbox's folder.
	Dir string
	// Holder is the text in the lock file, "make up (pid 123)"; empty if the
	// holder has not written it yet.
	Holder string
}

func (e *HeldError) Error() string {
	holder := e.Holder
	if holder == "" {
		holder = "another command"
	}
	return fmt.Sprintf("%s works on the sandbox in %s: wait until it ends, or stop it, and try again", holder, e.Dir)
}

// Take takes the lock of the sandbox in dir for the command called what and
// returns the function that releases it. The kernel releases it when the process
// dies, so a killed command never blocks the next one. If another process holds
// the lock, the error is a *HeldError.
func Take(dir, what string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("sandbox folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, Name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock of the sandbox: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, _ := io.ReadAll(io.LimitReader(f, 256))
		_ = f.Close()
		return nil, &HeldError{Dir: dir, Holder: strings.TrimSpace(string(holder))}
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	// The text is only for HeldError's message: the lock holds without it.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt(fmt.Appendf(nil, "%s (pid %d)\n", what, os.Getpid()), 0)
	}
	return func() {
		_ = f.Truncate(0)
		_ = f.Close()
	}, nil
}

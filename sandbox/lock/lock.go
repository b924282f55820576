// Package lock prevents two commands from changing one sandbox at the same time. It owns the lock
// file. The package imports only the standard library, because the bootstrap uses the package
// before anything else is built.
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
	// Holder is the text in the lock file, such as "make up (pid 123)". It is empty if the
	// holder has not written the text yet.
	Holder string
}

func (e *HeldError) Error() string {
	holder := e.Holder
	if holder == "" {
		holder = "another command"
	}
	return fmt.Sprintf("%s works on the sandbox in %s: wait until it ends, or stop it, and try again", holder, e.Dir)
}

// Take takes the lock of the sandbox in dir and returns the function that releases it. If
// another process holds the lock, the error is a *HeldError. command is the name of the
// caller's command; the HeldError of another process shows it. The kernel releases the
// lock when the process dies, so a killed command does not block the next one.
func Take(dir, command string) (release func(), err error) {
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
	// The text is only for the message of a HeldError. The lock works without it, so an
	// error is ignored.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt(fmt.Appendf(nil, "%s (pid %d)\n", command, os.Getpid()), 0)
	}
	return func() {
		_ = f.Truncate(0)
		_ = f.Close()
	}, nil
}

// Package process starts, finds and stops the detached processes of a sandbox.
//
// A process outlives the command that started it: it has a session of its own,
// appends its output to NAME.log, and is found again through a record NAME.json.
// The record holds the process id together with the boot and the clock tick at
// which the process started, so that an id that was given to another process
// since is never signalled.
//
// The package knows nothing of what the processes do; who needs which process,
// in which order, is the business of package cluster.
package process

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/progressive-framework/platform/sandbox/home"
)

// Spec describes a process that should run.
type Spec struct {
	// Name is the process's name in the sandbox: its log and record carry it.
	Name string
	// Path is the executable.
	Path string
	// Args are its arguments, without the executable's own name.
	Args []string
	// Env is its environment as NAME=VALUE, beside those few variables that are
	// inherited (see inherited).
	Env []string
	// Inputs are files that the process reads once, when it starts. Where one of
	// them changes, the process has to be started again.
	Inputs []string
	// Derived is what the process works out for itself from the sandbox's
	// settings; it is not passed on, but a change calls for a new start as well.
	Derived []string
	// Ports are what it listens on, on 127.0.0.1. They must be free when it
	// starts.
	Ports []home.NamedPort
	// Grace is how long it may take to end by itself where it has to be started
	// anew.
	Grace time.Duration
}

// inherited are the variables that a process takes over from the one that
// starts it. It is a short list: a detached process must not depend on the
// shell of whoever started it first, and must not see their credentials.
var inherited = []string{"PATH", "HOME", "TMPDIR", "LANG"}

// Outcome says what Start did.
type Outcome string

// The outcomes of Start.
const (
	Running  Outcome = "running already"
	Started  Outcome = "was not running"
	Changed  Outcome = "its arguments or configuration changed"
	Replaced Outcome = "its executable was replaced"
)

// Start makes sure that a process runs as s describes. One that runs already is
// left alone; one that runs with other arguments, other inputs or from an
// executable that was replaced since is stopped and started anew.
//
// Start returns as soon as the process exists; whether it works is for Await to
// say.
func Start(ctx context.Context, h *home.Home, s Spec) (Outcome, error) {
	want, err := s.digest()
	if err != nil {
		return "", fmt.Errorf("start %s: %w", s.Name, err)
	}
	outcome := Started
	if r, ok := Find(h, s.Name); ok {
		switch {
		case r.Digest != want:
			outcome = Changed
		case !runs(r.PID, s.Path):
			outcome = Replaced
		default:
			return Running, nil
		}
		if err := Stop(ctx, h, s.Name, s.Grace); err != nil {
			return "", fmt.Errorf("start %s anew because %s: %w", s.Name, outcome, err)
		}
	}
	if err := CheckPorts(s.Ports); err != nil {
		return "", fmt.Errorf("start %s: %w", s.Name, err)
	}
	r, err := launch(h, s)
	if err != nil {
		return "", fmt.Errorf("start %s: %w", s.Name, err)
	}
	r.Digest = want
	if err := r.save(h); err != nil {
		// A process without a record would never be found again.
		_ = syscall.Kill(r.PID, syscall.SIGKILL)
		return "", fmt.Errorf("start %s: %w", s.Name, err)
	}
	return outcome, nil
}

func launch(h *home.Home, s Spec) (Record, error) {
	out, err := openLog(h, s.Name)
	if err != nil {
		return Record{}, err
	}
	defer out.Close()
	cmd := exec.Command(s.Path, s.Args...)
	cmd.Dir = "/"
	cmd.Env = environ(s.Env)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return Record{}, err
	}
	// Reaped here so that a process that dies early is seen as dead, not as a
	// zombie, for as long as this command lives.
	go func() { _ = cmd.Wait() }()
	return identify(s, cmd.Process.Pid)
}

func environ(own []string) []string {
	env := make([]string, 0, len(inherited)+len(own))
	for _, name := range inherited {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return append(env, own...)
}

// digest tells two specs apart. Every part is length-prefixed, so that no two
// lists of parts read the same.
func (s Spec) digest() (string, error) {
	sum := sha256.New()
	part := func(text string) { fmt.Fprintf(sum, "%d:%s", len(text), text) }
	part(s.Path)
	for _, list := range [][]string{s.Args, s.Env, s.Inputs, s.Derived} {
		fmt.Fprintf(sum, "[%d]", len(list))
		for _, text := range list {
			part(text)
		}
	}
	for _, name := range s.Inputs {
		raw, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		part(string(raw))
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// runs tells whether a process runs the file that now lies at path. A process
// whose executable cannot be looked at is taken to run it.
func runs(pid int, path string) bool {
	now, err := os.Stat(path)
	if err != nil {
		return true
	}
	// The link leads to the file itself, even where that was deleted since.
	then, err := os.Stat(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return true
	}
	return os.SameFile(now, then)
}

// Stop ends a process: it asks with SIGTERM, waits up to the grace, and then
// kills. A process that does not run, or whose id is now another's, counts as
// stopped. The record is removed, the log kept.
func Stop(ctx context.Context, h *home.Home, name string, grace time.Duration) error {
	r, err := load(h, name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err == nil:
		if err := r.Stop(ctx, grace); err != nil {
			return err
		}
	}
	// A record that cannot be read names no process; it is of no further use.
	if err := os.Remove(recordPath(h, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("stop %s: %w", name, err)
	}
	return nil
}

// logLimit is the size in bytes beyond which a log is set aside when its
// process starts again; one older log is kept.
const logLimit = 16 << 20

// LogPath is the file that the output of a process is appended to.
func LogPath(h *home.Home, name string) string { return filepath.Join(h.Logs(), name+".log") }

func openLog(h *home.Home, name string) (*os.File, error) {
	path := LogPath(h, name)
	if err := os.MkdirAll(h.Logs(), 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err == nil && info.Size() > logLimit {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	// The mark tells one run from the next, and what LogTail looks back to.
	if _, err := io.WriteString(f, startMark(time.Now())); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

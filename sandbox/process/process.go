// Package process starts, finds and stops the detached processes of a sandbox.
//
// A process outlives the command that started it: it has its own session and appends its
// output to NAME.log. A record NAME.json identifies the process. It has the process id,
// the id of the boot, and the clock tick at which the process started. So a signal never
// reaches a later process with the same process id.
//
// The package is the same for all processes. Package localcluster decides which
// processes run and in which order.
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
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// Spec describes a process that should run.
type Spec struct {
	// Name identifies the process in the sandbox. Its log and its record have this name.
	Name string
	// Path is the executable.
	Path string
	// Args are the arguments of the process, without the executable's own name.
	Args []string
	// Env is the environment of the process as NAME=VALUE, in addition to the variables
	// in inheritedVariables.
	Env []string
	// Inputs are files that the process reads only when it starts. If one of them
	// changes, the process is restarted.
	Inputs []string
	// Derived are values that the process computes itself from the sandbox's
	// settings. They are not passed to the process. If one changes, the process is
	// restarted.
	Derived []string
	// Ports are the ports of 127.0.0.1 that the process listens on. They must be
	// free when it starts.
	Ports []layout.NamedPort
	// Grace is how long the process may take to end after the SIGTERM of a restart.
	Grace time.Duration
}

// inheritedVariables are the variables that a process inherits from the command that
// starts it. The list is short: a detached process must not depend on the user's
// shell, and must not see the user's credentials.
var inheritedVariables = []string{"PATH", "HOME", "TMPDIR", "LANG"}

// umask is the umask of every process, 022 as in Debian. The umask of the user's shell
// must not apply. With 077 only root may enter the root folder that containerd creates for
// a container, and only root may read the container's resolv.conf.
const umask = 0o022

// umaskMu protects the umask of this process: startWithUmask changes it for a moment.
var umaskMu sync.Mutex

// startWithUmask starts a command with umask. A child inherits the umask of its parent, so
// the umask of this process changes for the time of the start.
func startWithUmask(cmd *exec.Cmd) error {
	umaskMu.Lock()
	defer umaskMu.Unlock()
	oldUmask := syscall.Umask(umask)
	defer syscall.Umask(oldUmask)
	return cmd.Start()
}

// closeFilesAtExec makes every child start without the open files of this process, except
// standard input and outputs. This process may have inherited files from the user's shell.
// With such a file, `flock FILE make up` would hold the lock on FILE until `make down`.
func closeFilesAtExec() error {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, file := range files {
		if descriptor, err := strconv.Atoi(file.Name()); err == nil && descriptor > 2 {
			syscall.CloseOnExec(descriptor)
		}
	}
	return nil
}

// Outcome is the result of Start: the reason why Start started a process, or Running.
type Outcome string

// The outcomes of Start.
const (
	Running  Outcome = "running already"
	Started  Outcome = "was not running"
	Changed  Outcome = "its arguments or configuration changed"
	Replaced Outcome = "its executable was replaced"
)

// Start makes sure that a process runs as s describes. If such a process already runs, Start does
// nothing. If the arguments, the inputs or the executable of the process have changed, Start restarts
// the process.
//
// Start returns as soon as the process exists. Await waits until it is healthy.
func Start(ctx context.Context, l *layout.Layout, s Spec) (Outcome, error) {
	digest, err := s.digest()
	if err != nil {
		return "", fmt.Errorf("start %s: %w", s.Name, err)
	}
	outcome := Started
	if r, ok := Find(l, s.Name); ok {
		switch {
		case r.Digest != digest:
			outcome = Changed
		case !runsFile(r.PID, s.Path):
			outcome = Replaced
		default:
			return Running, nil
		}
		if err := Stop(ctx, l, s.Name, s.Grace); err != nil {
			return "", fmt.Errorf("restart %s because %s: %w", s.Name, outcome, err)
		}
	}
	if err := CheckPorts(s.Ports); err != nil {
		return "", fmt.Errorf("start %s: %w", s.Name, err)
	}
	r, err := launch(l, s)
	if err != nil {
		return "", fmt.Errorf("start %s: %w", s.Name, err)
	}
	r.Digest = digest
	if err := r.save(l); err != nil {
		// A process without a record would never be found again.
		_ = syscall.Kill(r.PID, syscall.SIGKILL)
		return "", fmt.Errorf("start %s: %w", s.Name, err)
	}
	return outcome, nil
}

// launch starts a detached process that writes its output to its log. The returned record
// has no digest yet.
func launch(l *layout.Layout, s Spec) (Record, error) {
	logFile, err := openLog(l, s.Name)
	if err != nil {
		return Record{}, err
	}
	defer logFile.Close()
	cmd := exec.Command(s.Path, s.Args...)
	cmd.Dir = "/"
	cmd.Env = childEnviron(s.Env)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := closeFilesAtExec(); err != nil {
		return Record{}, err
	}
	if err := startWithUmask(cmd); err != nil {
		return Record{}, err
	}
	// Without Wait, a process that ends before this command would stay a zombie.
	go func() { _ = cmd.Wait() }()
	return newRecord(s, cmd.Process.Pid)
}

// childEnviron returns the inherited variables and the variables of a Spec.
func childEnviron(specEnv []string) []string {
	env := make([]string, 0, len(inheritedVariables)+len(specEnv))
	for _, name := range inheritedVariables {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return append(env, specEnv...)
}

// digest returns a hash of the spec and of the content of its inputs. Every text is hashed
// with its length, so that different lists give different digests.
func (s Spec) digest() (string, error) {
	sum := sha256.New()
	add := func(text string) { fmt.Fprintf(sum, "%d:%s", len(text), text) }
	add(s.Path)
	for _, list := range [][]string{s.Args, s.Env, s.Inputs, s.Derived} {
		fmt.Fprintf(sum, "[%d]", len(list))
		for _, text := range list {
			add(text)
		}
	}
	for _, name := range s.Inputs {
		raw, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		add(string(raw))
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// runsFile reports whether a process runs the file that is now at path. It returns true
// if that is unknown, because the file or the process can't be read.
func runsFile(pid int, path string) bool {
	current, err := os.Stat(path)
	if err != nil {
		return true
	}
	// This link points to the file that was started, even if that file was deleted.
	started, err := os.Stat(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return true
	}
	return os.SameFile(current, started)
}

// Stop ends a process: it sends SIGTERM, waits up to grace, and then sends SIGKILL. If the
// process does not run, or if its id now belongs to another process, Stop sends no
// signal. Stop removes the record and keeps the log.
func Stop(ctx context.Context, l *layout.Layout, name string, grace time.Duration) error {
	r, err := loadRecord(l, name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err == nil:
		if err := r.Stop(ctx, grace); err != nil {
			return err
		}
	}
	// If the record can't be read, it identifies no process. Then it is only removed.
	if err := os.Remove(recordPath(l, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("stop %s: %w", name, err)
	}
	return nil
}

// logLimit is the size in bytes above which a log is renamed to NAME.log.1 when
// its process starts again.
const logLimit = 16 << 20

// LogPath returns the file to which the output of a process is appended.
func LogPath(l *layout.Layout, name string) string { return filepath.Join(l.Logs(), name+".log") }

// openLog opens a log for a new run and writes the first line of the run. A log that is
// larger than logLimit is renamed first.
func openLog(l *layout.Layout, name string) (*os.File, error) {
	path := LogPath(l, name)
	if err := os.MkdirAll(l.Logs(), 0o700); err != nil {
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
	// LogTail looks for this line to find the latest run.
	if _, err := io.WriteString(f, startLine(time.Now())); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

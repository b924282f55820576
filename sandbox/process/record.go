package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// Record identifies one run of a process. Boot and Ticks distinguish it from any
// other process with the same id, earlier or later.
type Record struct {
	Name string `json:"name"`
	PID  int    `json:"pid"`
	// Ticks is the start time in clock ticks since the boot: field 22 of
	// /proc/PID/stat (proc(5)).
	Ticks uint64 `json:"ticks"`
	// Boot is the kernel's id of the boot that Ticks counts from.
	Boot    string    `json:"boot"`
	Path    string    `json:"path"`
	Args    []string  `json:"args"`
	Started time.Time `json:"started"`
	// Digest is the digest of the Spec with which the process was started.
	Digest string `json:"digest"`
}

// recordPath returns the file of the record of a process.
func recordPath(l *layout.Layout, name string) string { return filepath.Join(l.Run(), name+".json") }

// Find returns the record of a process. alive is false, and the record is empty, if the process
// is not alive.
func Find(l *layout.Layout, name string) (record Record, alive bool) {
	r, err := loadRecord(l, name)
	if err != nil || !r.Alive() {
		return Record{}, false
	}
	return r, true
}

// Alive reports whether the process called name runs.
func Alive(l *layout.Layout, name string) bool {
	_, ok := Find(l, name)
	return ok
}

// HasRecord reports whether Start has started a process that Stop has not stopped. The
// process may have ended by itself.
func HasRecord(l *layout.Layout, name string) bool {
	_, err := os.Stat(recordPath(l, name))
	return err == nil
}

// loadRecord reads the record of a process, which may have ended.
func loadRecord(l *layout.Layout, name string) (Record, error) {
	var r Record
	raw, err := os.ReadFile(recordPath(l, name))
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, fmt.Errorf("record of %s: %w", name, err)
	}
	return r, nil
}

// save writes the record to the sandbox's folder.
func (r Record) save(l *layout.Layout) error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(l.Run(), 0o700); err != nil {
		return err
	}
	// The rename makes sure that a record is complete or absent.
	path := recordPath(l, r.Name)
	if err := os.WriteFile(path+".new", append(raw, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// newRecord returns the record of a process that was just started from s.
func newRecord(s Spec, pid int) (Record, error) {
	r := Record{Name: s.Name, PID: pid, Path: s.Path, Args: s.Args, Started: time.Now()}
	var err error
	if r.Boot, err = bootID(); err != nil {
		return r, err
	}
	procStat, err := readStat(pid)
	if errors.Is(err, os.ErrNotExist) {
		// The process has ended already, and Await will return the reason. Zero ticks mean
		// this case, because no process starts at tick zero.
		return r, nil
	}
	r.Ticks = procStat.ticks
	return r, err
}

// Alive reports whether the process of this record still runs. A zombie does not
// run.
func (r Record) Alive() bool {
	if r.PID <= 1 || r.Ticks == 0 {
		return false
	}
	boot, err := bootID()
	if err != nil || boot != r.Boot {
		return false
	}
	procStat, err := readStat(r.PID)
	return err == nil && procStat.ticks == r.Ticks && !procStat.isDead()
}

// pollInterval is the pause between two checks: in Stop, whether a process has ended, and in
// CheckPorts, whether the ports are free.
const pollInterval = 20 * time.Millisecond

// killTimeout is how long the kernel may take to end a process after a SIGKILL. This normally
// takes milliseconds. A process in an uninterruptible system call takes longer.
const killTimeout = 10 * time.Second

// Stop ends the process of this record with SIGTERM and, after grace, with SIGKILL. It
// never sends a signal to another process.
func (r Record) Stop(ctx context.Context, grace time.Duration) error {
	// FindProcess opens a handle (pidfd). A signal goes to the process of the handle, even if
	// another process gets the same id later. Alive is called after FindProcess, so Alive
	// checks the process of the handle.
	handle, err := os.FindProcess(r.PID)
	if err != nil || !r.Alive() {
		return nil
	}
	defer func() { _ = handle.Release() }() // Release fails only for a handle that is already released
	for _, step := range []struct {
		signal os.Signal
		wait   time.Duration
	}{{syscall.SIGTERM, grace}, {syscall.SIGKILL, killTimeout}} {
		if err := handle.Signal(step.signal); err != nil {
			if errors.Is(err, os.ErrProcessDone) || !r.Alive() {
				return nil
			}
			return fmt.Errorf("stop %s: %v to process %d: %w", r.Name, step.signal, r.PID, err)
		}
		if r.awaitEnd(ctx, step.wait) {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("stop %s: process %d was sent %v and still runs: %w", r.Name, r.PID, step.signal, context.Cause(ctx))
		}
	}
	return fmt.Errorf("stop %s: process %d still runs %s after SIGKILL: see in /proc/%d/stack what it waits for",
		r.Name, r.PID, killTimeout, r.PID)
}

// awaitEnd waits until the process ends. It waits at most the duration wait, and stops when ctx
// ends. It reports whether the process has ended.
func (r Record) awaitEnd(ctx context.Context, wait time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for r.Alive() {
		select {
		case <-ctx.Done():
			return !r.Alive()
		case <-tick.C:
		}
	}
	return true
}

// bootID returns the kernel's id of the current boot.
func bootID() (string, error) {
	raw, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(raw)), err
}

// stat has the fields of /proc/PID/stat that are needed (proc(5)).
type stat struct {
	state   byte // 'Z' is a zombie, 'X' a dead process
	threads int
	ticks   uint64 // start time in clock ticks since the boot
}

// isDead reports whether the process has ended and only its entry in the process table is
// left. The kernel also shows a zombie if the first thread has ended and other threads
// run. Such a process is not dead, because it still holds its ports.
func (s stat) isDead() bool { return s.state == 'X' || s.state == 'Z' && s.threads <= 1 }

// readStat reads /proc/PID/stat. If there is no such process, the error is
// os.ErrNotExist.
func readStat(pid int) (stat, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		if errors.Is(err, syscall.ESRCH) {
			return stat{}, os.ErrNotExist
		}
		return stat{}, err
	}
	return parseStat(raw)
}

// parseStat reads the state, the number of threads and the start time, which are the
// fields 3, 20 and 22. Field 2 is the command's name in brackets. The name may contain
// spaces and brackets, so parseStat splits only the text after the last bracket. There
// the index of field 3 is 0.
func parseStat(raw []byte) (stat, error) {
	endOfName := bytes.LastIndexByte(raw, ')')
	fields := strings.Fields(string(raw[endOfName+1:]))
	if endOfName < 0 || len(fields) < 20 || len(fields[0]) != 1 {
		return stat{}, fmt.Errorf("unknown format of /proc/PID/stat: %q", raw)
	}
	ticks, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return stat{}, fmt.Errorf("start time in /proc/PID/stat: %w", err)
	}
	threads, err := strconv.Atoi(fields[17])
	if err != nil {
		return stat{}, fmt.Errorf("number of threads in /proc/PID/stat: %w", err)
	}
	return stat{state: fields[0][0], threads: threads, ticks: ticks}, nil
}

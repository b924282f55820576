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

	"github.com/progressive-framework/platform/sandbox/home"
)

// Record identifies one run of a process. Boot and Ticks tell it from any other
// process that has, or will have, the same id.
type Record struct {
	Name string `json:"name"`
	PID  int    `json:"pid"`
	// Ticks is when the process started, in clock ticks since the boot: field 22
	// of /proc/PID/stat (proc(5)).
	Ticks uint64 `json:"ticks"`
	// Boot is the kernel's id of the boot that Ticks counts from.
	Boot    string    `json:"boot"`
	Path    string    `json:"path"`
	Args    []string  `json:"args"`
	Started time.Time `json:"started"`
	// Digest stands for everything the process was started with.
	Digest string `json:"digest"`
}

func recordPath(h *home.Home, name string) string { return filepath.Join(h.Run(), name+".json") }

// Find returns the record of a process that is alive.
func Find(h *home.Home, name string) (Record, bool) {
	r, err := load(h, name)
	if err != nil || !r.Alive() {
		return Record{}, false
	}
	return r, true
}

// Alive tells whether the process of that name runs.
func Alive(h *home.Home, name string) bool {
	_, ok := Find(h, name)
	return ok
}

// Recorded tells whether a process was started and not stopped by Stop since;
// it may have ended otherwise.
func Recorded(h *home.Home, name string) bool {
	_, err := os.Stat(recordPath(h, name))
	return err == nil
}

func load(h *home.Home, name string) (Record, error) {
	var r Record
	raw, err := os.ReadFile(recordPath(h, name))
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, fmt.Errorf("record of %s: %w", name, err)
	}
	return r, nil
}

func (r Record) save(h *home.Home) error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(h.Run(), 0o700); err != nil {
		return err
	}
	// Written aside and renamed: a record is whole or absent.
	path := recordPath(h, r.Name)
	if err := os.WriteFile(path+".new", append(raw, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func identify(s Spec, pid int) (Record, error) {
	r := Record{Name: s.Name, PID: pid, Path: s.Path, Args: s.Args, Started: time.Now()}
	var err error
	if r.Boot, err = boot(); err != nil {
		return r, err
	}
	st, err := readStat(pid)
	if errors.Is(err, os.ErrNotExist) {
		// It is gone already; Await will say why. No process has tick zero.
		return r, nil
	}
	r.Ticks = st.ticks
	return r, err
}

// Alive tells whether this very run still runs. A zombie has ended.
func (r Record) Alive() bool {
	if r.PID <= 1 || r.Ticks == 0 {
		return false
	}
	now, err := boot()
	if err != nil || now != r.Boot {
		return false
	}
	st, err := readStat(r.PID)
	return err == nil && st.ticks == r.Ticks && !st.dead()
}

// pollEvery is how often a process that is to end is looked at.
const pollEvery = 20 * time.Millisecond

// killed is how long the kernel may take to end a process after SIGKILL.
const killed = 10 * time.Second

// Stop ends this run, and nothing else: see the function Stop.
func (r Record) Stop(ctx context.Context, grace time.Duration) error {
	// The handle is opened before the identity is checked: from then on the
	// signal can reach this process only, even where it ends and its id is used
	// again in between.
	p, err := os.FindProcess(r.PID)
	if err != nil || !r.Alive() {
		return nil
	}
	defer func() { _ = p.Release() }() // it fails only where there is nothing to release
	for _, step := range []struct {
		signal os.Signal
		wait   time.Duration
	}{{syscall.SIGTERM, grace}, {syscall.SIGKILL, killed}} {
		if err := p.Signal(step.signal); err != nil {
			if errors.Is(err, os.ErrProcessDone) || !r.Alive() {
				return nil
			}
			return fmt.Errorf("stop %s: %v to process %d: %w", r.Name, step.signal, r.PID, err)
		}
		if r.gone(ctx, step.wait) {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("stop %s: process %d was sent %v and still runs: %w", r.Name, r.PID, step.signal, context.Cause(ctx))
		}
	}
	return fmt.Errorf("stop %s: process %d still runs %s after SIGKILL: look for what it waits on in /proc/%d/stack",
		r.Name, r.PID, killed, r.PID)
}

// gone waits for the end of the process; a cancelled context ends the wait.
func (r Record) gone(ctx context.Context, wait time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(pollEvery)
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

func boot() (string, error) {
	raw, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(raw)), err
}

type stat struct {
	state   byte
	threads int
	ticks   uint64
}

// dead tells whether nothing of the process is left but its entry in the table.
// A process whose first thread has ended is shown as a zombie while others
// still run; its ports are held until the last of them is gone.
func (s stat) dead() bool { return s.state == 'X' || s.state == 'Z' && s.threads <= 1 }

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

// parseStat reads the third, the twentieth and the twenty-second field. The second is the
// command's name in brackets and may itself hold spaces and brackets, so the
// fields are counted from the last bracket.
func parseStat(raw []byte) (stat, error) {
	i := bytes.LastIndexByte(raw, ')')
	fields := strings.Fields(string(raw[i+1:]))
	if i < 0 || len(fields) < 20 || len(fields[0]) != 1 {
		return stat{}, fmt.Errorf("unknown form of /proc/PID/stat: %q", raw)
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

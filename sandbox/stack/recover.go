package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// lock is the content of a lock file of Pulumi's file backend. It identifies the
// process that holds the lock.
type lock struct {
	PID       int       `json:"pid"`
	Username  string    `json:"username"`
	Hostname  string    `json:"hostname"`
	Timestamp time.Time `json:"timestamp"`
}

// readLocks reads the locks of a stack in the file backend.
func readLocks(l *layout.Layout, stack string) ([]lock, error) {
	files, err := filepath.Glob(filepath.Join(l.Backend(), ".pulumi", "locks", "organization", "*", stack, "*.json"))
	if err != nil {
		return nil, err
	}
	var locks []lock
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the lock was released in the meantime
		}
		var parsed lock
		if err == nil {
			err = json.Unmarshal(raw, &parsed)
		}
		if err != nil {
			// The process that wrote this incomplete lock was killed. holderMayRun returns false
			// for an empty lock, so Recover releases it.
			parsed = lock{}
		}
		locks = append(locks, parsed)
	}
	return locks, nil
}

// machine finds the Pulumi processes of this machine. Tests replace startTime.
type machine struct {
	hostname string
	// startTime returns the start time of the process if it runs and is a Pulumi process.
	startTime func(pid int) (started time.Time, ok bool)
}

// holderMayRun reports whether the process that took the lock may still run. A process on
// another machine can't be seen, so it counts as running. If the process with the lock's PID has
// started after the lock was taken, it is another process, and the holder does not run.
func (m machine) holderMayRun(l lock) bool {
	if l.PID == 0 {
		return false
	}
	if l.Hostname != m.hostname {
		return true
	}
	started, ok := m.startTime(l.PID)
	const tolerance = time.Second // for the precision of both times
	return ok && !started.After(l.Timestamp.Add(tolerance))
}

// lockedError is returned if another process works on the stack.
type lockedError struct {
	stack string
	lock  lock
}

func (e *lockedError) Error() string {
	return fmt.Sprintf("the stack %s is in use by process %d (%s on %s, since %s): wait until it ends; "+
		"if it no longer exists, run `pulumi cancel --stack %s` in a shell of make env",
		e.stack, e.lock.PID, e.lock.Username, e.lock.Hostname, e.lock.Timestamp.Local().Format(time.DateTime), e.stack)
}

// Recover repairs the stack's state after an interrupted update and returns the state. It
// calls printf with its messages. Recover releases the lock of a killed Pulumi and resolves
// pending operations. It also adds objects to the state that AWS has created although the
// engine received no response. Without that the next update would create them twice.
//
// If a running process holds the lock, the error names the process. If there is nothing to
// repair, the state is only read, once.
//
// The state is edited by export and import, as a user would do it. The flag
// --import-pending-creates of refresh is not enough. It only changes the type of the
// operation, and the next snapshot loses the resource (seen with Pulumi 3.259).
func (s *Stack) Recover(ctx context.Context, printf func(string, ...any)) (State, error) {
	state, err := s.recover(ctx, printf)
	return state, s.Explain(ctx, err)
}

// recover repairs and returns the stack's state. It returns errors without the explanation that
// Recover adds.
func (s *Stack) recover(ctx context.Context, printf func(string, ...any)) (State, error) {
	if err := s.releaseLocks(ctx, printf); err != nil {
		return State{}, err
	}
	orphans, err := s.findOrphans(ctx)
	if err != nil {
		return State{}, err
	}
	raw, state, err := s.export(ctx)
	if err != nil {
		return State{}, err
	}
	if len(state.Operations) > 0 {
		edit, err := newStateEdit(raw, orphans)
		if err != nil {
			return State{}, err
		}
		edit.resolvePending(state.Operations)
		if err := s.replaceState(ctx, edit, printf); err != nil {
			return State{}, err
		}
		orphans = edit.orphans
		if raw, state, err = s.export(ctx); err != nil {
			return State{}, err
		}
	}
	if len(orphans) == 0 {
		return state, nil
	}
	// The remaining orphans belong to no pending operation. If a preview would create a
	// resource with the same inputs as an orphan, the orphan is that resource.
	preview, err := s.withoutPolicies().query(ctx, "preview", "--json")
	if err != nil {
		return State{}, err
	}
	creations, err := parseCreations(preview)
	if err != nil {
		return State{}, err
	}
	edit, err := newStateEdit(raw, orphans)
	if err != nil {
		return State{}, err
	}
	for _, c := range creations {
		edit.adopt(c)
	}
	if len(edit.report) == 0 {
		return state, nil
	}
	if err := s.replaceState(ctx, edit, printf); err != nil {
		return State{}, err
	}
	return s.Export(ctx)
}

// releaseLocks releases the locks of Pulumi processes that were killed. If the holder of a lock
// may still run, it returns a *lockedError.
func (s *Stack) releaseLocks(ctx context.Context, printf func(string, ...any)) error {
	locks, err := readLocks(s.layout, s.name)
	if err != nil || len(locks) == 0 {
		return err
	}
	m, err := thisMachine()
	if err != nil {
		return err
	}
	for _, l := range locks {
		if m.holderMayRun(l) {
			return &lockedError{stack: s.name, lock: l}
		}
	}
	printf("an earlier pulumi on the stack %s was killed: its lock is released", s.name)
	_, err = s.query(ctx, "cancel", "--yes")
	return err
}

// replaceState imports the edited state and refreshes all resources in it.
func (s *Stack) replaceState(ctx context.Context, e *stateEdit, printf func(string, ...any)) error {
	printf("an earlier update of the stack %s was interrupted", s.name)
	for _, line := range e.report {
		printf("  %s", line)
	}
	raw, err := json.Marshal(e.export)
	if err != nil {
		return err
	}
	file := filepath.Join(s.layout.Run(), "state-"+s.name+".json")
	defer os.Remove(file)
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return err
	}
	if _, err := s.query(ctx, "stack", "import", "--file", file); err != nil {
		return err
	}
	return s.Run(ctx, "refresh", "--yes", "--skip-preview", "--stack", s.name)
}

// thisMachine returns the machine on which this process runs.
func thisMachine() (machine, error) {
	hostname, err := os.Hostname()
	if err != nil {
		return machine{}, fmt.Errorf("read the name of this machine: %w", err)
	}
	return machine{hostname: hostname, startTime: pulumiStartTime}, nil
}

// pulumiStartTime returns the start time of the Pulumi process pid. That is the
// modification time of /proc/PID. ok is false if pid is not a Pulumi process.
func pulumiStartTime(pid int) (started time.Time, ok bool) {
	info, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	if err != nil {
		return time.Time{}, false
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil || !strings.HasPrefix(strings.TrimSpace(string(raw)), "pulumi") {
		return time.Time{}, false // the id belongs to another program now
	}
	return info.ModTime(), true
}

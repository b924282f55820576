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

// holder is the content of a lock file of Pulumi's file backend.
type holder struct {
	PID       int       `json:"pid"`
	Username  string    `json:"username"`
	Hostname  string    `json:"hostname"`
	Timestamp time.Time `json:"timestamp"`
}

// locks reads the locks of a stack in the file backend.
func locks(l *layout.Layout, stack string) ([]holder, error) {
	found, err := filepath.Glob(filepath.Join(l.Backend(), ".pulumi", "locks", "organization", "*", stack, "*.json"))
	if err != nil {
		return nil, err
	}
	var all []holder
	for _, file := range found {
		raw, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // released meanwhile
		}
		var held holder
		if err == nil {
			err = json.Unmarshal(raw, &held)
		}
		if err != nil {
			// The writer of an incomplete lock was killed. Such a lock has no holder.
			held = holder{}
		}
		all = append(all, held)
	}
	return all, nil
}

// machine has the processes of this machine; tests replace it.
type machine struct {
	hostname string
	// started returns the start time of a Pulumi process; false if there is none.
	started func(pid int) (time.Time, bool)
}

// holds says whether the process that took the lock may still run. A process of
// another machine cannot be seen, so it counts as running. A process that
// started after the lock was taken has got the id of one that has ended.
func (m machine) holds(held holder) bool {
	if held.PID == 0 {
		return false
	}
	if held.Hostname != m.hostname {
		return true
	}
	began, ok := m.started(held.PID)
	return ok && !began.After(held.Timestamp.Add(time.Second))
}

// lockedError is returned if another process works on the stack.
type lockedError struct {
	stack string
	by    holder
}

func (e *lockedError) Error() string {
	return fmt.Sprintf("the stack %s is in use by process %d (%s on %s, since %s): wait until it ends; "+
		"if it no longer exists, run `pulumi cancel --stack %s` in a shell of make env",
		e.stack, e.by.PID, e.by.Username, e.by.Hostname, e.by.Timestamp.Local().Format(time.DateTime), e.stack)
}

// Recover repairs the stack's state after an interrupted update and returns the
// state. It releases the lock of a killed Pulumi and resolves pending
// operations. It adds objects that AWS created without an answer to the engine,
// so that the next update does not create them twice. If a running process holds
// the lock, the error names it. If nothing is to be repaired, the state is only
// read, once.
//
// The state is edited by export and import, as the user would do it. The flag
// --import-pending-creates of refresh is not enough: it only relabels the
// operation, and the resource is lost with the next snapshot (seen with 3.259).
func (s *Stack) Recover(ctx context.Context, say func(string, ...any)) (State, error) {
	state, err := s.recover(ctx, say)
	return state, s.Explain(ctx, err)
}

func (s *Stack) recover(ctx context.Context, say func(string, ...any)) (State, error) {
	if err := s.unlock(ctx, say); err != nil {
		return State{}, err
	}
	orphans, err := s.orphans(ctx)
	if err != nil {
		return State{}, err
	}
	raw, state, err := s.export(ctx)
	if err != nil {
		return State{}, err
	}
	if len(state.Operations) > 0 {
		e, err := newEdit(raw, orphans)
		if err != nil {
			return State{}, err
		}
		e.resolvePending(state.Operations)
		if err := s.replaceState(ctx, e, say); err != nil {
			return State{}, err
		}
		orphans = e.orphans
		if raw, state, err = s.export(ctx); err != nil {
			return State{}, err
		}
	}
	if len(orphans) == 0 {
		return state, nil
	}
	// The engine has no record of these creations. An orphan that fits a resource
	// which a preview would create is that resource.
	preview, err := s.withoutPolicies().query(ctx, "preview", "--json")
	if err != nil {
		return State{}, err
	}
	creations, err := planned(preview)
	if err != nil {
		return State{}, err
	}
	e, err := newEdit(raw, orphans)
	if err != nil {
		return State{}, err
	}
	for _, c := range creations {
		e.adopt(c)
	}
	if len(e.report) == 0 {
		return state, nil
	}
	if err := s.replaceState(ctx, e, say); err != nil {
		return State{}, err
	}
	return s.Export(ctx)
}

// unlock releases the locks of Pulumi processes that were killed.
func (s *Stack) unlock(ctx context.Context, say func(string, ...any)) error {
	all, err := locks(s.layout, s.name)
	if err != nil || len(all) == 0 {
		return err
	}
	m, err := thisMachine()
	if err != nil {
		return err
	}
	for _, held := range all {
		if m.holds(held) {
			return &lockedError{stack: s.name, by: held}
		}
	}
	say("an earlier pulumi on the stack %s was killed: its lock is released", s.name)
	_, err = s.query(ctx, "cancel", "--yes")
	return err
}

// replaceState imports the edited state and refreshes all resources in it.
func (s *Stack) replaceState(ctx context.Context, e *edit, say func(string, ...any)) error {
	say("an earlier update of the stack %s was interrupted", s.name)
	for _, line := range e.report {
		say("  %s", line)
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

func thisMachine() (machine, error) {
	hostname, err := os.Hostname()
	if err != nil {
		return machine{}, fmt.Errorf("name of this machine: %w", err)
	}
	return machine{hostname: hostname, started: started}, nil
}

// started returns the start time of a Pulumi process, which is the modification
// time of its folder in /proc.
func started(pid int) (time.Time, bool) {
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

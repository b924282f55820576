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

	"github.com/progressive-framework/platform/sandbox/home"
)

// holder is what Pulumi's file backend writes into a lock of a stack.
type holder struct {
	PID       int       `json:"pid"`
	Username  string    `json:"username"`
	Hostname  string    `json:"hostname"`
	Timestamp time.Time `json:"timestamp"`
}

// locks reads the locks of a stack in the file backend.
func locks(h *home.Home, stack string) ([]holder, error) {
	found, err := filepath.Glob(filepath.Join(h.Backend(), ".pulumi", "locks", "organization", "*", stack, "*.json"))
	if err != nil {
		return nil, err
	}
	var all []holder
	for _, file := range found {
		raw, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // given back meanwhile
		}
		var l holder
		if err == nil {
			err = json.Unmarshal(raw, &l)
		}
		if err != nil {
			// A lock that was cut short by a kill names nobody: its writer is gone.
			l = holder{}
		}
		all = append(all, l)
	}
	return all, nil
}

// machine is what is known of the processes here; tests play another.
type machine struct {
	hostname string
	// started tells when a process began; false where there is none.
	started func(pid int) (time.Time, bool)
}

// holds says whether the process that took the lock can still be at work. A
// process of another machine cannot be seen, and so counts as alive; one that
// began after the lock was taken got the process id of one that has gone.
func (m machine) holds(l holder) bool {
	if l.PID == 0 {
		return false
	}
	if l.Hostname != m.hostname {
		return true
	}
	began, ok := m.started(l.PID)
	return ok && !began.After(l.Timestamp.Add(time.Second))
}

// lockedError says who is at work on a stack.
type lockedError struct {
	stack string
	by    holder
}

func (e *lockedError) Error() string {
	return fmt.Sprintf("the stack %s is in use by process %d (%s on %s, since %s): wait until it ends; "+
		"if it is gone for good, run `pulumi cancel --stack %s` in a shell of make env",
		e.stack, e.by.PID, e.by.Username, e.by.Hostname, e.by.Timestamp.Local().Format(time.DateTime), e.stack)
}

// Recover brings the stack into order after an update that was cut short: it
// gives back the lock of a Pulumi that was killed, settles what was under way,
// and takes into the state what AWS created without the engine hearing of it,
// so that the next update creates nothing twice. A lock that a living process
// holds is an error that names it. Where nothing is out of order it only looks.
//
// The state is edited as a person would edit it, by export and import: the
// flag --import-pending-creates of refresh only relabels the operation, and
// the resource is lost with the next snapshot (seen with 3.259).
func (s *Stack) Recover(ctx context.Context, say func(string, ...any)) error {
	return s.Explain(ctx, s.recover(ctx, say))
}

func (s *Stack) recover(ctx context.Context, say func(string, ...any)) error {
	if err := s.unlock(ctx, say); err != nil {
		return err
	}
	orphans, err := s.orphans(ctx)
	if err != nil {
		return err
	}
	raw, err := s.query(ctx, "stack", "export")
	if err != nil {
		return err
	}
	state, err := parseExport(raw)
	if err != nil {
		return err
	}
	if len(state.Operations) > 0 {
		e, err := newEdit(raw, orphans)
		if err != nil {
			return err
		}
		e.settle(state.Operations)
		if err := s.replaceState(ctx, e, say); err != nil {
			return err
		}
		orphans = e.orphans
	}
	if len(orphans) == 0 {
		return nil
	}
	// The engine has forgotten these creations altogether; a preview tells what
	// it would create, and an orphan that fits one of those is it.
	preview, err := s.query(ctx, "preview", "--json")
	if err != nil {
		return err
	}
	creations, err := planned(preview)
	if err != nil {
		return err
	}
	if raw, err = s.query(ctx, "stack", "export"); err != nil {
		return err
	}
	e, err := newEdit(raw, orphans)
	if err != nil {
		return err
	}
	for _, c := range creations {
		e.adopt(c)
	}
	if len(e.report) == 0 {
		return nil
	}
	return s.replaceState(ctx, e, say)
}

// unlock removes the locks that a killed Pulumi left.
func (s *Stack) unlock(ctx context.Context, say func(string, ...any)) error {
	all, err := locks(s.home, s.name)
	if err != nil || len(all) == 0 {
		return err
	}
	m, err := thisMachine()
	if err != nil {
		return err
	}
	for _, l := range all {
		if m.holds(l) {
			return &lockedError{stack: s.name, by: l}
		}
	}
	say("an earlier pulumi on the stack %s was killed: giving back its lock", s.name)
	_, err = s.query(ctx, "cancel", "--yes")
	return err
}

// replaceState gives the stack the edited state and reads everything in it anew.
func (s *Stack) replaceState(ctx context.Context, e *edit, say func(string, ...any)) error {
	say("an earlier update of the stack %s was cut short", s.name)
	for _, line := range e.report {
		say("  %s", line)
	}
	raw, err := json.Marshal(e.whole)
	if err != nil {
		return err
	}
	file := filepath.Join(s.home.Run(), "state-"+s.name+".json")
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

// started reads when a process began from the time of its folder in /proc.
func started(pid int) (time.Time, bool) {
	info, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	if err != nil {
		return time.Time{}, false
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil || !strings.HasPrefix(strings.TrimSpace(string(raw)), "pulumi") {
		return time.Time{}, false // another program has the id now
	}
	return info.ModTime(), true
}

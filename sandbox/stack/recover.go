package stack

import (
	"bytes"
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
// and takes in what AWS made without the engine hearing of it. A lock that a
// living process holds is an error that names it. Where nothing is out of
// order it only looks.
func (s *Stack) Recover(ctx context.Context, say func(string, ...any)) error {
	if err := s.unlock(ctx, say); err != nil {
		return s.Explain(ctx, err)
	}
	if err := s.repair(ctx, s.find, say); err != nil {
		return s.Explain(ctx, err)
	}
	return s.Explain(ctx, s.adopt(ctx, say))
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

// finder looks for a thing that was made for a resource whose creation was cut
// short; taken are the ids that the state knows for the same type.
type finder func(ctx context.Context, r Resource, taken map[string]bool) (id string, found bool, err error)

// repair settles the operations that were under way when a pulumi was killed.
// Pulumi does not know whether they took effect; the sandbox can look. What
// was made is taken into the state, what was not is forgotten and made by the
// next update; a refresh reads everything anew. So nothing is made twice.
//
// The state is edited as a person would edit it, by export and import: the
// flag --import-pending-creates of refresh only relabels the operation, and
// the resource is lost with the next snapshot (seen with 3.259).
func (s *Stack) repair(ctx context.Context, find finder, say func(string, ...any)) error {
	raw, err := s.query(ctx, "stack", "export")
	if err != nil {
		return err
	}
	settled, report, err := settle(ctx, raw, find)
	if err != nil {
		return fmt.Errorf("recover the stack %s from an update that was cut short: %w", s.name, err)
	}
	if settled == nil {
		return nil
	}
	say("an earlier update of the stack %s was cut short", s.name)
	for _, line := range report {
		say("  %s", line)
	}
	return s.replaceState(ctx, settled)
}

// replaceState gives the stack another state and reads everything in it anew.
func (s *Stack) replaceState(ctx context.Context, state []byte) error {
	file, err := os.CreateTemp(s.home.Run(), "state-*.json")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(state)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	if _, err := s.query(ctx, "stack", "import", "--file", file.Name()); err != nil {
		return err
	}
	return s.Run(ctx, "refresh", "--yes", "--skip-preview", "--stack", s.name)
}

// settle moves what was made for pending creations among the resources of an
// exported state and drops all pending operations. It returns nil where none
// is pending.
func settle(ctx context.Context, exported []byte, find finder) (settled []byte, report []string, err error) {
	state, err := parseExport(exported)
	if err != nil {
		return nil, nil, err
	}
	if len(state.Operations) == 0 {
		return nil, nil, nil
	}
	whole, inner, resources, err := openExport(exported)
	if err != nil {
		return nil, nil, err
	}
	pending, _ := inner["pending_operations"].([]any)

	taken := map[string]map[string]bool{}
	for _, r := range state.Resources {
		take(taken, r)
	}
	for i, op := range state.Operations {
		if op.Type != "creating" {
			report = append(report, fmt.Sprintf("%s %s: read anew", op.Type, op.Resource.URN))
			continue
		}
		id, found, err := find(ctx, op.Resource, taken[op.Resource.Type])
		if err != nil {
			return nil, nil, fmt.Errorf("what became of %s: %w", op.Resource.URN, err)
		}
		if !found {
			report = append(report, fmt.Sprintf("creating %s: was not made", op.Resource.URN))
			continue
		}
		report = append(report, fmt.Sprintf("creating %s: was made, as %s", op.Resource.URN, id))
		op.Resource.ID = id
		take(taken, op.Resource)
		made, _ := pending[i].(map[string]any)["resource"].(map[string]any)
		made["id"] = id
		resources = record(resources, made)
	}
	inner["resources"] = resources
	delete(inner, "pending_operations")
	settled, err = json.Marshal(whole)
	return settled, report, err
}

// openExport reads an exported state to be edited: the whole of it, its
// deployment and that one's resources. It has more fields than we know; they
// are kept as they are.
func openExport(exported []byte) (whole, inner map[string]any, resources []any, err error) {
	whole = map[string]any{}
	exact := json.NewDecoder(bytes.NewReader(exported))
	exact.UseNumber()
	if err := exact.Decode(&whole); err != nil {
		return nil, nil, nil, fmt.Errorf("pulumi stack export: %w", err)
	}
	inner, _ = whole["deployment"].(map[string]any)
	resources, _ = inner["resources"].([]any)
	return whole, inner, resources, nil
}

// record adds a resource that was made to those of a state. Where it was to
// replace another, it takes that one's place, before all that depends on it,
// and the other is left for the next update to delete, as Pulumi itself does.
func record(resources []any, made map[string]any) []any {
	for i, r := range resources {
		old, _ := r.(map[string]any)
		if deleted, _ := old["delete"].(bool); old["urn"] == made["urn"] && !deleted {
			resources[i] = made
			old["delete"] = true
			return append(resources, old)
		}
	}
	return append(resources, made)
}

func take(taken map[string]map[string]bool, r Resource) {
	if taken[r.Type] == nil {
		taken[r.Type] = map[string]bool{}
	}
	taken[r.Type][r.ID] = true
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

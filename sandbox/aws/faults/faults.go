// Package faults stores the configured faults of the stand-in: calls that fail, are
// throttled, lose their reply or take longer. The faults are stored in a file, because
// `sandbox aws fail` and the plugin are different processes.
package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// The modes of a fault.
const (
	// Error makes the call fail. AWS does not execute the call.
	Error = "error"
	// Throttle makes the call wait as the provider's own retries do, and then
	// succeed. A permanent fault makes the call fail with AWS's throttling error.
	Throttle = "throttle"
	// LoseReply executes the call, and then returns the error of a broken connection.
	LoseReply = "lose-reply"
	// Crash executes the call, and then ends the plugin's process before the engine gets
	// the response, as a kill -9 does.
	Crash = "crash"
)

// Modes are all modes.
var Modes = []string{Error, Throttle, LoseReply, Crash}

// Ops are the operations that a fault can match.
var Ops = []string{"create", "read", "update", "delete", "invoke"}

// Any is the Op or Type of a fault that matches every operation or type.
const Any = "*"

// Fault is one configured fault.
type Fault struct {
	// Op is one of Ops, or Any.
	Op string `json:"op"`
	// Type is a resource's or function's token, or Any.
	Type string `json:"type"`
	// Nth is the number of the matching call that fails, counted from one.
	Nth int `json:"nth"`
	// Mode is one of Modes.
	Mode string `json:"mode"`
	// Permanent means that every call from the n-th on fails.
	Permanent bool `json:"permanent,omitempty"`
	// Code and Message are the code and the message of AWS's error.
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	// Delay is how long a throttled call waits.
	Delay time.Duration `json:"delay,omitempty"`
	// Seen counts the matching calls so far.
	Seen int `json:"seen"`
}

// Done reports whether the fault has no further effect.
func (f Fault) Done() bool { return !f.Permanent && f.Seen >= f.Nth }

// Slowdown makes every call of a type take longer by Delay.
type Slowdown struct {
	Type  string        `json:"type"`
	Delay time.Duration `json:"delay"`
}

// Plan has all configured faults and slowdowns of a sandbox.
type Plan struct {
	Faults    []Fault    `json:"faults,omitempty"`
	Slowdowns []Slowdown `json:"slow,omitempty"`
}

// File is the file that stores the Plan of one sandbox.
type File struct{ path string }

// NewFile returns the File in dir, the folder of the stand-in. It does not create the file.
func NewFile(dir string) File { return File{filepath.Join(dir, "faults.json")} }

// Read returns the plan. The plan is empty if the file does not exist.
func (f File) Read() (Plan, error) {
	var plan Plan
	raw, err := os.ReadFile(f.path)
	if errors.Is(err, os.ErrNotExist) {
		return plan, nil
	}
	if err != nil {
		return plan, fmt.Errorf("faults: %w", err)
	}
	if err := json.Unmarshal(raw, &plan); err != nil {
		return plan, fmt.Errorf("faults %s: %w", f.path, err)
	}
	return plan, nil
}

// AddFault adds a fault to the plan.
func (f File) AddFault(fault Fault) error {
	switch {
	case fault.Op != Any && !slices.Contains(Ops, fault.Op):
		return fmt.Errorf("operation %q: must be %s or %s", fault.Op, strings.Join(Ops, ", "), Any)
	case !slices.Contains(Modes, fault.Mode):
		return fmt.Errorf("mode %q: must be %s", fault.Mode, strings.Join(Modes, ", "))
	case fault.Nth < 1:
		return fmt.Errorf("n-th call %d: must be 1 or more", fault.Nth)
	}
	return f.edit(func(p *Plan) { p.Faults = append(p.Faults, fault) })
}

// AddSlowdown adds a slowdown to the plan.
func (f File) AddSlowdown(slowdown Slowdown) error {
	if slowdown.Delay <= 0 {
		return fmt.Errorf("delay %s: must be more than zero", slowdown.Delay)
	}
	return f.edit(func(p *Plan) { p.Slowdowns = append(p.Slowdowns, slowdown) })
}

// Clear removes all faults and slowdowns.
func (f File) Clear() error {
	err := os.Remove(f.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("faults: %w", err)
	}
	return nil
}

// CountCall counts a call of the operation op for a type. It returns the sum of the slowdowns of
// the type, and the fault that the call gets. The fault is nil if the call gets none. If several
// faults match, all of them count the call, and only the first fault has an effect.
func (f File) CountCall(op, token string) (delay time.Duration, fault *Fault, err error) {
	plan, err := f.Read()
	if err != nil {
		return 0, nil, err
	}
	for _, slowdown := range plan.Slowdowns {
		if slowdown.Type == Any || slowdown.Type == token {
			delay += slowdown.Delay
		}
	}
	if !slices.ContainsFunc(plan.Faults, func(candidate Fault) bool { return candidate.matches(op, token) }) {
		return delay, nil, nil // no fault matches, as for most calls, so no lock is needed
	}
	err = f.edit(func(p *Plan) {
		for i := range p.Faults {
			candidate := &p.Faults[i]
			if !candidate.matches(op, token) {
				continue
			}
			candidate.Seen++
			if candidate.Seen >= candidate.Nth && fault == nil {
				copied := *candidate
				fault = &copied
			}
		}
	})
	return delay, fault, err
}

// matches reports whether the fault counts a call of the operation op for a type.
func (f Fault) matches(op, token string) bool {
	return !f.Done() && (f.Op == Any || f.Op == op) && (f.Type == Any || f.Type == token)
}

// edit changes the plan in the file. A lock prevents that two processes change the plan at the
// same time. edit replaces the file by a rename. So Read, which takes no lock, always reads a
// complete file.
func (f File) edit(change func(*Plan)) error {
	lock, err := os.OpenFile(f.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("faults: %w", err)
	}
	defer lock.Close() // also releases the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("faults: %w", err)
	}
	plan, err := f.Read()
	if err != nil {
		return err
	}
	change(&plan)
	raw, err := json.MarshalIndent(plan, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(f.path+".next", append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("faults: %w", err)
	}
	if err := os.Rename(f.path+".next", f.path); err != nil {
		return fmt.Errorf("faults: %w", err)
	}
	return nil
}

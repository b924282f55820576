// Package stack works on one Pulumi stack of a sandbox with the Pulumi CLI. It creates the
// stack if it does not exist, runs commands on it, and repairs its state after Pulumi was
// killed. The package stores nothing itself.
package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

// Stack is a stack that exists.
type Stack struct {
	layout *layout.Layout
	name   string
	// dir is the folder that holds Pulumi.yaml.
	dir string
	// env is the environment of the Pulumi CLI.
	env      []string
	terminal Terminal
}

// Terminal has the streams of commands that run on the user's terminal.
type Terminal struct {
	In       io.Reader
	Out, Err io.Writer
}

// ErrInterrupted is the cause of a context that has ended because the user pressed Ctrl-C. In
// this case Stack sends no signal to Pulumi, because the terminal has already sent SIGINT to
// Pulumi.
var ErrInterrupted = errors.New("interrupted")

// Open selects a stack of the sandbox, as `pulumi stack select` does, and
// creates it if it does not exist. The tools must be linked (package toolchain)
// and the passphrase must exist.
func Open(ctx context.Context, l *layout.Layout, name string, t Terminal) (*Stack, error) {
	dir, err := project.Copy(l, name)
	if err != nil {
		return nil, err
	}
	return OpenIn(ctx, l, name, dir, t)
}

// OpenIn selects a stack, and creates it if it does not exist. Its Pulumi.yaml is in the folder
// dir. Unlike Open, it does not update a copy of the project's files.
func OpenIn(ctx context.Context, l *layout.Layout, name, dir string, t Terminal) (*Stack, error) {
	s := &Stack{layout: l, name: name, dir: dir, env: toolchain.SandboxEnv(l, os.Environ()), terminal: t}
	if _, err := s.query(ctx, "stack", "select", "--create"); err != nil {
		return nil, s.Explain(ctx, err)
	}
	return s, nil
}

// Name returns the stack's name.
func (s *Stack) Name() string { return s.name }

// Dir returns the folder of Pulumi.yaml, in which the stack's commands run.
func (s *Stack) Dir() string { return s.dir }

// Exists reports whether the sandbox's state contains a stack with this name.
func Exists(l *layout.Layout, name string) bool {
	found, err := filepath.Glob(filepath.Join(l.Backend(), ".pulumi", "stacks", "*", name+".json"))
	return err == nil && len(found) > 0
}

// Passphrase is the passphrase of a sandbox's stacks. It is public;
// Pulumi.sandbox.yaml has a salt for it.
const Passphrase = "sandbox"

// EnsurePassphrase writes the passphrase's file, mode 0600, if there is none.
func EnsurePassphrase(l *layout.Layout) error {
	if _, err := os.Lstat(l.Passphrase()); !errors.Is(err, fs.ErrNotExist) {
		return err // nil if the file exists
	}
	if err := os.WriteFile(l.Passphrase(), []byte(Passphrase), 0o600); err != nil {
		return fmt.Errorf("write the passphrase of the sandbox: %w", err)
	}
	return nil
}

// Explain adds a hint to the error of a Pulumi command if the user has replaced the
// sandbox's passphrase. Pulumi reports an incorrect passphrase, but does not name the files
// that do not match. Explain returns any other error unchanged.
func (s *Stack) Explain(ctx context.Context, err error) error {
	var toolErr *ToolError
	if !errors.As(err, &toolErr) || ctx.Err() != nil {
		return err
	}
	passphrase, readErr := os.ReadFile(s.layout.Passphrase())
	if readErr != nil || strings.TrimSpace(string(passphrase)) == Passphrase {
		return err
	}
	return fmt.Errorf("%w\nIf the passphrase is incorrect: %s does not contain the sandbox's passphrase %q. "+
		"Write the passphrase that matches the encryptionsalt of %s, or restore that file", err,
		s.layout.Passphrase(), Passphrase, filepath.Join(s.dir, "Pulumi."+s.name+".yaml"))
}

// ToolError is the failure of a command of Pulumi.
type ToolError struct {
	// Command is the command, such as "pulumi up".
	Command string
	// Code is the exit code of the command.
	Code int
	// Stderr is the error output of the command. It is empty if the terminal has shown it.
	Stderr string
}

func (e *ToolError) Error() string {
	message := fmt.Sprintf("%s failed (exit code %d)", e.Command, e.Code)
	if e.Stderr != "" {
		return message + ": " + e.Stderr
	}
	return message + "; see its messages above"
}

// stopGrace is how long Pulumi may take after SIGINT to finish the current
// resource and to save its state.
const stopGrace = 2 * time.Minute

// queryTimeout limits a command that runs without a terminal and changes no resource.
const queryTimeout = 2 * time.Minute

// withoutPolicies returns a copy of s that runs commands without the policy pack. A recovery
// uses a preview only to list creations, and the next update checks the policies.
func (s *Stack) withoutPolicies() *Stack {
	stack := *s
	stack.env = layout.WithoutPolicyPack(s.env)
	return &stack
}

// newCommand returns a command of Pulumi. If ctx ends, Pulumi gets a SIGINT. If
// it still runs two minutes later, it is killed.
func (s *Stack) newCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.layout.Bin(), "pulumi"), args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	cmd.Cancel = func() error {
		// At a Ctrl-C the terminal sends SIGINT to all its processes, including Pulumi. A
		// second SIGINT would make Pulumi abort the current resource.
		if errors.Is(context.Cause(ctx), ErrInterrupted) {
			return nil
		}
		return cmd.Process.Signal(syscall.SIGINT)
	}
	cmd.WaitDelay = stopGrace
	return cmd
}

// Run runs Pulumi on the terminal, with its own display. A failure of Pulumi
// is a *ToolError.
func (s *Stack) Run(ctx context.Context, args ...string) error {
	cmd := s.newCommand(ctx, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.terminal.In, s.terminal.Out, s.terminal.Err
	return commandError("pulumi "+args[0], cmd.Run(), "")
}

// query runs Pulumi without a terminal and returns its standard output.
func (s *Stack) query(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	cmd := s.newCommand(ctx, append(args, "--non-interactive", "--stack", s.name)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, commandError("pulumi "+strings.Join(args, " "), err, strings.TrimSpace(strings.TrimPrefix(stderr.String(), "error: ")))
	}
	return out, nil
}

// commandError adds the command to err, which package exec has returned for it. If the command has
// exited with a code other than 0, commandError returns a *ToolError. If err is nil, it returns
// nil.
func commandError(command string, err error, stderr string) error {
	var exitErr *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exitErr):
		return &ToolError{Command: command, Code: max(1, exitErr.ExitCode()), Stderr: stderr}
	default:
		return fmt.Errorf("%s: %w", command, err)
	}
}

// State is the part of `pulumi stack export` that the sandbox needs.
type State struct {
	Resources  []Resource  `json:"resources"`
	Operations []Operation `json:"pending_operations"`
}

// Resource is one resource of a state.
type Resource struct {
	URN     string         `json:"urn"`
	Type    string         `json:"type"`
	ID      string         `json:"id"`
	Custom  bool           `json:"custom"`
	Inputs  map[string]any `json:"inputs"`
	Outputs map[string]any `json:"outputs"`
}

// Operation is an operation that was pending when the last update ended.
type Operation struct {
	Resource Resource `json:"resource"`
	Type     string   `json:"type"`
}

// Export reads the stack's state.
func (s *Stack) Export(ctx context.Context) (State, error) {
	_, state, err := s.export(ctx)
	return state, err
}

// export returns the stack's state. It also returns the exported text, which has fields
// that State lacks.
func (s *Stack) export(ctx context.Context) (raw []byte, state State, err error) {
	raw, err = s.query(ctx, "stack", "export")
	if err != nil {
		return nil, State{}, err
	}
	state, err = parseExport(raw)
	return raw, state, err
}

// parseExport reads the output of `pulumi stack export`.
func parseExport(raw []byte) (State, error) {
	var export struct {
		Deployment State `json:"deployment"`
	}
	if err := json.Unmarshal(raw, &export); err != nil {
		return State{}, fmt.Errorf("pulumi stack export: %w", err)
	}
	return export.Deployment, nil
}

// Output returns the value of a stack output. It returns "" if there is no such output or
// if the value is not a string.
func (s State) Output(name string) string {
	for _, r := range s.Resources {
		if r.Type == "pulumi:pulumi:Stack" {
			value, _ := r.Outputs[name].(string)
			return value
		}
	}
	return ""
}

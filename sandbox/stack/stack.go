// Package stack works on one Pulumi stack inside a sandbox, through the Pulumi
// CLI: it makes the stack where it does not exist, runs commands on it, and
// recovers it after a Pulumi that was killed. It owns no state of its own.
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

	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

// Stack is a stack that exists.
type Stack struct {
	home *home.Home
	name string
	// dir is the folder that holds Pulumi.yaml.
	dir string
	// env is the sandbox's whole environment.
	env      []string
	terminal Terminal
}

// Terminal is where the commands that a person watches read and write.
type Terminal struct {
	In       io.Reader
	Out, Err io.Writer
}

// ErrInterrupted is the cause of a context that ended because a person typed
// Ctrl-C. It matters here because the terminal sends that to Pulumi as well.
var ErrInterrupted = errors.New("interrupted")

// Open selects a stack of the sandbox, as `pulumi stack select`, and makes it
// where it does not exist. The tools must be linked (package toolchain) and
// the passphrase written.
func Open(ctx context.Context, h *home.Home, name string, t Terminal) (*Stack, error) {
	dir, err := project.Dir(h, name)
	if err != nil {
		return nil, err
	}
	return OpenIn(ctx, h, name, dir, t)
}

// OpenIn is Open with the folder of Pulumi.yaml given.
func OpenIn(ctx context.Context, h *home.Home, name, dir string, t Terminal) (*Stack, error) {
	s := &Stack{home: h, name: name, dir: dir, env: toolchain.Within(ctx, h, os.Environ()), terminal: t}
	if _, err := s.query(ctx, "stack", "select", "--create"); err != nil {
		return nil, s.Explain(ctx, err)
	}
	return s, nil
}

// Name is the stack's name.
func (s *Stack) Name() string { return s.name }

// Exists says whether the sandbox's state holds a stack of that name.
func Exists(h *home.Home, name string) bool {
	found, err := filepath.Glob(filepath.Join(h.Backend(), ".pulumi", "stacks", "*", name+".json"))
	return err == nil && len(found) > 0
}

// Passphrase is the public one of a sandbox's stacks; Pulumi.sandbox.yaml
// carries a salt for it.
const Passphrase = "sandbox"

// EnsurePassphrase writes the passphrase's file, mode 0600, where there is
// none.
func EnsurePassphrase(h *home.Home) error {
	if _, err := os.Lstat(h.Passphrase()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(h.Passphrase(), []byte(Passphrase), 0o600); err != nil {
		return fmt.Errorf("passphrase of the sandbox: %w", err)
	}
	return nil
}

// Explain adds to the failure of a Pulumi command what Pulumi can't know where
// it calls the passphrase incorrect: which files do not fit each other. While
// the passphrase is the sandbox's own, and for other errors, err stays as it is.
func (s *Stack) Explain(ctx context.Context, err error) error {
	var tool *ToolError
	if !errors.As(err, &tool) || ctx.Err() != nil {
		return err
	}
	phrase, readErr := os.ReadFile(s.home.Passphrase())
	if readErr != nil || strings.TrimSpace(string(phrase)) == Passphrase {
		return err
	}
	return fmt.Errorf("%w\nIf the passphrase is incorrect: %s does not hold the sandbox's, which is %q. "+
		"Write the one into it that fits the encryptionsalt of %s, or restore that", err,
		s.home.Passphrase(), Passphrase, filepath.Join(s.dir, "Pulumi."+s.name+".yaml"))
}

// ToolError is the failure of a command of Pulumi.
type ToolError struct {
	// What is the command, as "pulumi up".
	What string
	// Code is its exit code.
	Code int
	// Said is what it wrote, where it could not write to the terminal.
	Said string
}

func (e *ToolError) Error() string {
	text := fmt.Sprintf("%s failed (exit code %d)", e.What, e.Code)
	if e.Said != "" {
		return text + ": " + e.Said
	}
	return text + "; its messages stand above"
}

// stopGrace is how long Pulumi has to finish the resource it is at and to save
// its state, once it was asked to stop.
const stopGrace = 2 * time.Minute

// queryTimeout bounds commands that only read the state.
const queryTimeout = 2 * time.Minute

func (s *Stack) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.home.Bin(), "pulumi"), args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	cmd.Cancel = func() error {
		// A person's Ctrl-C reaches Pulumi by itself, as it reaches us; a
		// second one would make it drop what it is at.
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
	cmd := s.command(ctx, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.terminal.In, s.terminal.Out, s.terminal.Err
	return failed("pulumi "+args[0], cmd.Run(), "")
}

// query runs Pulumi without a terminal and returns what it prints.
func (s *Stack) query(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	cmd := s.command(ctx, append(args, "--non-interactive", "--stack", s.name)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, failed("pulumi "+strings.Join(args, " "), err, strings.TrimSpace(strings.TrimPrefix(said.String(), "error: ")))
	}
	return out, nil
}

func failed(what string, err error, said string) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit):
		return &ToolError{What: what, Code: max(1, exit.ExitCode()), Said: said}
	default:
		return fmt.Errorf("%s: %w", what, err)
	}
}

// State is what `pulumi stack export` tells of a stack.
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

// Operation is one that was under way when the last update ended.
type Operation struct {
	Resource Resource `json:"resource"`
	Type     string   `json:"type"`
}

// Export reads the stack's state.
func (s *Stack) Export(ctx context.Context) (State, error) {
	raw, err := s.query(ctx, "stack", "export")
	if err != nil {
		return State{}, err
	}
	return parseExport(raw)
}

func parseExport(raw []byte) (State, error) {
	var answer struct {
		Deployment State `json:"deployment"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return State{}, fmt.Errorf("pulumi stack export: %w", err)
	}
	return answer.Deployment, nil
}

// Output is a stack output that is a string; "" where there is none.
func (s State) Output(name string) string {
	for _, r := range s.Resources {
		if r.Type == "pulumi:pulumi:Stack" {
			text, _ := r.Outputs[name].(string)
			return text
		}
	}
	return ""
}

package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/test/testenv"
)

// timeout bounds every command of a test. A whole `up` takes seconds; one that
// takes minutes hangs.
const timeout = 5 * time.Minute

// environment is a sandbox that one test has for itself at a time: all that is
// in it belongs to that test. It also has the project that the test works on.
type environment struct {
	layout *layout.Layout
	// variables are set for every command, as NAME=VALUE.
	variables []string
}

// sandboxes are those that have been started. A test that finds none free
// starts one, so that the flag -parallel bounds how many there are.
var sandboxes struct {
	sync.Mutex
	free  []*layout.Layout
	stops []func() error
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, stop := range sandboxes.stops {
		if err := stop(); err != nil {
			log.Printf("engine tests: stop a sandbox: %v", err)
			code = 1
		}
	}
	os.Exit(code)
}

// newEnvironment lends t a sandbox, and lets t run in parallel with other
// tests. A test that failed may have left resources behind: nobody gets its
// sandbox after it.
func newEnvironment(t *testing.T) *environment {
	t.Helper()
	t.Parallel()
	h := takeSandbox(t)
	t.Cleanup(func() {
		if !t.Failed() {
			sandboxes.Lock()
			defer sandboxes.Unlock()
			sandboxes.free = append(sandboxes.free, h)
		}
	})
	return &environment{layout: h}
}

func takeSandbox(t *testing.T) *layout.Layout {
	t.Helper()
	sandboxes.Lock()
	defer sandboxes.Unlock()
	if last := len(sandboxes.free) - 1; last >= 0 {
		h := sandboxes.free[last]
		sandboxes.free = sandboxes.free[:last]
		return h
	}
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	h, stop, err := testenv.New(context.WithoutCancel(t.Context()), root)
	require.NoError(t, err)
	sandboxes.stops = append(sandboxes.stops, stop)
	return h
}

// command prepares name to run in dir, inside the sandbox's environment.
func (e *environment) command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := testenv.Command(ctx, e.layout, dir, name, args...)
	cmd.Env = append(cmd.Env, e.variables...)
	return cmd
}

// run runs a command of the sandbox's PATH and returns what it printed.
func (e *environment) run(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	path := filepath.Join(e.layout.Bin(), name)
	var out bytes.Buffer
	cmd := e.command(ctx, dir, path, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	t.Logf("%s %v\n%s", name, args, out.String())
	return out.String(), err
}

// protection is the key that keeps a stack's data from a destroy.
const protection = "progressive-framework:deletionProtection"

// stack is one stack of the real program.
type stack struct {
	*environment
	name string
	dir  string
}

// newStack creates the stack in a copy of the project's YAML files, as one that
// may be lost.
func newStack(t *testing.T, e *environment, name string) *stack {
	t.Helper()
	// A copy keeps what another test has changed with the CLI.
	require.NoError(t, os.RemoveAll(filepath.Join(e.layout.Dir, "projects", name)))
	dir, err := project.Copy(e.layout, name)
	require.NoError(t, err)
	s := &stack{environment: e, name: name, dir: dir}
	s.pulumi(t, "stack", "init", name)
	s.pulumi(t, "config", "set", protection, "false")
	return s
}

// pulumi runs the real CLI on the stack; it must succeed.
func (s *stack) pulumi(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.try(t, args...)
	require.NoError(t, err, "pulumi %v", args)
	return out
}

// try runs the real CLI on the stack; it may fail.
func (s *stack) try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return s.run(t, s.dir, "pulumi", append(args, "--non-interactive", "--color=never")...)
}

// output reads one stack output.
func (s *stack) output(t *testing.T, name string, into any) {
	t.Helper()
	out := s.pulumi(t, "stack", "output", name, "--json")
	require.NoError(t, json.Unmarshal([]byte(out), into), "output %s", name)
}

// kubectl must succeed.
func (s *stack) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.run(t, s.dir, "kubectl", args...)
	require.NoError(t, err, "kubectl %v", args)
	return out
}

// record is one resource in the AWS stand-in's own store.
type record struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// atAWS lists what was created at the stand-in. The tests run one after the
// other, so all of it belongs to the stack under test.
func (s *stack) atAWS(t *testing.T) []record {
	t.Helper()
	out, err := s.run(t, s.dir, "sandbox", "aws", "list", "--json")
	require.NoError(t, err)
	var all []record
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	return all
}

// inState lists the resources that the stack's state knows.
func (s *stack) inState(t *testing.T) []record {
	t.Helper()
	var export struct {
		Deployment struct {
			Resources []record `json:"resources"`
		} `json:"deployment"`
	}
	require.NoError(t, json.Unmarshal([]byte(s.pulumi(t, "stack", "export")), &export))
	return export.Deployment.Resources
}

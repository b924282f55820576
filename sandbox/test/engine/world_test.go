package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/project"
	sandboxes "github.com/progressive-framework/platform/sandbox/test/world"
)

// timeout bounds every command of a test. A whole `up` takes seconds; one that
// takes minutes hangs.
const timeout = 5 * time.Minute

// world is one sandbox, shared by the tests of this package: each works on a
// stack of its own.
type world struct {
	home *home.Home
}

var shared *world

func TestMain(m *testing.M) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		log.Fatalf("engine tests: %v", err)
	}
	h, stop, err := sandboxes.New(context.Background(), root)
	if err != nil {
		log.Fatalf("engine tests: %v", err)
	}
	shared = &world{home: h}
	code := m.Run()
	if err := stop(); err != nil {
		log.Printf("engine tests: stopping the sandbox: %v", err)
		code = 1
	}
	os.Exit(code)
}

// command prepares name to run in dir, inside the sandbox's environment.
func (w *world) command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	return sandboxes.Command(ctx, w.home, dir, name, args...)
}

// run runs a command of the sandbox's PATH and returns what it printed.
func (w *world) run(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	path := filepath.Join(w.home.Bin(), name)
	var out bytes.Buffer
	cmd := w.command(ctx, dir, path, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	t.Logf("%s %v\n%s", name, args, out.String())
	return out.String(), err
}

// protection is the key that keeps a stack's data from a destroy.
const protection = "progressive-framework:deletionProtection"

// stack is one stack of the real program in the shared sandbox.
type stack struct {
	*world
	name string
	dir  string
}

// newStack makes the stack in a copy of the project's YAML files, as one that
// may be lost.
func newStack(t *testing.T, w *world, name string) *stack {
	t.Helper()
	dir, err := project.Copy(w.home, name)
	require.NoError(t, err)
	s := &stack{world: w, name: name, dir: dir}
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

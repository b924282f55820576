package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/test/testenv"
)

// timeout limits every command of a test. A whole `up` takes seconds.
const timeout = 5 * time.Minute

// environment is a sandbox and the project of a test. Only one test uses a sandbox at a time,
// so everything in the sandbox belongs to that test.
type environment struct {
	layout *layout.Layout
	// variables are the additional variables of every command, as NAME=VALUE.
	variables []string
	// today is the date of the program's and the stand-in's clock. "" means testDay.
	today string
	// checkpoints makes the engine save its whole state at each step, as it does for users.
	// A test that kills an update needs that. Without it the engine saves its state only at
	// the end, which takes a fifth of the CPU time.
	checkpoints bool
}

// sandboxes are the sandboxes of this run. A test starts another sandbox if none is free. So
// there are at most as many sandboxes as parallel tests (flag -parallel).
var sandboxes struct {
	sync.Mutex
	free  []*layout.Layout
	stops []func() error // each function stops one sandbox
}

// seedVariable is the environment variable that sets the seed of the random choices. To repeat
// an earlier run, set the variable to the number that the earlier run has printed.
const seedVariable = "SANDBOX_SEED"

// seed is the seed of this run's random choices.
var seed uint64

func TestMain(m *testing.M) {
	if err := chooseSeed(); err != nil {
		log.Fatal(err)
	}
	code := m.Run()
	for _, stop := range sandboxes.stops {
		if err := stop(); err != nil {
			log.Printf("engine tests: stop a sandbox: %v", err)
			code = 1
		}
	}
	os.Exit(code)
}

// chooseSeed chooses a number for the random choices and prints it.
func chooseSeed() error {
	seed = rand.Uint64()
	if text := os.Getenv(seedVariable); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			return fmt.Errorf("%s: %w", seedVariable, err)
		}
	}
	log.Printf("engine tests: %s=%d repeats the random choices of this run", seedVariable, seed)
	return nil
}

// testDay is the date of the program's clock in the tests. With the real date, tests would
// fail after the support of a Kubernetes version has ended.
const testDay = "2026-11-29"

// newEnvironment reserves a sandbox for t until t ends. t runs in parallel with other tests.
// The sandbox of a failed test is not used again, because it may contain resources.
func newEnvironment(t *testing.T) *environment {
	t.Helper()
	t.Parallel()
	l := takeSandbox(t)
	t.Cleanup(func() {
		if !t.Failed() {
			sandboxes.Lock()
			defer sandboxes.Unlock()
			sandboxes.free = append(sandboxes.free, l)
		}
	})
	return &environment{layout: l}
}

// takeSandbox returns a free sandbox, or starts one if none is free.
func takeSandbox(t *testing.T) *layout.Layout {
	t.Helper()
	sandboxes.Lock()
	defer sandboxes.Unlock()
	if last := len(sandboxes.free) - 1; last >= 0 {
		l := sandboxes.free[last]
		sandboxes.free = sandboxes.free[:last]
		return l
	}
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	l, stop, err := testenv.New(context.WithoutCancel(t.Context()), root, seed, io.Discard)
	require.NoError(t, err)
	sandboxes.stops = append(sandboxes.stops, stop)
	return l
}

// withDocumentedZones gives each zone the zone id that the zone has in AWS's documentation,
// until t ends. By default the zone ids depend on ZoneSeed, and EKS does not support a control
// plane in every zone id. Tests that need certain zones of the control plane call this.
func (e *environment) withDocumentedZones(t *testing.T) *environment {
	t.Helper()
	before := e.layout.Settings
	e.layout.ZoneSeed = 0
	_, err := layout.Create(e.layout.Dir, e.layout.Settings)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := layout.Create(e.layout.Dir, before)
		require.NoError(t, err)
		e.layout.Settings = before
	})
	return e
}

// command returns a command that runs name in dir, with the sandbox's environment.
func (e *environment) command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := testenv.Command(ctx, e.layout, dir, name, args...)
	cmd.Env = append(cmd.Env, "PROGRESSIVE_TODAY="+cmp.Or(e.today, testDay), "PULUMI_SKIP_CHECKPOINTS="+strconv.FormatBool(!e.checkpoints))
	cmd.Env = append(cmd.Env, e.variables...)
	return cmd
}

// run runs one of the sandbox's executables and returns its standard output and standard error.
func (e *environment) run(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	_, both, err := e.streams(t, dir, name, args...)
	return both, err
}

// streams runs one of the sandbox's executables. It returns the standard output, and
// the standard output followed by the standard error. Only the standard output alone can be
// decoded, because a command may write warnings to the standard error.
func (e *environment) streams(t *testing.T, dir, name string, args ...string) (stdout, both string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	var output, messages bytes.Buffer
	cmd := e.command(ctx, dir, filepath.Join(e.layout.Bin(), name), args...)
	cmd.Stdout, cmd.Stderr = &output, &messages
	err = cmd.Run()
	both = output.String() + messages.String()
	if err != nil {
		t.Logf("%s %v failed:\n%s", name, args, strings.Join(errorLines(both), "\n"))
	}
	t.Logf("%s %v\n%s", name, args, shorten(both))
	return output.String(), both, err
}

// errorLines returns the lines of a command's output that report an error.
func errorLines(output string) []string {
	return slices.DeleteFunc(strings.Split(output, "\n"), func(line string) bool { return !strings.Contains(line, "error:") })
}

// loggedBytes is the length up to which the test's log has the whole output of a command.
// The logs of CI keep only a part of longer texts, so the error of the test would be lost.
const loggedBytes = 6000

// shorten removes the middle of a text that is longer than loggedBytes.
func shorten(text string) string {
	if len(text) <= loggedBytes {
		return text
	}
	removed := len(text) - loggedBytes
	return fmt.Sprintf("%s\n[%d bytes]\n%s", text[:loggedBytes/3], removed, text[loggedBytes/3+removed:])
}

// protection is the configuration key with which a stack's data are protected from a destroy.
const protection = "progressive-framework:deletionProtection"

// discard is the configuration key with which a destroy keeps no backups of the data.
const discard = "progressive-framework:discardData"

// stack is a stack of the real program.
type stack struct {
	*environment
	name string
	dir  string
}

// newStack creates the stack in a copy of the project's YAML files, without the protection
// from a destroy.
func newStack(t *testing.T, e *environment, name string) *stack {
	t.Helper()
	// The Pulumi CLI may have changed the files in the copy of an earlier test.
	require.NoError(t, os.RemoveAll(filepath.Join(e.layout.Dir, "projects", name)))
	dir, err := project.Copy(e.layout, name)
	require.NoError(t, err)
	s := &stack{environment: e, name: name, dir: dir}
	s.pulumi(t, "stack", "init", name)
	s.pulumi(t, "config", "set", protection, "false")
	s.pulumi(t, "config", "set", discard, "true")
	return s
}

// pulumi runs the real CLI on the stack. The test fails if the command fails.
func (s *stack) pulumi(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.try(t, args...)
	require.NoError(t, err, "pulumi %v", args)
	return out
}

// decodable runs the Pulumi CLI on the stack and returns its standard output. The test fails
// if the command fails.
func (s *stack) decodable(t *testing.T, args ...string) string {
	t.Helper()
	out, both, err := s.streams(t, s.dir, "pulumi", append(args, "--non-interactive", "--color=never")...)
	require.NoError(t, err, "pulumi %v: %s", args, both)
	return out
}

// try runs the Pulumi CLI on the stack. It returns the output, and the error if pulumi fails.
func (s *stack) try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return s.run(t, s.dir, "pulumi", append(args, "--non-interactive", "--color=never")...)
}

// output reads a stack output.
func (s *stack) output(t *testing.T, name string, into any) {
	t.Helper()
	out := s.decodable(t, "stack", "output", name, "--json")
	require.NoError(t, json.Unmarshal([]byte(out), into), "output %s", name)
}

// kubectl runs kubectl and returns its standard output. The test fails if the command fails.
func (s *stack) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, both, err := s.streams(t, s.dir, "kubectl", args...)
	require.NoError(t, err, "kubectl %v: %s", args, both)
	return out
}

// record is a resource in the store of the AWS stand-in.
type record struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// awsResources lists the resources in the store of the AWS stand-in. No other test uses the sandbox
// at this time, so all of them belong to the stack under test.
func (s *stack) awsResources(t *testing.T) []record {
	t.Helper()
	out, both, err := s.streams(t, s.dir, "sandbox", "aws", "list", "--json")
	require.NoError(t, err, both)
	var all []record
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	return all
}

// stateResources lists the resources in the stack's state.
func (s *stack) stateResources(t *testing.T) []record {
	t.Helper()
	var export struct {
		Deployment struct {
			Resources []record `json:"resources"`
		} `json:"deployment"`
	}
	require.NoError(t, json.Unmarshal([]byte(s.decodable(t, "stack", "export")), &export))
	return export.Deployment.Resources
}

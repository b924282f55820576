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
	"github.com/progressive-framework/platform/sandbox/toolchain"
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
	// buildsProgram makes Pulumi build the program before every run, as it does for users.
	buildsProgram bool
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
	if err := buildProgram(); err != nil {
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

// buildProgram builds the program that the stacks run, because its sources may be newer than the
// executable of `make build`.
func buildProgram() error {
	cmd := exec.Command("go", "build", "-o", "bin/infra", "./infra")
	cmd.Dir = "../../.."
	cmd.Env = append(os.Environ(), toolchain.BuildVariables()...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("engine tests: build the program: %w\n%s", err, out)
	}
	return nil
}

// chooseSeed chooses a number for the random choices and prints it.
func chooseSeed() error {
	seed = rand.Uint64()
	if value := os.Getenv(seedVariable); value != "" {
		var err error
		if seed, err = strconv.ParseUint(value, 10, 64); err != nil {
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
	original := e.layout.Settings
	e.layout.ZoneSeed = 0
	_, err := layout.Create(e.layout.Dir, e.layout.Settings)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := layout.Create(e.layout.Dir, original)
		require.NoError(t, err)
		e.layout.Settings = original
	})
	return e
}

// collectorVariables make Go's garbage collector run less often in Pulumi and its plugins, but each
// process stays below a limit. This saves a seventh of the tests' CPU time.
var collectorVariables = []string{"GOGC=400", "GOMEMLIMIT=1GiB"}

// newCommand returns a command that runs name in dir, with the sandbox's environment.
func (e *environment) newCommand(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := testenv.Command(ctx, e.layout, dir, name, args...)
	cmd.Env = append(cmd.Env, "PROGRESSIVE_TODAY="+cmp.Or(e.today, testDay), "PULUMI_SKIP_CHECKPOINTS="+strconv.FormatBool(!e.checkpoints))
	cmd.Env = append(cmd.Env, collectorVariables...)
	cmd.Env = append(cmd.Env, e.variables...)
	return cmd
}

// run runs one of the sandbox's executables and returns its standard output and standard error.
func (e *environment) run(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	_, combined, err := e.runStreams(t, dir, name, args...)
	return combined, err
}

// runStreams runs one of the sandbox's executables. stdout is the standard output, and combined is
// the standard output followed by the standard error. A test decodes stdout, because a command may
// write warnings to the standard error.
func (e *environment) runStreams(t *testing.T, dir, name string, args ...string) (stdout, combined string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	var output, messages bytes.Buffer
	cmd := e.newCommand(ctx, dir, filepath.Join(e.layout.Bin(), name), args...)
	cmd.Stdout, cmd.Stderr = &output, &messages
	err = cmd.Run()
	combined = output.String() + messages.String()
	if err != nil {
		t.Logf("%s %v failed:\n%s", name, args, strings.Join(errorLines(combined), "\n"))
	}
	t.Logf("%s %v\n%s", name, args, shorten(combined))
	return output.String(), combined, err
}

// errorLines returns the lines of a command's output that report an error.
func errorLines(output string) []string {
	return slices.DeleteFunc(strings.Split(output, "\n"), func(line string) bool { return !strings.Contains(line, "error:") })
}

// maxLoggedBytes is the length up to which the test's log has the whole output of a command.
// The logs of CI keep only a part of longer texts, so the error of the test would be lost.
const maxLoggedBytes = 6000

// shorten removes the middle of a text that is longer than maxLoggedBytes.
func shorten(text string) string {
	if len(text) <= maxLoggedBytes {
		return text
	}
	removed := len(text) - maxLoggedBytes
	return fmt.Sprintf("%s\n[%d bytes]\n%s", text[:maxLoggedBytes/3], removed, text[maxLoggedBytes/3+removed:])
}

// protectionKey is the configuration key with which a stack's data are protected from a destroy.
const protectionKey = "progressive-framework:deletionProtection"

// discardKey is the configuration key with which a destroy keeps no backups of the data.
const discardKey = "progressive-framework:discardData"

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
	if !e.buildsProgram {
		s.usePrebuiltProgram(t)
	}
	s.configure(t, s.readConfiguration(t), map[string]any{protectionKey: false, discardKey: true})
	s.pulumi(t, "stack", "init", name)
	return s
}

// usePrebuiltProgram makes Pulumi run the executable that TestMain has built. Otherwise Pulumi would
// build the program before every run, and `go build` would take a tenth of the tests' CPU time.
func (s *stack) usePrebuiltProgram(t *testing.T) {
	t.Helper()
	path := filepath.Join(s.dir, "Pulumi.yaml")
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	const buildOption = "buildTarget:"
	require.Contains(t, string(raw), buildOption)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(raw), buildOption, "binary:", 1)), 0o600))
}

// pulumi runs the real CLI on the stack. The test fails if the command fails.
func (s *stack) pulumi(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.tryPulumi(t, args...)
	require.NoError(t, err, "pulumi %v", args)
	return out
}

// pulumiStdout runs the Pulumi CLI on the stack and returns only its standard output, so that
// JSON can be decoded. The test fails if the command fails.
func (s *stack) pulumiStdout(t *testing.T, args ...string) string {
	t.Helper()
	out, combined, err := s.runStreams(t, s.dir, "pulumi", append(args, "--non-interactive", "--color=never")...)
	require.NoError(t, err, "pulumi %v: %s", args, combined)
	return out
}

// tryPulumi runs the Pulumi CLI on the stack. It returns the output, and the error if pulumi fails.
func (s *stack) tryPulumi(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return s.run(t, s.dir, "pulumi", append(args, "--non-interactive", "--color=never")...)
}

// readOutput reads the stack output called name, and decodes it into the variable that target points to.
func (s *stack) readOutput(t *testing.T, name string, target any) {
	t.Helper()
	out := s.pulumiStdout(t, "stack", "output", name, "--json")
	require.NoError(t, json.Unmarshal([]byte(out), target), "output %s", name)
}

// kubectl runs kubectl and returns its standard output. The test fails if the command fails.
func (s *stack) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, combined, err := s.runStreams(t, s.dir, "kubectl", args...)
	require.NoError(t, err, "kubectl %v: %s", args, combined)
	return out
}

// resourceRef identifies a resource in the AWS stand-in's store or in a stack's state.
type resourceRef struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// listAWSResources lists the resources in the store of the AWS stand-in. No other test uses the
// sandbox at this time, so all of them belong to the stack under test.
func (s *stack) listAWSResources(t *testing.T) []resourceRef {
	t.Helper()
	out, combined, err := s.runStreams(t, s.dir, "sandbox", "aws", "list", "--json")
	require.NoError(t, err, combined)
	var resources []resourceRef
	require.NoError(t, json.Unmarshal([]byte(out), &resources))
	return resources
}

// listStateResources lists the resources in the stack's state.
func (s *stack) listStateResources(t *testing.T) []resourceRef {
	t.Helper()
	var export struct {
		Deployment struct {
			Resources []resourceRef `json:"resources"`
		} `json:"deployment"`
	}
	require.NoError(t, json.Unmarshal([]byte(s.pulumiStdout(t, "stack", "export")), &export))
	return export.Deployment.Resources
}

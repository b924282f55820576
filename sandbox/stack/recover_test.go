package stack

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// All locks of the test were taken at noon. On this machine, process 10 started before noon
// and process 11 after noon. Process 12 does not run.
func TestHolderOfALockMayRunIfItStartedBeforeTheLock(t *testing.T) {
	startTimes := map[int]time.Time{10: noon.Add(-time.Minute), 11: noon.Add(time.Hour)}
	m := machine{hostname: "this-machine", startTime: func(pid int) (time.Time, bool) {
		started, ok := startTimes[pid]
		return started, ok
	}}
	for _, tc := range []struct {
		reason string
		lock   lock
		mayRun bool
	}{
		{"the pulumi runs", lock{PID: 10, Hostname: "this-machine", Timestamp: noon}, true},
		{"the pulumi was killed", lock{PID: 12, Hostname: "this-machine", Timestamp: noon}, false},
		{"the id belongs to a later process now", lock{PID: 11, Hostname: "this-machine", Timestamp: noon}, false},
		{"a process of another machine cannot be seen", lock{PID: 12, Hostname: "other-machine", Timestamp: noon}, true},
		{"an incomplete lock names no process", lock{}, false},
	} {
		t.Run(tc.reason, func(t *testing.T) { require.Equal(t, tc.mayRun, m.holderMayRun(tc.lock)) })
	}
}

func TestIncompleteLocksAreReadAsEmpty(t *testing.T) {
	l, err := layout.Create(t.TempDir(), layout.Settings{})
	require.NoError(t, err)
	dir := filepath.Join(l.Backend(), ".pulumi/locks/organization/progressive-framework/sandbox")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	locks, err := readLocks(l, "sandbox")
	require.NoError(t, err)
	require.Empty(t, locks)

	complete, err := json.Marshal(lock{PID: 7, Hostname: "here", Username: "me", Timestamp: noon})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.json"), complete, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b.json"), complete[:9], 0o600))
	locks, err = readLocks(l, "sandbox")
	require.NoError(t, err)
	require.Equal(t, []lock{{PID: 7, Hostname: "here", Username: "me", Timestamp: noon}, {}}, locks)

	locks, err = readLocks(l, "staging")
	require.NoError(t, err)
	require.Empty(t, locks, "locks of another stack are not read")
}

// newStackWithFakeCLI returns a stack with a shell script in place of pulumi. The script
// appends its arguments to the file callsPath. The keys of outputs are the first two words of
// the arguments, and the script prints the value. An imported state is copied to the file
// callsPath + ".imported".
func newStackWithFakeCLI(t *testing.T, outputs map[string]string) (s *Stack, callsPath string) {
	t.Helper()
	l, err := layout.Create(t.TempDir(), layout.Settings{})
	require.NoError(t, err)
	callsPath = filepath.Join(t.TempDir(), "calls")
	script := "#!/bin/sh\necho \"$*\" >>" + callsPath + "\n[ \"$1 $2\" != 'stack import' ] || cp \"$4\" " + callsPath + ".imported\n"
	for command, output := range outputs {
		file := filepath.Join(t.TempDir(), "output")
		require.NoError(t, os.WriteFile(file, []byte(output), 0o600))
		script += "[ \"$1 $2\" != '" + command + "' ] || cat " + file + "\n"
	}
	require.NoError(t, os.WriteFile(filepath.Join(l.Bin(), "pulumi"), []byte(script), 0o755))
	return &Stack{layout: l, name: "sandbox", dir: t.TempDir(), env: os.Environ()}, callsPath
}

func TestRecoverExportsAnUndamagedStateOnce(t *testing.T) {
	s, callsPath := newStackWithFakeCLI(t, map[string]string{
		"stack export": `{"deployment":{"resources":[{"urn":"urn:stack","type":"pulumi:pulumi:Stack","outputs":{"url":"http://x"}}]}}`,
	})
	state, err := s.Recover(t.Context(), t.Logf)
	require.NoError(t, err)
	require.Equal(t, "http://x", state.Output("url"), "Recover returns the exported state")
	calls, err := os.ReadFile(callsPath)
	require.NoError(t, err)
	require.Equal(t, "stack export --non-interactive --stack sandbox\n", string(calls))
}

func TestRecoverReturnsTheStateAfterTheRepair(t *testing.T) {
	s, callsPath := newStackWithFakeCLI(t, map[string]string{"stack export": interruptedState})
	state, err := s.Recover(t.Context(), t.Logf)
	require.NoError(t, err)
	require.NotEmpty(t, state.Resources)
	calls, err := os.ReadFile(callsPath)
	require.NoError(t, err)
	require.Regexp(t, `(?s)^stack export .*\nstack import .*\nrefresh .*\nstack export [^\n]*\n$`, string(calls), "the state is exported again after the refresh")
	imported, err := os.ReadFile(callsPath + ".imported")
	require.NoError(t, err)
	require.NotContains(t, string(imported), "pending_operations")
}

// writeState writes the state file of a stack, as the file backend does.
func writeState(t *testing.T, s *Stack, name, content string) {
	t.Helper()
	dir := filepath.Join(s.layout.Backend(), ".pulumi/stacks/progressive-framework")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".json"), []byte(content), 0o600))
}

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

func TestHolds(t *testing.T) {
	m := machine{hostname: "here", started: func(pid int) (time.Time, bool) {
		began, ok := map[int]time.Time{10: noon.Add(-time.Minute), 11: noon.Add(time.Hour)}[pid]
		return began, ok
	}}
	cases := []struct {
		reason string
		lock   holder
		want   bool
	}{
		{"a pulumi that runs", holder{PID: 10, Hostname: "here", Timestamp: noon}, true},
		{"a pulumi that was killed", holder{PID: 12, Hostname: "here", Timestamp: noon}, false},
		{"its id belongs to a later process", holder{PID: 11, Hostname: "here", Timestamp: noon}, false},
		{"another machine cannot be seen", holder{PID: 12, Hostname: "there", Timestamp: noon}, true},
		{"an incomplete lock has no holder", holder{}, false},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) { require.Equal(t, c.want, m.holds(c.lock)) })
	}
}

func TestLocks(t *testing.T) {
	l, err := layout.Create(t.TempDir(), layout.Settings{})
	require.NoError(t, err)
	dir := filepath.Join(l.Backend(), ".pulumi/locks/organization/progressive-framework/sandbox")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	none, err := locks(l, "sandbox")
	require.NoError(t, err)
	require.Empty(t, none)

	whole, err := json.Marshal(holder{PID: 7, Hostname: "here", Username: "me", Timestamp: noon})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.json"), whole, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b.json"), whole[:9], 0o600))
	got, err := locks(l, "sandbox")
	require.NoError(t, err)
	require.Equal(t, []holder{{PID: 7, Hostname: "here", Username: "me", Timestamp: noon}, {}}, got)

	other, err := locks(l, "staging")
	require.NoError(t, err)
	require.Empty(t, other, "locks of another stack are not read")
}

// stackWithCLI returns a stack whose pulumi is a shell script. The script notes
// its arguments in the returned file; answers are the outputs by command.
func stackWithCLI(t *testing.T, answers map[string]string) (s *Stack, calls string) {
	t.Helper()
	l, err := layout.Create(t.TempDir(), layout.Settings{})
	require.NoError(t, err)
	calls = filepath.Join(t.TempDir(), "calls")
	script := "#!/bin/sh\necho \"$*\" >>" + calls + "\n[ \"$1 $2\" != 'stack import' ] || cp \"$4\" " + calls + ".imported\n"
	for command, answer := range answers {
		file := filepath.Join(t.TempDir(), "answer")
		require.NoError(t, os.WriteFile(file, []byte(answer), 0o600))
		script += "[ \"$1 $2\" != '" + command + "' ] || cat " + file + "\n"
	}
	require.NoError(t, os.WriteFile(filepath.Join(l.Bin(), "pulumi"), []byte(script), 0o755))
	return &Stack{layout: l, name: "sandbox", dir: t.TempDir(), env: os.Environ()}, calls
}

func TestRecoverReadsAStateInOrderOnce(t *testing.T) {
	s, calls := stackWithCLI(t, map[string]string{
		"stack export": `{"deployment":{"resources":[{"urn":"urn:stack","type":"pulumi:pulumi:Stack","outputs":{"url":"http://x"}}]}}`,
	})
	state, err := s.Recover(t.Context(), t.Logf)
	require.NoError(t, err)
	require.Equal(t, "http://x", state.Output("url"), "the caller needs no export of its own")
	text, err := os.ReadFile(calls)
	require.NoError(t, err)
	require.Equal(t, "stack export --non-interactive --stack sandbox\n", string(text))
}

func TestRecoverReturnsTheStateAfterTheRepair(t *testing.T) {
	s, calls := stackWithCLI(t, map[string]string{"stack export": interrupted})
	state, err := s.Recover(t.Context(), t.Logf)
	require.NoError(t, err)
	require.NotEmpty(t, state.Resources)
	text, err := os.ReadFile(calls)
	require.NoError(t, err)
	require.Regexp(t, `(?s)^stack export .*\nstack import .*\nrefresh .*\nstack export [^\n]*\n$`, string(text), "read again after the refresh")
	imported, err := os.ReadFile(calls + ".imported")
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

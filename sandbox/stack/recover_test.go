package stack

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/home"
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
		{"its id was given to a later one", holder{PID: 11, Hostname: "here", Timestamp: noon}, false},
		{"another machine cannot be seen", holder{PID: 12, Hostname: "there", Timestamp: noon}, true},
		{"a lock that was cut short names nobody", holder{}, false},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) { require.Equal(t, c.want, m.holds(c.lock)) })
	}
}

func TestLocks(t *testing.T) {
	h, err := home.Create(t.TempDir(), home.Settings{})
	require.NoError(t, err)
	dir := filepath.Join(h.Backend(), ".pulumi/locks/organization/progressive-framework/sandbox")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	none, err := locks(h, "sandbox")
	require.NoError(t, err)
	require.Empty(t, none)

	whole, err := json.Marshal(holder{PID: 7, Hostname: "here", Username: "me", Timestamp: noon})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.json"), whole, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b.json"), whole[:9], 0o600))
	got, err := locks(h, "sandbox")
	require.NoError(t, err)
	require.Equal(t, []holder{{PID: 7, Hostname: "here", Username: "me", Timestamp: noon}, {}}, got)

	other, err := locks(h, "staging")
	require.NoError(t, err)
	require.Empty(t, other, "locks of another stack are not ours")
}

// writeState writes the state file of a stack, as the file backend does.
func writeState(t *testing.T, s *Stack, name, content string) {
	t.Helper()
	dir := filepath.Join(s.home.Backend(), ".pulumi/stacks/progressive-framework")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".json"), []byte(content), 0o600))
}

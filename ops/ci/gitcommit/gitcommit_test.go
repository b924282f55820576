package gitcommit

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Uncommitted changes are part of the program, so other uncommitted changes give another result.
func TestUncommittedChangesAreIncluded(t *testing.T) {
	dir := t.TempDir()
	git := func(args ...string) {
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	writeFile := func(text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a.go"), []byte(text), 0o600))
	}
	readTreeCommit := func() string {
		c, err := Read(t.Context(), dir)
		require.NoError(t, err)
		return c
	}
	_, err := Read(t.Context(), dir)
	require.ErrorContains(t, err, "not a git repository")
	git("init", "-q")
	writeFile("one")
	git("add", ".")
	git("commit", "-qm", "x")
	cleanCommit := readTreeCommit()
	require.Regexp(t, `^[0-9a-f]{40}$`, cleanCommit)
	writeFile("two")
	editedCommit := readTreeCommit()
	require.Regexp(t, `^[0-9a-f]{40}\+[0-9a-f]{12}$`, editedCommit)
	writeFile("three")
	require.NotEqual(t, editedCommit, readTreeCommit())
	writeFile("one")
	require.Equal(t, cleanCommit, readTreeCommit())
}

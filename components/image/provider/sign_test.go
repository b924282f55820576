package provider

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// newGitRepository creates a git repository with a commit. It returns the repository's folder,
// and a function that runs git in a folder.
func newGitRepository(t *testing.T) (dir string, git func(dir string, args ...string) string) {
	t.Helper()
	git = func(dir string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=test", "-c", "user.email=test@example.com"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return strings.TrimSpace(string(out))
	}
	dir = filepath.Join(t.TempDir(), "a checkout")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	git(dir, "init", "--quiet", "--initial-branch", "main")
	writeFile(t, dir, "main.go", helloSource)
	git(dir, "add", ".")
	git(dir, "commit", "--quiet", "--message", dir)
	return dir, git
}

// The provenance names the commit of the sources for every kind of checkout, also if the shell has
// git's variables of another repository.
func TestProvenanceNamesTheCommitOfTheSources(t *testing.T) {
	dir, git := newGitRepository(t)
	commit := git(dir, "rev-parse", "HEAD")
	requireCommit := func(t *testing.T, dir string) {
		t.Helper()
		sources := readSourceCommit(t.Context(), dir)
		require.Len(t, sources, 1)
		require.Equal(t, commit, sources[0].Digest["gitCommit"])
		require.Equal(t, false, sources[0].Annotations["modified"])
	}
	t.Run("a worktree, detached", func(t *testing.T) {
		worktree := filepath.Join(t.TempDir(), "worktree")
		git(dir, "worktree", "add", "--quiet", "--detach", worktree)
		requireCommit(t, worktree)
	})
	t.Run("a shallow clone", func(t *testing.T) {
		clone := filepath.Join(t.TempDir(), "clone")
		git(dir, "clone", "--quiet", "--depth", "1", "file://"+dir, clone)
		requireCommit(t, clone)
	})
	t.Run("a link", func(t *testing.T) {
		link := filepath.Join(t.TempDir(), "link")
		require.NoError(t, os.Symlink(dir, link))
		requireCommit(t, link)
	})
	t.Run("another repository in the environment", func(t *testing.T) {
		other, _ := newGitRepository(t)
		t.Setenv("GIT_DIR", filepath.Join(other, ".git"))
		t.Setenv("GIT_WORK_TREE", other)
		requireCommit(t, dir)
	})
	t.Run("a changed file", func(t *testing.T) {
		writeFile(t, dir, "main.go", probeSource)
		require.Equal(t, true, readSourceCommit(t.Context(), dir)[0].Annotations["modified"])
	})
	t.Run("no repository", func(t *testing.T) { require.Empty(t, readSourceCommit(t.Context(), t.TempDir())) })
}

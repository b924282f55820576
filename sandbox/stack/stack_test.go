package stack

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/home"
)

func TestExplainNamesTheFilesOfAWrongPassphrase(t *testing.T) {
	h, err := home.Create(t.TempDir(), home.Settings{})
	require.NoError(t, err)
	require.NoError(t, EnsurePassphrase(h))
	info, err := os.Stat(h.Passphrase())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	s := &Stack{home: h, name: "x", dir: t.TempDir()}
	failure := &ToolError{What: "pulumi up", Code: 255}
	require.Equal(t, error(failure), s.Explain(t.Context(), failure), "the passphrase is the sandbox's: nothing to add")

	require.NoError(t, os.WriteFile(h.Passphrase(), []byte("other\n"), 0o600))
	require.NoError(t, EnsurePassphrase(h), "a person's own passphrase is left alone")
	explained := s.Explain(t.Context(), failure)
	require.ErrorContains(t, explained, h.Passphrase())
	require.ErrorContains(t, explained, filepath.Join(s.dir, "Pulumi.x.yaml"))
	require.ErrorIs(t, explained, failure)

	plain := errors.New("x")
	require.Equal(t, plain, s.Explain(t.Context(), plain))
	require.NoError(t, s.Explain(t.Context(), nil))
}

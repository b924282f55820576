package stack

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
)

func TestExplainNamesTheFilesOfAWrongPassphrase(t *testing.T) {
	l, err := layout.Create(t.TempDir(), layout.Settings{})
	require.NoError(t, err)
	require.NoError(t, EnsurePassphrase(l))
	info, err := os.Stat(l.Passphrase())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	s := &Stack{layout: l, name: "x", dir: t.TempDir()}
	failure := &ToolError{Command: "pulumi up", Code: 255}
	require.Equal(t, error(failure), s.Explain(t.Context(), failure), "the file has the sandbox's passphrase, so there is no hint")

	require.NoError(t, os.WriteFile(l.Passphrase(), []byte("other\n"), 0o600))
	require.NoError(t, EnsurePassphrase(l), "the user's own passphrase stays")
	explained := s.Explain(t.Context(), failure)
	require.ErrorContains(t, explained, l.Passphrase())
	require.ErrorContains(t, explained, filepath.Join(s.dir, "Pulumi.x.yaml"))
	require.ErrorIs(t, explained, failure)

	otherErr := errors.New("x")
	require.Equal(t, otherErr, s.Explain(t.Context(), otherErr), "not the failure of a Pulumi command")
	require.NoError(t, s.Explain(t.Context(), nil))
}

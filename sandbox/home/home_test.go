package home

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOpenCompletesOlderSettings(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "settings.json"), []byte(`{"ports":{"registry":5002}}`), 0o600))
	h, err := Open(dir)
	require.NoError(t, err)
	require.Equal(t, 5002, h.Ports.Registry, "what was settled stays")
	require.Equal(t, DefaultPorts().Volumes, h.Ports.Volumes, "a port that was not known then gets its default")
}

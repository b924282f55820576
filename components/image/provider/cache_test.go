package provider

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestUnusedCachesAreDeleted uses one cache. Of the other entries, only caches that were
// not used for seven days disappear.
func TestUnusedCachesAreDeleted(t *testing.T) {
	root, outside, now := t.TempDir(), t.TempDir(), time.Now()
	old, young := now.Add(-unusedLimit-time.Minute), now.Add(-unusedLimit+time.Minute)
	createCache := func(path string, used time.Time) {
		t.Helper()
		require.NoError(t, os.MkdirAll(filepath.Join(path, "bin"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(path, "bin", "program"), nil, 0o755))
		require.NoError(t, os.Chtimes(path, used, used))
	}
	inRoot := func(name string) string { return filepath.Join(root, name) }
	createCache(inRoot("000000000001"), old)
	createCache(inRoot("000000000002"), young)
	createCache(inRoot("000000000003.expired"), young)
	createCache(inRoot("000000000004"), old)
	createCache(inRoot("notes"), old)
	createCache(inRoot("0000000000051"), old)
	require.NoError(t, os.WriteFile(inRoot("000000000006"), nil, 0o600))
	require.NoError(t, os.Chtimes(inRoot("000000000006"), old, old))
	createCache(filepath.Join(outside, "target"), old)
	require.NoError(t, os.Symlink(filepath.Join(outside, "target"), inRoot("000000000007")))
	require.NoError(t, os.Symlink(outside, filepath.Join(inRoot("000000000001"), "link")))
	require.NoError(t, os.Chtimes(inRoot("000000000001"), old, old))

	dir, err := useCache(root, "000000000004", now)
	require.NoError(t, err)
	require.Equal(t, inRoot("000000000004"), dir)

	for name, reason := range map[string]string{
		"000000000002":  "it was used in the last seven days",
		"000000000004":  "it is in use",
		"notes":         "its name is not the name of a cache",
		"0000000000051": "its name is too long for a cache",
		"000000000006":  "it is a file",
		"000000000007":  "it is a link",
	} {
		_, err := os.Lstat(inRoot(name))
		require.NoError(t, err, "%s must stay: %s", name, reason)
	}
	for name, reason := range map[string]string{
		"000000000001":         "it was not used for seven days",
		"000000000003.expired": "an earlier process began to delete it",
	} {
		_, err := os.Lstat(inRoot(name))
		require.ErrorIs(t, err, os.ErrNotExist, "%s must be deleted: %s", name, reason)
	}
	require.FileExists(t, filepath.Join(outside, "target", "bin", "program"), "a link led to it")
	require.FileExists(t, filepath.Join(dir, "bin", "program"), "it is in the cache in use")

	// The use is recorded, so the cache still exists after a use of another cache six days later.
	_, err = useCache(root, "000000000002", now.Add(unusedLimit-24*time.Hour))
	require.NoError(t, err)
	require.DirExists(t, dir)
}

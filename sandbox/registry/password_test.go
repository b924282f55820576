package registry

import (
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
)

func newLayout(t *testing.T) *layout.Layout {
	t.Helper()
	l, err := layout.Create(t.TempDir(), layout.Settings{Cluster: layout.ClusterLocal})
	require.NoError(t, err)
	return l
}

func TestConcurrentCallsCreateOnePassword(t *testing.T) {
	l := newLayout(t)
	passwords := make([]string, 8)
	errs := make([]error, len(passwords))
	var wg sync.WaitGroup
	for i := range passwords {
		wg.Go(func() { passwords[i], errs[i] = EnsurePassword(l) })
	}
	wg.Wait()
	for i := range passwords {
		require.NoError(t, errs[i])
		require.Len(t, passwords[i], 64)
		require.Equal(t, passwords[0], passwords[i])
	}
	info, err := os.Stat(l.RegistryPassword())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	other, err := EnsurePassword(newLayout(t))
	require.NoError(t, err)
	require.NotEqual(t, passwords[0], other)
}

func TestPasswordFileGetsMode0600AndIsChecked(t *testing.T) {
	l := newLayout(t)
	password, err := EnsurePassword(l)
	require.NoError(t, err)

	require.NoError(t, os.Chmod(l.RegistryPassword(), 0o644))
	passwordAgain, err := EnsurePassword(l)
	require.NoError(t, err)
	require.Equal(t, password, passwordAgain)
	info, err := os.Stat(l.RegistryPassword())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "a file that others may read gets mode 0600")

	for reason, content := range map[string]string{
		"empty after a crash": "",
		"truncated":           password[:40],
		"not hex":             password[:63] + "x",
	} {
		t.Run(reason, func(t *testing.T) {
			require.NoError(t, os.WriteFile(l.RegistryPassword(), []byte(content), 0o600))
			_, err := EnsurePassword(l)
			require.ErrorContains(t, err, l.RegistryPassword())
			require.ErrorContains(t, err, "remove the file")
		})
	}
}

package debian

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// baseRecipe is a recipe with packages that are installed on every Debian machine.
var baseRecipe = recipe{repository: "debian/base", packages: []string{"base-files"}, user: "nobody", userID: 65534, path: "/bin"}

func TestImageContainsProgramsAndTheirLibraries(t *testing.T) {
	files, err := baseRecipe.listFiles(t.Context())
	require.NoError(t, err)
	for _, want := range []string{"/usr/bin/dash", "/usr/bin/sh", "/usr/bin/cat"} {
		require.Contains(t, files, want)
	}
	libc, err := filepath.Glob("/usr/lib/*/libc.so.6")
	require.NoError(t, err)
	require.NotEmpty(t, libc)
	require.Subset(t, files, libc, "the library that all programs load")

	first, err := baseRecipe.pack(t.Context())
	require.NoError(t, err)
	second, err := baseRecipe.pack(t.Context())
	require.NoError(t, err)
	firstDigest, err := first.Digest()
	require.NoError(t, err)
	secondDigest, err := second.Digest()
	require.NoError(t, err)
	require.Equal(t, firstDigest, secondDigest, "the same packages give the same image")
}

func TestArchiveHasTheSameOwnersAndModesOnEveryMachine(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	program, link, private := filepath.Join(dir, "program"), filepath.Join(dir, "link"), filepath.Join(dir, "private")
	require.NoError(t, os.WriteFile(private, []byte("x"), 0o600))
	require.NoError(t, os.WriteFile(program, []byte("x"), 0o700))
	require.NoError(t, os.Chmod(program, 0o4755|os.ModeSetuid))
	require.NoError(t, os.Symlink("program", link))

	paths := pathSet{}
	require.NoError(t, paths.add(link))
	require.Equal(t, []string{link, program}, paths.sortedPaths(), "the target of a link is added too")
	require.NoError(t, paths.add(private))

	var out bytes.Buffer
	require.NoError(t, baseRecipe.writeArchive(&out, paths.sortedPaths()))
	headers := map[string]*tar.Header{}
	for r := tar.NewReader(&out); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		headers["/"+h.Name] = h
	}
	require.Equal(t, int64(0o755), headers[program].Mode, "the setuid bit is removed")
	require.Equal(t, int64(0o644), headers[private].Mode, "the user of the image owns no file, and must read this one")
	require.Zero(t, headers[program].Uid)
	require.True(t, headers[program].ModTime.Unix() <= 0)
	require.Equal(t, "program", headers[link].Linkname)
	require.Equal(t, "usr/bin", headers["/bin"].Linkname)
	require.Contains(t, headers, filepath.Dir(program)+"/", "a folder comes before its files")
}

func TestLddOutputGivesThePathsOfLibraries(t *testing.T) {
	paths, err := parseLdd([]byte("/usr/bin/x:\n\tlinux-vdso.so.1 (0x0001)\n\tlibc.so.6 => /lib/libc.so.6 (0x0002)\n\t/lib64/ld.so (0x0003)\n\tstatically linked\n"))
	require.NoError(t, err)
	require.Equal(t, []string{"/lib/libc.so.6", "/lib64/ld.so"}, paths)
	_, err = parseLdd([]byte("\tlibx.so => not found\n"))
	require.ErrorContains(t, err, "libx.so => not found")
}

func TestErrorNamesThePackageThatIsNotInstalled(t *testing.T) {
	_, err := recipe{repository: "debian/none", packages: []string{"no-such-package-of-debian"}}.contentTag(t.Context())
	require.ErrorContains(t, err, "no-such-package-of-debian")
	require.ErrorContains(t, err, "must be installed")
}

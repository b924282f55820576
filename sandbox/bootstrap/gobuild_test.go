package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/progress"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

// smallProject is a project with one program, and how to build it.
func smallProject(t *testing.T, source string) (where, executable) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"go.mod": "module small\n\ngo 1.26\n", "go.sum": "", "main.go": source} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	w := where{
		project: dir, sandbox: filepath.Join(dir, ".sandbox"),
		env: append(os.Environ(), toolchain.BuildVariables(t.Context(), os.Environ())...),
	}
	require.NoError(t, prepareFolders(w))
	return w, executable{name: "small", log: "small", dir: ".", pkg: ".", out: filepath.Join(w.bin(), "small")}
}

func TestBuild(t *testing.T) {
	w, e := smallProject(t, "package main\n\nfunc main() {}\n")
	var said bytes.Buffer
	require.NoError(t, e.run(t.Context(), w, progress.New(&said, 1)))
	require.FileExists(t, e.out)
	require.Contains(t, said.String(), "[1/1] building small done in")
	log, err := os.ReadFile(filepath.Join(w.logs(), "build-small.log"))
	require.NoError(t, err)
	require.Contains(t, string(log), "go build -v -trimpath")
}

func TestBuildTellsTheCompilersWords(t *testing.T) {
	w, e := smallProject(t, "package main\n\nfunc main() { undeclared() }\n")
	err := e.run(t.Context(), w, progress.New(&bytes.Buffer{}, 1))
	require.ErrorContains(t, err, "undefined: undeclared")
	require.ErrorContains(t, err, filepath.Join(w.logs(), "build-small.log"))
	require.NoFileExists(t, e.out)
}

func TestBuildWritesThroughNoLink(t *testing.T) {
	// bin/pulumi led to an installed Pulumi, which has gone from PATH since.
	w, e := smallProject(t, "package main\n\nfunc main() {}\n")
	installed := filepath.Join(t.TempDir(), "pulumi")
	require.NoError(t, os.WriteFile(installed, []byte("the real one"), 0o755))
	require.NoError(t, os.Symlink(installed, e.out))
	require.NoError(t, e.run(t.Context(), w, progress.New(&bytes.Buffer{}, 1)))
	raw, err := os.ReadFile(installed)
	require.NoError(t, err)
	require.Equal(t, "the real one", string(raw))
}

func TestStampedBuildIsNotRepeated(t *testing.T) {
	w, e := smallProject(t, "package main\n\nfunc main() {}\n")
	e.stamp = true
	run := func() { require.NoError(t, e.run(t.Context(), w, progress.New(&bytes.Buffer{}, 1))) }
	run()
	first, err := os.Stat(e.out)
	require.NoError(t, err)
	log := filepath.Join(w.logs(), "build-small.log")
	require.NoError(t, os.Remove(log))

	run()
	require.NoFileExists(t, log, "the go command was not asked")

	require.NoError(t, os.WriteFile(filepath.Join(w.project, "go.sum"), []byte("\n"), 0o600))
	run()
	require.FileExists(t, log, "other modules: built again")

	require.NoError(t, os.Remove(e.out))
	run()
	second, err := os.Stat(e.out)
	require.NoError(t, err)
	require.Equal(t, first.Size(), second.Size(), "what was removed comes back")
}

func TestExplainAFullDisk(t *testing.T) {
	w, e := smallProject(t, "")
	err := e.explain(t.Context(), w, errors.New("exit status 1"), "a\nwrite /tmp/go-build1/b001/_pkg_.a: no space left on device", "x.log")
	require.ErrorContains(t, err, "no space left on the disk of one of these folders")
	require.ErrorContains(t, err, w.sandbox+": ")
	require.ErrorContains(t, err, "_pkg_.a")
}

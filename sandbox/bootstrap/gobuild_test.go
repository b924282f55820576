package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/progress"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

// newSmallProject creates a project with one program. It returns the workspace and the
// executable to build.
func newSmallProject(t *testing.T, source string) (workspace, executable) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "project")
	require.NoError(t, os.Mkdir(dir, 0o700))
	for name, content := range map[string]string{"go.mod": "module small\n\ngo 1.26\n", "go.sum": "", "main.go": source} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	w := workspace{
		project: dir, sandbox: filepath.Join(dir, ".sandbox"),
		env: append(os.Environ(), toolchain.BuildVariables()...),
	}
	require.NoError(t, prepareFolders(w))
	return w, executable{name: "small", log: "small", dir: ".", pkg: ".", out: filepath.Join(w.bin(), "small")}
}

func TestBuildWritesTheExecutableAndALog(t *testing.T) {
	w, e := newSmallProject(t, "package main\n\nfunc main() {}\n")
	var output bytes.Buffer
	require.NoError(t, e.build(t.Context(), w, progress.New(&output, 1)))
	require.FileExists(t, e.out)
	require.Contains(t, output.String(), "[1/1] building small done in")
	log, err := os.ReadFile(filepath.Join(w.logs(), "build-small.log"))
	require.NoError(t, err)
	require.Contains(t, string(log), "go build -v -trimpath")
}

// The folders around a checkout and the variables of a shell do not change a build.
func TestBuildDoesNotDependOnItsSurroundings(t *testing.T) {
	for _, tc := range []struct {
		reason string
		change func(t *testing.T, w workspace)
	}{
		{"a checkout that git cannot describe, such as another user's", func(t *testing.T, w workspace) {
			require.NoError(t, os.Mkdir(filepath.Join(w.project, ".git"), 0o700))
		}},
		{"a repository named by a variable", func(t *testing.T, _ workspace) { t.Setenv("GIT_DIR", "/nowhere") }},
		{"a workspace in a folder above", func(t *testing.T, w workspace) {
			require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(w.project), "go.work"), []byte("go 1.26\n\nuse ./absent\n"), 0o600))
		}},
		{"a workspace named by a variable", func(t *testing.T, _ workspace) { t.Setenv("GOWORK", "/nowhere/go.work") }},
		{"flags that suit another project", func(t *testing.T, _ workspace) { t.Setenv("GOFLAGS", "-mod=vendor -tags=absent") }},
		{"another system to build for", func(t *testing.T, _ workspace) { t.Setenv("GOOS", "windows"); t.Setenv("GOARCH", "arm64") }},
		{"cgo without a compiler", func(t *testing.T, _ workspace) { t.Setenv("CGO_ENABLED", "1"); t.Setenv("CC", "/nowhere/cc") }},
		{"modules switched off", func(t *testing.T, _ workspace) { t.Setenv("GO111MODULE", "off") }},
		{"an experiment that this Go does not have", func(t *testing.T, _ workspace) { t.Setenv("GOEXPERIMENT", "absent") }},
		{"cryptography that this Go does not have", func(t *testing.T, _ workspace) { t.Setenv("GOFIPS140", "absent") }},
		{"the folder of a Go that is gone", func(t *testing.T, _ workspace) { t.Setenv("GOROOT", "/nowhere") }},
		{"instructions that the machine lacks", func(t *testing.T, _ workspace) { t.Setenv("GOAMD64", "v4"); t.Setenv("GOARM64", "v9.5") }},
		{"settings of go env -w", func(t *testing.T, w workspace) {
			file := filepath.Join(w.project, "env")
			require.NoError(t, os.WriteFile(file, []byte("GO111MODULE=off\nGOFLAGS=-mod=vendor\nGOAMD64=v4\nGOWORK=/nowhere/go.work\n"), 0o600))
			t.Setenv("GOENV", file)
		}},
		{"a folder for temporary files with a space", func(t *testing.T, w workspace) {
			dir := filepath.Join(w.project, "a b")
			require.NoError(t, os.Mkdir(dir, 0o700))
			t.Setenv("TMPDIR", dir)
		}},
		{"another language", func(t *testing.T, _ workspace) { t.Setenv("LC_ALL", "C.UTF-8"); t.Setenv("LANGUAGE", "de") }},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			w, e := newSmallProject(t, "package main\n\nfunc main() {}\n")
			tc.change(t, w)
			w.env = append(os.Environ(), toolchain.BuildVariables()...)
			require.NoError(t, e.build(t.Context(), w, progress.New(&bytes.Buffer{}, 1)))
			out, err := exec.CommandContext(t.Context(), e.out).CombinedOutput()
			require.NoError(t, err, "the program runs on this machine: %s", out)
		})
	}
}

func TestFailedBuildShowsTheCompilersMessage(t *testing.T) {
	w, e := newSmallProject(t, "package main\n\nfunc main() { undeclared() }\n")
	err := e.build(t.Context(), w, progress.New(&bytes.Buffer{}, 1))
	require.ErrorContains(t, err, "undefined: undeclared")
	require.ErrorContains(t, err, filepath.Join(w.logs(), "build-small.log"))
	require.NoFileExists(t, e.out)
}

func TestBuildReplacesALinkAndKeepsItsTarget(t *testing.T) {
	// bin/pulumi is a link to an installed Pulumi that is no longer on PATH.
	w, e := newSmallProject(t, "package main\n\nfunc main() {}\n")
	installed := filepath.Join(t.TempDir(), "pulumi")
	require.NoError(t, os.WriteFile(installed, []byte("the real one"), 0o755))
	require.NoError(t, os.Symlink(installed, e.out))
	require.NoError(t, e.build(t.Context(), w, progress.New(&bytes.Buffer{}, 1)))
	raw, err := os.ReadFile(installed)
	require.NoError(t, err)
	require.Equal(t, "the real one", string(raw))
}

func TestStampedBuildIsNotRepeated(t *testing.T) {
	w, e := newSmallProject(t, "package main\n\nfunc main() {}\n")
	e.stamp = true
	run := func() { require.NoError(t, e.build(t.Context(), w, progress.New(&bytes.Buffer{}, 1))) }
	run()
	first, err := os.Stat(e.out)
	require.NoError(t, err)
	log := filepath.Join(w.logs(), "build-small.log")
	require.NoError(t, os.Remove(log))

	run()
	require.NoFileExists(t, log, "the go command did not run")

	require.NoError(t, os.WriteFile(filepath.Join(w.project, "go.sum"), []byte("\n"), 0o600))
	run()
	require.FileExists(t, log, "changed modules: built again")

	require.NoError(t, os.Remove(e.out))
	run()
	second, err := os.Stat(e.out)
	require.NoError(t, err)
	require.Equal(t, first.Size(), second.Size(), "a removed executable is built again")
}

func TestErrorOfAFullDiskListsTheFolders(t *testing.T) {
	w, e := newSmallProject(t, "")
	err := e.buildError(t.Context(), w, errors.New("exit status 1"), "a\nwrite /tmp/go-build1/b001/_pkg_.a: no space left on device", "x.log")
	require.ErrorContains(t, err, "no space left on the disk of one of these folders")
	require.ErrorContains(t, err, w.sandbox+": ")
	require.ErrorContains(t, err, "_pkg_.a")
}

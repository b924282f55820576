package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// make must find the sandbox in a folder with a space in its name, and must work without a
// home folder.
func TestMakefileWorksWithSpacesInPathsAndMinimalEnvironment(t *testing.T) {
	require.FileExists(t, "../../Makefile") // so the go command does not reuse a cached result after this file changes
	dir := filepath.Join(t.TempDir(), "a b", "it's here")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "bin"), 0o700))
	script := "#!/bin/sh\nprintf '%s|' \"$@\" \"$HOME\" \"$GOWORK\" \"$GOFLAGS\" \"$GOOS\" \"$CGO_ENABLED\" \"$GOROOT$GOEXPERIMENT\"\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bin", "sandbox"), []byte(script), 0o700))
	cmd := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-C", "../..", "status")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "PROGRESSIVE_SANDBOX=" + dir,
		"GOFLAGS=-mod=vendor", "GOWORK=/nowhere/go.work", "GOOS=windows", "CGO_ENABLED=1", "GOROOT=/nowhere", "GOEXPERIMENT=absent",
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	printed := strings.Split(string(out), "|")
	require.Equal(t, "status", printed[0])
	require.DirExists(t, printed[1], "HOME")
	require.Equal(t, []string{"off", "-trimpath -buildvcs=false", "linux", "0", ""}, printed[2:7])
}

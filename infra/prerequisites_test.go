package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAWSCLIIsAPrerequisite(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("PATH", folder)
	err := checkPrerequisites(exec.LookPath)
	require.ErrorContains(t, err, "the program aws is not installed")
	require.ErrorContains(t, err, "install the AWS CLI, version 2")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "aws"), []byte("#!/bin/sh\n"), 0o700))
	require.NoError(t, checkPrerequisites(exec.LookPath))
}

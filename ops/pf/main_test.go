package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/ops/exitcode"
)

func TestHelpListsTheSubcommands(t *testing.T) {
	var out, errs bytes.Buffer
	require.Zero(t, run(t.Context(), []string{"--help"}, &out, &errs))
	for _, c := range newRootCommand().Commands() {
		require.Contains(t, out.String(), c.Name())
		require.NotEmpty(t, c.Short, c.Name())
		require.NotEmpty(t, c.Example, c.Name())
	}
	require.Empty(t, errs.String())
}

func TestWrongUsageHasExitCodeTwo(t *testing.T) {
	for _, args := range [][]string{{"lod"}, {"load", "--rat", "5"}, {"load", "hammer", "--url", "http://127.0.0.1:1"}} {
		var out, errs bytes.Buffer
		require.Equal(t, exitcode.Usage, run(t.Context(), args, &out, &errs), args)
		require.Contains(t, errs.String(), "error: ")
		require.Contains(t, errs.String(), "see pf --help")
		require.Empty(t, out.String())
	}
}

// TestWithoutAStackNothingIsSent: Pulumi is not installed.
func TestWithoutAStackNothingIsSent(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, args := range [][]string{{"load"}, {"diagnose"}, {"forecast", "explain"}} {
		var out, errs bytes.Buffer
		require.NotZero(t, run(t.Context(), args, &out, &errs), args)
		require.Contains(t, errs.String(), "read the stack")
	}
}

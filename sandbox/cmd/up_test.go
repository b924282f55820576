package cmd

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/progress"
)

// An export of the state takes a second or more. So `up` must export it only once before
// `pulumi up` and once after it.
func TestUpExportsTheStateOnceBeforeAndOnceAfter(t *testing.T) {
	l := newLayout(t)
	require.NoError(t, os.WriteFile(filepath.Join(l.Project, "Pulumi.sandbox.yaml"), []byte("config: {}\n"), 0o600))
	callsFile := filepath.Join(t.TempDir(), "calls")
	script := "#!/bin/sh\necho \"$*\" >>" + callsFile + "\n[ \"$1 $2\" != 'stack export' ] || echo '{\"deployment\":{}}'\n"
	require.NoError(t, os.WriteFile(filepath.Join(l.Bin(), "pulumi"), []byte(script), 0o755))

	c := &cobra.Command{}
	c.SetContext(t.Context())
	c.SetOut(t.Output())
	c.SetErr(t.Output())
	require.NoError(t, upStack(c, l, progress.New(t.Output(), 0)))

	recorded, err := os.ReadFile(callsFile)
	require.NoError(t, err)
	commands := regexp.MustCompile(`(?m)^(stack \w+|\w+).*$`).ReplaceAllString(string(recorded), "$1")
	require.Equal(t, "stack select\nstack export\nup\nstack export\n", commands)
}

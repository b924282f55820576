package engine

import (
	"bytes"
	"context"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// Pulumi commands in a shell of `make env` find the stacks and write nothing to the checkout.
func TestShellOfTheSandboxLeavesTheCheckoutAlone(t *testing.T) {
	e := newEnvironment(t)
	stateBefore := e.readCheckoutState(t)
	out := e.runInShell(t, `
set -e
cd "$1"
pulumi stack init sandbox && pulumi stack init prod && pulumi stack init staging
pulumi config set --path 'progressive-framework:network.zones[3]' us-east-1d
pulumi config get --path 'progressive-framework:network.zones[3]'
pulumi config set --secret --path 'progressive-framework:postgres.connections' 5 --stack prod
pulumi preview --stack sandbox --non-interactive
cd infra && pulumi stack ls
pulumi stack rm prod --yes && pulumi stack rm staging --yes --preserve-config && pulumi stack rm sandbox --yes --preserve-config
`)
	require.Contains(t, out, "us-east-1d\n")
	require.Contains(t, out, "to create")
	require.Contains(t, out, "progressive-framework@v", "a plain preview runs the policy pack")
	require.Equal(t, stateBefore, e.readCheckoutState(t))
}

// Pulumi writes the salt of a stack's passphrase into the stack's file. Only the passphrase of the stack
// sandbox is public, so only its file in the project may have a salt.
func TestOnlyTheSandboxStackHasASalt(t *testing.T) {
	e := newEnvironment(t)
	out, err := exec.CommandContext(t.Context(), "grep", "-l", "encryptionsalt", "-r", e.layout.Project, "--include=Pulumi.*.yaml", "--exclude-dir=.sandbox").Output()
	require.NoError(t, err)
	require.Equal(t, e.layout.Project+"/Pulumi.sandbox.yaml\n", string(out))
}

// runInShell runs a script in a shell of `make env`, with the project as its argument.
func (e *environment) runInShell(t *testing.T, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	exports, err := e.run(t, e.layout.Project, "sandbox", "env")
	require.NoError(t, err)
	cmd := exec.CommandContext(ctx, "bash", "-c", exports+script, "bash", e.layout.Project)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	t.Log(out.String())
	require.NoError(t, err)
	return out.String()
}

// readCheckoutState returns git's status and diff of the project's files.
func (e *environment) readCheckoutState(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-c", `git -c safe.directory='*' status --porcelain && git -c safe.directory='*' diff | sha256sum`)
	cmd.Dir = e.layout.Project
	out, err := cmd.Output()
	require.NoError(t, err)
	return string(out)
}

package pulumicli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// newFakePulumi puts a script on PATH in place of Pulumi, and returns a CLI that runs it. The
// engine tests run the real Pulumi.
func newFakePulumi(t *testing.T, script string) *CLI {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pulumi"), []byte("#!/bin/sh\n"+script), 0o700))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return &CLI{Stack: "prod", Dir: dir, Pack: "/pack"}
}

func TestPreviewPassesThePackAndTheReport(t *testing.T) {
	c := newFakePulumi(t, `echo "$* $PULUMI_OPTION_POLICY_PACK $POLICY_REPORT"`)
	out, err := c.Preview(t.Context(), "/report.json")
	require.NoError(t, err)
	require.Equal(t, "preview --json --show-sames --non-interactive --color=never --stack prod /pack /report.json\n", string(out))
}

// A violation makes Pulumi fail, but pf needs the output of the preview.
func TestFailedPreviewHasItsOutputAndMessage(t *testing.T) {
	c := newFakePulumi(t, "echo '{}'; echo 'error: no such stack' >&2; exit 3")
	out, err := c.Preview(t.Context(), "")
	require.Equal(t, "{}\n", string(out))
	var failed *Error
	require.ErrorAs(t, err, &failed)
	require.Equal(t, 3, failed.Code)
	require.ErrorContains(t, err, "pulumi preview: error: no such stack")
}

func TestRefreshWritesNothing(t *testing.T) {
	out, err := newFakePulumi(t, `echo "$*"`).Refresh(t.Context())
	require.NoError(t, err)
	require.Contains(t, string(out), "refresh --preview-only --json")
	require.NotContains(t, string(out), "--yes")
}

func TestSandboxIsUsedForAnOfflinePreview(t *testing.T) {
	c := newFakePulumi(t, "exit 9")
	c.Sandbox = filepath.Join(c.Dir, "sandbox")
	require.NoError(t, os.WriteFile(c.Sandbox, []byte("#!/bin/sh\necho \"$*\""), 0o700))
	out, err := c.Preview(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, "preview --stack prod -- --json --show-sames --non-interactive --color=never\n", string(out))
	state, err := c.Export(t.Context())
	require.NoError(t, err)
	require.Contains(t, string(state), `"resources":[]`)
}

func TestTimeLimitInterruptsPulumi(t *testing.T) {
	c := newFakePulumi(t, "trap 'echo saved; exit 1' INT; while :; do sleep 0.01; done")
	c.Timeout = 200 * time.Millisecond
	out, err := c.Export(t.Context())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, "saved\n", string(out), "after the interrupt, Pulumi has time to save its state")
}

func TestMissingPulumiNamesTheFix(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := (&CLI{Stack: "prod"}).Export(t.Context())
	require.ErrorContains(t, err, "install Pulumi")
}

func TestUpReadsTheOperations(t *testing.T) {
	c := newFakePulumi(t, `cat <<'END'
warning: a text of a plugin
{"resOutputsEvent":{"metadata":{"op":"same","urn":"a"}}}
{"resOutputsEvent":{"metadata":{"op":"update","urn":"b"}}}
{"diagnosticEvent":{"urn":"b","severity":"error","message":"AccessDenied\n"}}
{"policyEvent":{"resourceUrn":"b","policyName":"a-rule","enforcementLevel":"mandatory","message":"broken"}}
{"policyEvent":{"resourceUrn":"b","policyName":"another","enforcementLevel":"advisory","message":"no matter"}}
END
exit 1`)
	var progress strings.Builder
	c.Progress = &progress
	done, err := c.Up(t.Context())
	require.Equal(t, []Operation{{"same", "a"}, {"update", "b"}}, done)
	require.ErrorContains(t, err, "b AccessDenied")
	require.ErrorContains(t, err, "b a-rule: broken")
	require.NotContains(t, err.Error(), "no matter")
	require.Equal(t, "update b\n", progress.String())
}

func TestOutputIsLimited(t *testing.T) {
	b := &limitedBuffer{max: 3}
	n, err := b.Write([]byte("abcd"))
	require.NoError(t, err)
	require.Equal(t, 4, n, "the writing command sees no error")
	require.Equal(t, "abc", b.String())
	require.True(t, b.truncated)
	_, err = b.Write([]byte("e"))
	require.NoError(t, err)
	require.Equal(t, "abc", b.String())
}

func TestMissingFilesOfTheStackAreErrors(t *testing.T) {
	dir := t.TempDir()
	c := &CLI{Stack: "prod", Dir: dir}
	_, _, err := c.ReadFiles()
	require.ErrorContains(t, err, "--cwd")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: x"), 0o600))
	_, _, err = c.ReadFiles()
	require.True(t, errors.Is(err, os.ErrNotExist))
}

package stackoutput

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// installFakePulumi puts a script on PATH in place of Pulumi. It returns the file into which the
// script writes its arguments.
func installFakePulumi(t *testing.T, script string) (argumentsFile string) {
	t.Helper()
	dir := t.TempDir()
	argumentsFile = filepath.Join(dir, "arguments")
	text := "#!/bin/sh\necho \"$@\" > " + argumentsFile + "\n" + script + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pulumi"), []byte(text), 0o700))
	t.Setenv("PATH", dir+":/bin:/usr/bin")
	return argumentsFile
}

func TestOutputsAreRead(t *testing.T) {
	argumentsFile := installFakePulumi(t, `cat <<'END'
{"url":"http://127.0.0.1:30080","namespace":"ns","clusterName":"c","kubeconfig":"{\"apiVersion\":\"v1\"}",
 "autoScalingGroups":{"web":"g"},"postgres":{"host":"pg","port":5432,"secretName":"s"},"redis":{"host":"r","port":6379,"secretArn":"arn"},
 "images":{"web":"x"}}
END`)
	o, err := (&Stack{Name: "prod", Dir: "/project"}).Read(t.Context())
	require.NoError(t, err)
	require.Equal(t, "http://127.0.0.1:30080", o.URL)
	require.JSONEq(t, `{"apiVersion":"v1"}`, string(o.KubeconfigContent()))
	require.Equal(t, Store{Host: "pg", Port: 5432, SecretName: "s"}, o.Postgres)
	require.Equal(t, Store{Host: "r", Port: 6379, SecretARN: "arn"}, o.Redis)
	require.Equal(t, map[string]string{"web": "g"}, o.AutoScalingGroups)
	commandLine, err := os.ReadFile(argumentsFile)
	require.NoError(t, err)
	require.Equal(t, "stack output --json --non-interactive --stack prod --cwd /project\n", string(commandLine))
}

// TestInterruptedReadDoesNotWaitForAPlugin: the child keeps the output of the command open.
func TestInterruptedReadDoesNotWaitForAPlugin(t *testing.T) {
	started := filepath.Join(t.TempDir(), "started")
	installFakePulumi(t, "sleep 20 & touch "+started+"; wait")
	ctx, interrupt := context.WithCancel(t.Context())
	end := make(chan error, 1)
	go func() {
		_, err := (&Stack{}).Read(ctx)
		end <- err
	}()
	require.Eventually(t, func() bool { _, err := os.Stat(started); return err == nil }, 10*time.Second, time.Millisecond)
	interrupt()
	select {
	case err := <-end:
		require.Error(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("the read waits for the child")
	}
}

func TestStateIsExported(t *testing.T) {
	argumentsFile := installFakePulumi(t, `echo '{"deployment":{}}'`)
	raw, err := (&Stack{Name: "prod", Dir: "/project"}).Export(t.Context())
	require.NoError(t, err)
	require.JSONEq(t, `{"deployment":{}}`, string(raw))
	commandLine, err := os.ReadFile(argumentsFile)
	require.NoError(t, err)
	require.Equal(t, "stack export --non-interactive --stack prod --cwd /project\n", string(commandLine))

	installFakePulumi(t, `echo "error: no stack selected" >&2; exit 255`)
	_, err = (&Stack{}).Export(t.Context())
	require.ErrorContains(t, err, "read the stack: no stack selected")
}

func TestKubeconfigMayBeAnObject(t *testing.T) {
	installFakePulumi(t, `echo '{"url":"u","kubeconfig":{"apiVersion":"v1"}}'`)
	o, err := (&Stack{}).Read(t.Context())
	require.NoError(t, err)
	require.JSONEq(t, `{"apiVersion":"v1"}`, string(o.KubeconfigContent()))
}

func TestUnreadableStacksAreErrors(t *testing.T) {
	for _, row := range []struct{ reason, script, message string }{
		{"no stack", `echo "error: no stack selected" >&2; exit 255`, "read the stack: no stack selected"},
		{"no message", `exit 3`, "exit status 3"},
		{"incomplete JSON", `echo '{"url":'`, "no JSON"},
		{"nothing deployed", `echo '{}'`, "run pulumi up first"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			installFakePulumi(t, row.script)
			_, err := (&Stack{}).Read(t.Context())
			require.ErrorContains(t, err, row.message)
		})
	}
	t.Run("no Pulumi", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		_, err := (&Stack{}).Read(t.Context())
		require.ErrorContains(t, err, "install Pulumi")
	})
}

package cmd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/lock"
)

// runSandbox runs a command line of the sandbox as main does. It returns the exit code and the
// texts on both output streams.
func runSandbox(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	runComponent := func(_ context.Context, l *layout.Layout, name string) error {
		return fmt.Errorf("component %s in %s", name, l.Dir)
	}
	code = Main(t.Context(), args, runComponent, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

// newLayout creates the folder of a sandbox with simulated nodes, in a new project. It changes
// the working directory to the project.
func newLayout(t *testing.T) *layout.Layout {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "Pulumi.yaml"), []byte("name: x\n"), 0o600))
	l, err := layout.Create(filepath.Join(root, ".sandbox"), layout.Settings{Cluster: layout.ClusterSimulated, Project: root, Ports: layout.DefaultPorts()})
	require.NoError(t, err)
	t.Setenv(layout.Variable, "")
	t.Chdir(root)
	return l
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	var checkHelp func(c *cobra.Command)
	checkHelp = func(c *cobra.Command) {
		if c.Name() != "help" && c.Parent() != nil && c.Parent().Name() == "sandbox" && c.Name() != "aws" {
			require.NotEmpty(t, c.Short, c.CommandPath())
			require.NotEmpty(t, c.Example, c.CommandPath())
		}
		for _, sub := range c.Commands() {
			checkHelp(sub)
		}
	}
	checkHelp(newRoot(nil))
	code, out, _ := runSandbox(t, "up", "--help")
	require.Zero(t, code)
	require.Contains(t, out, "Examples:")
}

func TestErrorIsPrintedOnce(t *testing.T) {
	newLayout(t)
	elsewhere := t.TempDir()
	cases := []struct {
		reason string
		args   []string
		code   int
		want   string
	}{
		{"an unknown command is wrong usage", []string{"bogus"}, 2, `unknown command "bogus"`},
		{"an unknown flag is wrong usage", []string{"status", "--bogus"}, 2, "See: sandbox status --help"},
		{"a surplus argument is wrong usage", []string{"down", "now"}, 2, "sandbox down --help"},
		{"no sandbox", []string{"--home", elsewhere, "status"}, 1, "create one with make up"},
		{"a log that does not exist", []string{"logs", "bogus"}, 1, `no log "bogus"`},
		{"a process of the cluster fails with its own error", []string{"run", "etcd"}, 1, "component etcd in"},
		{"the forward needs a target", []string{"run", "forward", "ns"}, 2, "a namespace, a service and a port"},
		{"tools that are not built", []string{"preview", "--stack", "qa"}, 1, "run make build"},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			code, _, stderr := runSandbox(t, c.args...)
			require.Equal(t, c.code, code, stderr)
			require.Equal(t, 1, strings.Count(stderr, "error:"), stderr)
			require.Contains(t, stderr, c.want)
		})
	}
}

func TestSecondCommandFailsAndNamesTheRunningCommand(t *testing.T) {
	l := newLayout(t)
	release, err := lock.Take(l.Dir, "make up")
	require.NoError(t, err)
	defer release()
	for _, command := range []string{"up", "down"} {
		code, _, stderr := runSandbox(t, command)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "make up (pid ", command)
	}
}

func TestUpNamesEveryProblemBeforeItStartsAnything(t *testing.T) {
	l := newLayout(t)
	t.Setenv("CLUSTER", layout.ClusterSimulated)
	var usedPorts []string // NAME=PORT of ports on which this test listens
	for _, name := range []string{"apiServer", "registry"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { listener.Close() })
		usedPorts = append(usedPorts, fmt.Sprintf("%s=%d", name, listener.Addr().(*net.TCPAddr).Port))
	}
	t.Setenv("SANDBOX_PORTS", strings.Join(usedPorts, ","))
	code, _, stderr := runSandbox(t, "up")
	require.Equal(t, 1, code)
	for _, used := range usedPorts {
		_, port, _ := strings.Cut(used, "=")
		require.Contains(t, stderr, "port "+port+" in use")
	}
	require.Contains(t, stderr, "SANDBOX_PORTS=")
	entries, err := os.ReadDir(l.PKI())
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestDownWithoutASandboxDoesNothing(t *testing.T) {
	code, _, stderr := runSandbox(t, "--home", t.TempDir(), "down")
	require.Zero(t, code)
	require.Contains(t, stderr, "nothing to stop")
}

func TestShellLinesAreQuotedAndRemoveCredentials(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "it's $HOME `here`")
	l, err := layout.Create(dir, layout.Settings{Project: root})
	require.NoError(t, err)
	lines := shellLines(append(l.ExtendEnv([]string{"PATH=/usr/bin:/bin", "EDITOR=vi"}), "GOFLAGS=-a -b", "CGO_ENABLED=0", "GOROOT=", "GOAMD64=v1"), l)
	require.NotContains(t, lines, "EDITOR")
	for _, shell := range []string{"bash", "zsh"} {
		path, err := exec.LookPath(shell)
		if err != nil && shell == "zsh" {
			continue // quoting is POSIX; zsh is tested only where it is installed
		}
		require.NoError(t, err)
		script := `eval "$1"; printf '%s|%s|%s|%s|%s' "$PROGRESSIVE_SANDBOX" "$PATH" "$GOFLAGS" "${AWS_PROFILE-unset}" "$GOROOT$GOAMD64"`
		cmd := exec.CommandContext(t.Context(), path, "-c", script, shell, lines)
		cmd.Env = []string{"AWS_PROFILE=production", "GOROOT=/nowhere", "GOAMD64=v4"}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		require.Equal(t, dir+"|"+dir+"/bin:/usr/bin:/bin|-a -b|unset|v1", string(out))
	}
	require.True(t, strings.HasPrefix(lines, "# In this shell AWS is a stand-in"))
}

func TestLogsShowTheLastLines(t *testing.T) {
	l := newLayout(t)
	require.NoError(t, os.WriteFile(filepath.Join(l.Logs(), "a.log"), []byte("1\n2\n3\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(l.Logs(), "b.log"), []byte("4\n5"), 0o600))
	_, out, _ := runSandbox(t, "logs", "-n", "2")
	require.Equal(t, "==> a.log <==\n2\n3\n\n==> b.log <==\n4\n5", out)
	_, out, _ = runSandbox(t, "logs", "a", "-n", "1")
	require.Equal(t, "3\n", out)
}

func TestFollowedLogsShowNewLinesAndReplacedFiles(t *testing.T) {
	l := newLayout(t)
	path := filepath.Join(l.Logs(), "x.log")
	require.NoError(t, os.WriteFile(path, []byte("old\n"), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &syncBuffer{}
	done := make(chan int, 1)
	go func() { done <- Main(ctx, []string{"logs", "-f"}, nil, strings.NewReader(""), out, io.Discard) }()
	requireSuffix := func(text string) {
		require.Eventually(t, func() bool { return strings.HasSuffix(out.String(), text) }, 20*time.Second, 10*time.Millisecond, text)
	}
	requireSuffix("old\n")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = f.WriteString("more\n")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	requireSuffix("old\nmore\n")
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path, []byte("new\n"), 0o600))
	requireSuffix("new\n")
	cancel()
	require.Zero(t, <-done)
}

func TestUpWaitsUntilThePlatformIsHealthy(t *testing.T) {
	requests := 0
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		if r.URL.Path != "/health" || requests < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer front.Close()
	require.NoError(t, awaitFront(t.Context(), front.URL, 30*time.Second, func(string) {}))
	require.Equal(t, 3, requests)

	front.Close()
	err := awaitFront(t.Context(), front.URL, 10*time.Millisecond, func(string) {})
	require.ErrorContains(t, err, "did not answer within 10ms")
}

// syncBuffer is a buffer that two goroutines can write and read at the same time.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

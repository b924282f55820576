// Package servertest starts the real server of a data store in a test. It owns
// the server's folder, user, port, readiness check and shutdown. The command
// line and the checks belong to the test.
package servertest

import (
	"context"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startTimeout is long enough for a busy machine. On an idle machine, a server starts in less
// than a second.
const startTimeout = time.Minute

// NewDir creates a folder that belongs to the user of Command. t.TempDir can't be used,
// because other users may not enter it.
func NewDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "servertest-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	if credential := nobodyCredential(t); credential != nil {
		require.NoError(t, os.Chown(dir, int(credential.Uid), int(credential.Gid)))
	}
	return dir
}

// Command returns a command that runs in dir and has only the environment env. If the test runs
// as root, the command runs as the user nobody, because PostgreSQL refuses root. The command is
// killed if the test process dies.
func Command(t *testing.T, dir string, env []string, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...)
	cmd.Dir, cmd.Env = dir, env
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: nobodyCredential(t), Pdeathsig: syscall.SIGQUIT}
	return cmd
}

// nobodyCredential returns the credential of the user nobody if the test runs as root, and nil
// otherwise.
func nobodyCredential(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	nobody, err := user.Lookup("nobody")
	require.NoError(t, err)
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	require.NoError(t, err)
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	require.NoError(t, err)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// Start starts the server and waits until ready returns true. The returned function stop shuts
// the server down and checks its exit status. A server that still runs at the end of the test is
// killed.
func Start(t *testing.T, server *exec.Cmd, ready func() bool) (stop func()) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer log.Close()
	readLog := func() string {
		text, _ := os.ReadFile(log.Name())
		return string(text)
	}
	server.Stdout, server.Stderr = log, log
	require.NoError(t, server.Start())
	exited := make(chan struct{})
	var exitErr error
	go func() { exitErr = server.Wait(); close(exited) }()
	t.Cleanup(func() { _ = server.Process.Kill(); <-exited })
	for deadline := time.Now().Add(startTimeout); !ready(); time.Sleep(20 * time.Millisecond) {
		select {
		case <-exited:
			require.FailNow(t, "the server exited before it was ready", "%v\n%s", exitErr, readLog())
		default:
			require.True(t, time.Now().Before(deadline), "the server is not ready after %s:\n%s", startTimeout, readLog())
		}
	}
	return func() {
		require.NoError(t, server.Process.Signal(os.Interrupt))
		<-exited
		require.NoError(t, exitErr, "%s", readLog())
	}
}

// FreePort returns a port of 127.0.0.1 on which no process listens.
func FreePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	return port
}

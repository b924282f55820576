package serverfiles

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
	"github.com/progressive-framework/platform/components/size"
)

// pod is the container's part of a machine: a folder, a user, the script.
type pod struct {
	dir, port string
	run       *syscall.Credential
}

func newPod(t *testing.T) *pod {
	t.Helper()
	dir, err := os.MkdirTemp("", "server-") // t.TempDir is closed to the server's user
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	p := &pod{dir: dir, port: port}

	model, err := postgrestuning.New(postgrestuning.Inputs{Memory: size.GiB(1), Cores: 1, Connections: 20})
	require.NoError(t, err)
	file := File(model, "", Paths{Sockets: dir, Access: p.at("pg_hba.conf")})
	file = strings.Replace(file, "listen_addresses = '*'", "listen_addresses = '127.0.0.1'\nport = "+port+"\nfsync = off", 1)
	for name, text := range map[string]string{
		"postgresql.conf": file, "pg_hba.conf": Access, "entrypoint.sh": Script, "password": "of the owner\n",
	} {
		require.NoError(t, os.WriteFile(p.at(name), []byte(text), 0o644))
	}
	if os.Geteuid() == 0 { // the server refuses root
		u, err := user.Lookup("nobody")
		require.NoError(t, err)
		uid, err := strconv.Atoi(u.Uid)
		require.NoError(t, err)
		gid, err := strconv.Atoi(u.Gid)
		require.NoError(t, err)
		p.run = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		require.NoError(t, os.Chown(dir, uid, gid))
	}
	return p
}

func (p *pod) at(name string) string { return filepath.Join(p.dir, name) }

func (p *pod) command(t *testing.T, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir = p.dir
	cmd.Env = []string{
		"PATH=/nowhere", // the image may hold no command but sh
		"DATA=" + p.at("data"), "CONFIG=" + p.at("postgresql.conf"), "PASSWORD_FILE=" + p.at("password"),
		"SOCKETS=" + p.dir, "OWNER=platform", "DATABASE=progressive_framework_v5", "PGPORT=" + p.port,
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.run, Pdeathsig: syscall.SIGQUIT}
	return cmd
}

// start runs the script until the server is ready; the function that it
// returns shuts the server down.
func (p *pod) start(t *testing.T) (stop func()) {
	t.Helper()
	var log bytes.Buffer
	cmd := p.command(t, "/bin/sh", p.at("entrypoint.sh"))
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return p.command(t, "/bin/sh", p.at("entrypoint.sh"), "ready").Run() == nil },
		30*time.Second, 50*time.Millisecond, "it does not become ready")
	return func() {
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		require.NoError(t, cmd.Wait(), "%s", log.String())
	}
}

func (p *pod) query(t *testing.T, password, statement string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "psql", "-X", "-A", "-t", "-h", "127.0.0.1", "-p", p.port, "-U", "platform", "-d", "progressive_framework_v5", "-c", statement)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "PGPASSWORD=" + password}
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// TestEntrypoint: the first start makes the database, every other one finds
// it; and a start that was cut off is not taken for a good one.
func TestEntrypoint(t *testing.T) {
	p := newPod(t)
	stop := p.start(t)
	_, err := p.query(t, "of the owner", "CREATE TABLE kept AS SELECT 42 AS answer")
	require.NoError(t, err)
	out, err := p.query(t, "wrong", "SELECT 1")
	require.Error(t, err)
	require.Contains(t, out, "password authentication failed")
	work, err := p.query(t, "of the owner", "SHOW shared_preload_libraries")
	require.NoError(t, err)
	require.Equal(t, "pg_stat_statements", work, "the rendered file is what the server runs with")
	stop()

	stop = p.start(t)
	kept, err := p.query(t, "of the owner", "SELECT answer FROM kept")
	require.NoError(t, err)
	require.Equal(t, "42", kept)
	stop()

	require.NoError(t, os.Remove(p.at("data/initialized")))
	refused, err := p.command(t, "/bin/sh", p.at("entrypoint.sh")).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(refused), "exists but is not empty")
	require.FileExists(t, p.at("data/PG_VERSION"), "and nothing was deleted")
}

func TestUsers(t *testing.T) {
	require.Equal(t, "platform:x:999:999::/tmp:/bin/sh\n", Users("platform", 999))
}

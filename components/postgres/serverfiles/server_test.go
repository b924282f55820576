package serverfiles

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/datastore/servertest"
	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
	"github.com/progressive-framework/platform/components/size"
)

// pod acts as the container: it has a folder with the container's files, and the server's port.
type pod struct{ dir, port string }

const ownerPassword = "password of the owner"

// newPod writes the files of a server with 1 GiB of memory into a temporary folder.
func newPod(t *testing.T) *pod {
	t.Helper()
	p := &pod{dir: servertest.NewDir(t), port: servertest.FreePort(t)}
	model, err := postgrestuning.New(postgrestuning.Inputs{Memory: size.GiB(1), Cores: 1, Connections: 20})
	require.NoError(t, err)
	conf := PostgresqlConf(model, "", Paths{SocketFolder: p.dir, HBAConf: p.path("pg_hba.conf")})
	conf = strings.Replace(conf, "listen_addresses = '*'", "listen_addresses = '127.0.0.1'\nport = "+p.port+"\nfsync = off", 1)
	for name, text := range map[string]string{
		"postgresql.conf": conf, "pg_hba.conf": HBAConf, "entrypoint.sh": Entrypoint, "password": ownerPassword + "\n",
	} {
		require.NoError(t, os.WriteFile(p.path(name), []byte(text), 0o644))
	}
	return p
}

func (p *pod) path(name string) string { return filepath.Join(p.dir, name) }

// entrypointCommand returns the command that runs the entry point with args.
func (p *pod) entrypointCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return servertest.Command(t, p.dir, []string{
		"PATH=/nowhere", // the image may have no command except sh
		"DATA=" + p.path("data"), "CONFIG=" + p.path("postgresql.conf"), "PASSWORD_FILE=" + p.path("password"),
		"SOCKETS=" + p.dir, "OWNER=platform", "DATABASE=progressive_framework_v5", "PGPORT=" + p.port,
	}, "/bin/sh", append([]string{p.path("entrypoint.sh")}, args...)...)
}

// start runs the script until the server is ready. The returned function stop shuts the server
// down.
func (p *pod) start(t *testing.T) (stop func()) {
	t.Helper()
	return servertest.Start(t, p.entrypointCommand(t), func() bool { return p.entrypointCommand(t, "ready").Run() == nil })
}

// query runs a statement over the network as the user platform, and returns psql's output.
func (p *pod) query(t *testing.T, password, statement string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "psql", "-X", "-A", "-t", "-h", "127.0.0.1", "-p", p.port, "-U", "platform", "-d", "progressive_framework_v5", "-c", statement)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "PGPASSWORD=" + password}
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// The first start creates the database, and the next one uses it. A start on a
// folder fails if the initialization of the folder was interrupted.
func TestEntrypointInitializesAnEmptyFolderOnly(t *testing.T) {
	p := newPod(t)
	stop := p.start(t)
	_, err := p.query(t, ownerPassword, "CREATE TABLE kept AS SELECT 42 AS answer")
	require.NoError(t, err)
	out, err := p.query(t, "wrong", "SELECT 1")
	require.Error(t, err)
	require.Contains(t, out, "password authentication failed")
	libraries, err := p.query(t, ownerPassword, "SHOW shared_preload_libraries")
	require.NoError(t, err)
	require.Equal(t, "pg_stat_statements", libraries, "the server uses the file postgresql.conf")
	stop()

	stop = p.start(t)
	kept, err := p.query(t, ownerPassword, "SELECT answer FROM kept")
	require.NoError(t, err)
	require.Equal(t, "42", kept)
	stop()

	require.NoError(t, os.Remove(p.path("data/initialized")))
	output, err := p.entrypointCommand(t).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(output), "exists but is not empty")
	require.FileExists(t, p.path("data/PG_VERSION"), "the script must not delete the folder")
}

func TestPasswdFileHasOneUser(t *testing.T) {
	require.Equal(t, "platform:x:999:999::/tmp:/bin/sh\n", PasswdFile("platform", 999))
}

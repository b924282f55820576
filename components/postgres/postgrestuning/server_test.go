package postgrestuning

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/datastore/servertest"
	"github.com/progressive-framework/platform/components/size"
)

// server is a real PostgreSQL server that listens on a Unix socket only.
type server struct{ bin, dir string }

// newServer creates an empty database cluster. Debian's postgresql package
// installs the server's binaries outside of PATH.
func newServer(t *testing.T) *server {
	t.Helper()
	binaries, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	require.NoError(t, err)
	require.NotEmpty(t, binaries, "no PostgreSQL server below /usr/lib/postgresql: apt-get install postgresql-15")
	s := &server{bin: filepath.Dir(binaries[len(binaries)-1]), dir: servertest.NewDir(t)}
	out, err := s.newCommand(t, "initdb", "--no-sync", "--username=postgres", "--auth=trust", "--pgdata="+s.dataDir()).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return s
}

// dataDir returns the folder of the database cluster.
func (s *server) dataDir() string { return filepath.Join(s.dir, "data") }

// newCommand returns a command of the server's package, such as psql.
func (s *server) newCommand(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	return servertest.Command(t, s.dir, []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"}, filepath.Join(s.bin, name), args...)
}

// start runs the server with these lines as its postgresql.conf. The returned function stop
// shuts the server down.
func (s *server) start(t *testing.T, lines string) (stop func()) {
	t.Helper()
	file := filepath.Join(s.dir, "postgresql.conf")
	lines += "listen_addresses = ''\nunix_socket_directories = '" + s.dir + "'\nfsync = off\nhuge_pages = off\n"
	require.NoError(t, os.WriteFile(file, []byte(lines), 0o644))
	return servertest.Start(t, s.newCommand(t, "postgres", "-D", s.dataDir(), "-c", "config_file="+file), func() bool {
		return s.newCommand(t, "pg_isready", "-q", "-h", s.dir).Run() == nil
	})
}

// query runs statements and returns the rows of the results. Each row is a list of columns.
func (s *server) query(t *testing.T, statements ...string) [][]string {
	t.Helper()
	args := []string{"-X", "-A", "-t", "-q", "-h", s.dir, "-U", "postgres", "-v", "ON_ERROR_STOP=1"}
	for _, statement := range statements {
		args = append(args, "-c", statement)
	}
	out, err := s.newCommand(t, "psql", args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	var rows [][]string
	for line := range strings.Lines(string(out)) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "|"))
	}
	return rows
}

// serverSetting is a setting as pg_settings reports it.
type serverSetting struct {
	value   string
	static  bool
	pending bool
}

// readSettings returns all settings from pg_settings, by name. Booleans are "1" and "0".
func (s *server) readSettings(t *testing.T) map[string]serverSetting {
	t.Helper()
	settings := map[string]serverSetting{}
	for _, row := range s.query(t, "SELECT name, setting, context, pending_restart FROM pg_settings WHERE setting NOT LIKE E'%\\n%'") {
		value := row[1]
		switch value {
		case "on":
			value = "1"
		case "off":
			value = "0"
		}
		settings[row[0]] = serverSetting{value: value, static: row[2] == "postmaster", pending: row[3] == "t"}
	}
	return settings
}

// The test reads the settings back from pg_settings. RDS uses the same units, so the test also
// checks the units and apply methods of the RDS parameters.
func TestRealServerAcceptsEverySetting(t *testing.T) {
	s := newServer(t)

	archiveDir := filepath.Join(s.dir, "archive")
	require.NoError(t, os.Mkdir(archiveDir, 0o777))
	require.NoError(t, os.Chmod(archiveDir, 0o777))
	archiveCommand := "cp %p " + archiveDir + "/%f"
	for _, in := range []Inputs{
		{Memory: size.GiB(1), Cores: 1, Connections: 20},
		{Memory: size.GiB(2), Cores: 2, Connections: 100},
		{Memory: size.GiB(4), Cores: 8, Connections: 150, WorkMem: size.MiB(16)},
	} {
		t.Run("the file starts the server and sets every value at "+in.Memory.String(), func(t *testing.T) {
			m, err := New(in)
			require.NoError(t, err)
			defer s.start(t, m.File(archiveCommand))()
			actual := s.readSettings(t)
			for _, p := range m.serverSettings(archiveCommand) {
				require.Equal(t, serverSetting{value: p.rdsValue, static: bool(p.apply)}, actual[p.name], p.name)
			}
		})
	}

	// The design document uses ALTER SYSTEM on a server with default settings.
	t.Run("after ALTER SYSTEM and a reload, changed static settings are pending", func(t *testing.T) {
		defer s.start(t, "")()
		settingsBefore := s.readSettings(t)
		m, err := New(documentInputs)
		require.NoError(t, err)
		s.query(t, append(m.AlterSystem(archiveCommand), "SELECT pg_reload_conf()")...)
		require.Eventually(t, func() bool { return s.readSettings(t)["log_statement"].value == "ddl" }, 20*time.Second, 20*time.Millisecond)
		settingsAfter := s.readSettings(t)
		for _, p := range m.serverSettings(archiveCommand) {
			changed := settingsBefore[p.name].value != p.rdsValue
			require.Equal(t, changed && bool(p.apply), settingsAfter[p.name].pending, p.name)
			// While archive_mode is pending, the server shows no archive_command.
			if p.apply == dynamic && p.name != archiveCommandParameter.name {
				require.Equal(t, p.rdsValue, settingsAfter[p.name].value, p.name)
			}
		}
	})
}

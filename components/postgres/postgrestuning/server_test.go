package postgrestuning

import (
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

	"github.com/progressive-framework/platform/components/size"
)

// server is a real PostgreSQL on a socket of its own, without a port.
type server struct {
	bin, dir string
	run      *syscall.Credential
}

// newServer makes an empty cluster. The binaries are those of Debian's
// postgresql package, which lie outside PATH.
func newServer(t *testing.T) *server {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	require.NoError(t, err)
	require.NotEmpty(t, found, "no PostgreSQL server below /usr/lib/postgresql: apt-get install postgresql-15")
	dir, err := os.MkdirTemp("", "tuning-") // t.TempDir is closed to the server's user
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	s := &server{bin: filepath.Dir(found[len(found)-1]), dir: dir}
	if os.Geteuid() == 0 { // the server refuses root
		u, err := user.Lookup("nobody")
		require.NoError(t, err)
		uid, err := strconv.Atoi(u.Uid)
		require.NoError(t, err)
		gid, err := strconv.Atoi(u.Gid)
		require.NoError(t, err)
		s.run = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		require.NoError(t, os.Chown(dir, uid, gid))
	}
	out, err := s.command(t, "initdb", "--no-sync", "--username=postgres", "--auth=trust", "--pgdata="+s.data()).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return s
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }

func (s *server) command(t *testing.T, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.run, Pdeathsig: syscall.SIGQUIT}
	return cmd
}

// start runs the server with these lines as its whole configuration; the
// function that it returns shuts it down.
func (s *server) start(t *testing.T, lines string) (stop func()) {
	t.Helper()
	file := filepath.Join(s.dir, "postgresql.conf")
	lines += "listen_addresses = ''\nunix_socket_directories = '" + s.dir + "'\nfsync = off\nhuge_pages = off\n"
	require.NoError(t, os.WriteFile(file, []byte(lines), 0o644))
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer log.Close()
	said := func() string {
		text, _ := os.ReadFile(log.Name())
		return string(text)
	}
	cmd := s.command(t, "postgres", "-D", s.data(), "-c", "config_file="+file)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	var failed error
	go func() { failed = cmd.Wait(); close(ended) }()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if s.command(t, "pg_isready", "-q", "-h", s.dir).Run() == nil {
			break
		}
		select {
		case <-ended:
			require.NoError(t, failed, "the server refused its file:\n%s\n%s", lines, said())
		default:
			require.True(t, time.Now().Before(deadline), "the server does not answer:\n%s", said())
		}
	}
	return func() {
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		<-ended
		require.NoError(t, failed, "%s", said())
	}
}

// query returns rows of columns.
func (s *server) query(t *testing.T, statements ...string) [][]string {
	t.Helper()
	args := []string{"-X", "-A", "-t", "-q", "-h", s.dir, "-U", "postgres", "-v", "ON_ERROR_STOP=1"}
	for _, statement := range statements {
		args = append(args, "-c", statement)
	}
	out, err := s.command(t, "psql", args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	var rows [][]string
	for line := range strings.Lines(string(out)) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "|"))
	}
	return rows
}

// seen is a setting as the server has it.
type seen struct {
	value   string
	static  bool
	pending bool
}

func (s *server) settings(t *testing.T) map[string]seen {
	t.Helper()
	all := map[string]seen{}
	for _, row := range s.query(t, "SELECT name, setting, context, pending_restart FROM pg_settings WHERE setting NOT LIKE E'%\\n%'") {
		value := row[1]
		switch value {
		case "on":
			value = "1"
		case "off":
			value = "0"
		}
		all[row[0]] = seen{value: value, static: row[2] == "postmaster", pending: row[3] == "t"}
	}
	return all
}

// TestARealServer asks PostgreSQL itself. pg_settings counts as RDS does, so
// that units and apply methods of the RDS rendering are proven as well.
func TestARealServer(t *testing.T) {
	s := newServer(t)

	archives := filepath.Join(s.dir, "archive")
	require.NoError(t, os.Mkdir(archives, 0o777))
	require.NoError(t, os.Chmod(archives, 0o777))
	archive := "cp %p " + archives + "/%f"
	for _, in := range []Inputs{
		{Memory: size.GiB(1), Cores: 1, Connections: 20},
		{Memory: size.GiB(2), Cores: 2, Connections: 100},
		{Memory: size.GiB(4), Cores: 8, Connections: 150, WorkMem: size.MiB(16)},
	} {
		t.Run("starts with the file and has every value at "+in.Memory.String(), func(t *testing.T) {
			m, err := New(in)
			require.NoError(t, err)
			defer s.start(t, m.File(archive))()
			has := s.settings(t)
			for _, p := range m.own(archive) {
				require.Equal(t, seen{value: p.counted, static: bool(p.when)}, has[p.name], p.name)
			}
		})
	}

	// The document's own way, on a server with PostgreSQL's defaults.
	t.Run("ALTER SYSTEM and a reload leave the static ones pending", func(t *testing.T) {
		defer s.start(t, "")()
		before := s.settings(t)
		m, err := New(document)
		require.NoError(t, err)
		s.query(t, append(m.AlterSystem(archive), "SELECT pg_reload_conf()")...)
		require.Eventually(t, func() bool { return s.settings(t)["log_statement"].value == "ddl" }, 20*time.Second, 20*time.Millisecond)
		after := s.settings(t)
		for _, p := range m.own(archive) {
			changed := before[p.name].value != p.counted
			require.Equal(t, changed && bool(p.when), after[p.name].pending, p.name)
			// The server shows no archive_command while archive_mode waits.
			if p.when == dynamic && p.name != archiveCommand.name {
				require.Equal(t, p.counted, after[p.name].value, p.name)
			}
		}
	})
}

package testservers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// PostgresPassword is the superuser's password in every test server.
const PostgresPassword = "test-password"

// Postgres is a PostgreSQL server with its own data.
type Postgres struct {
	dir        string
	program    string
	port       int
	settings   map[string]string
	credential *syscall.Credential
	process    *process
	databases  atomic.Int64
}

// StartPostgres creates a database cluster and starts its server, without fsync and
// with pg_stat_statements. settings override the server's settings. Close ends the
// server and removes its data.
func StartPostgres(ctx context.Context, settings map[string]string) (*Postgres, error) {
	program, err := findPostgresProgram("postgres")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "testservers-postgres-")
	if err != nil {
		return nil, err
	}
	p := &Postgres{dir: dir, program: program, settings: settings}
	if err := p.initialize(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := p.Start(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// initialize chooses a port and creates the database cluster with initdb.
func (p *Postgres) initialize(ctx context.Context) error {
	ports, err := findFreePorts(ctx, 1)
	if err != nil {
		return err
	}
	p.port = ports[0]
	passwordFile := filepath.Join(p.dir, "password")
	if err := os.WriteFile(passwordFile, []byte(PostgresPassword), 0o600); err != nil {
		return err
	}
	if err := p.dropRoot(passwordFile); err != nil {
		return err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(filepath.Dir(p.program), "initdb"), "--no-sync", "--username=postgres",
		"--pwfile="+passwordFile, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--pgdata="+p.dataDir())
	initdb.Dir = p.dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: p.credential}
	if output, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("run initdb: %w\n%s", err, output)
	}
	return nil
}

// dropRoot prepares the server to run as Debian's user postgres if the test runs as
// root, because PostgreSQL refuses to run as root. dropRoot makes this user the owner of
// the files and of the server's folder.
func (p *Postgres) dropRoot(files ...string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return fmt.Errorf("PostgreSQL refuses to run as root, and the user postgres is missing: install Debian's postgresql-15: %w", err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return fmt.Errorf("parse uid %q of user postgres: %w", account.Uid, err)
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return fmt.Errorf("parse gid %q of user postgres: %w", account.Gid, err)
	}
	p.credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	for _, file := range append(files, p.dir) {
		if err := os.Chown(file, int(uid), int(gid)); err != nil {
			return err
		}
	}
	return nil
}

func (p *Postgres) dataDir() string { return filepath.Join(p.dir, "data") }

// Start starts a stopped server on its old port and waits until it accepts
// connections.
func (p *Postgres) Start(ctx context.Context) error {
	settings := map[string]string{
		"listen_addresses": "127.0.0.1", "unix_socket_directories": "",
		// Without fsync a commit reaches the kernel, but maybe not the disk. Only a
		// crash of the machine would lose data, not a killed server.
		"fsync": "off", "full_page_writes": "off",
		"max_wal_size": "4GB", "shared_preload_libraries": "pg_stat_statements",
	}
	maps.Copy(settings, p.settings)
	args := []string{"-D", p.dataDir(), "-p", strconv.Itoa(p.port)}
	for name, value := range settings {
		args = append(args, "-c", name+"="+value)
	}
	var err error
	if p.process, err = spawn(p.dir, p.program, args, p.credential); err != nil {
		return err
	}
	return p.waitForConnections(ctx)
}

// waitForConnections waits until the server accepts connections.
func (p *Postgres) waitForConnections(ctx context.Context) error {
	for {
		conn, err := pgx.Connect(ctx, p.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-p.process.done:
			return fmt.Errorf("PostgreSQL exited at its start:\n%s", p.process.readLogTail())
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL accepts no connection: %w\n%s", err, p.process.readLogTail())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop ends the server immediately, without a checkpoint. Committed data is
// kept.
func (p *Postgres) Stop() error { return p.process.end(syscall.SIGQUIT) }

// Address is the server's HOST:PORT.
func (p *Postgres) Address() string { return fmt.Sprintf("127.0.0.1:%d", p.port) }

// URL is the superuser's URL of a database, with the password.
func (p *Postgres) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", PostgresPassword),
		Host: p.Address(), Path: database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// CreateDatabase creates an empty database for one test and returns its URL.
func (p *Postgres) CreateDatabase(t testing.TB) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	name := fmt.Sprintf("test_%d", p.databases.Add(1))
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return p.URL(name)
}

// Close ends the server and removes its data.
func (p *Postgres) Close() error {
	var err error
	if p.process != nil {
		err = p.Stop()
	}
	return errors.Join(err, os.RemoveAll(p.dir))
}

// findPostgresProgram returns the path of a program of PostgreSQL 15. Debian installs these
// programs in a folder that is not in PATH.
func findPostgresProgram(name string) (string, error) {
	path := filepath.Join("/usr/lib/postgresql/15/bin", name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	binDir, err := exec.Command("pg_config", "--bindir").Output()
	if err == nil {
		path = filepath.Join(strings.TrimSpace(string(binDir)), name)
		if _, err = os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s of PostgreSQL 15 is not on this machine: install Debian's postgresql-15: %w", name, err)
}

// Package fleet runs the services as processes of their own, on a real
// PostgreSQL and a real Redis Cluster, with an issuer of their own: for
// measurements, and for tests that need the whole. It owns what it starts and
// ends all of it with Close; which services run, and how they find each other,
// is its caller's.
package fleet

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/testservers"
	"github.com/progressive-framework/platform/agents/migrate/pgschema"
)

const (
	module   = "github.com/progressive-framework/platform/"
	iss, aud = "fleet", "progressive-framework"
)

// Fleet is the processes and what they share.
type Fleet struct {
	dir     string
	key     auth.SigningKey
	environ []string // of every service
	closers []func() error
}

// New builds web, mca, npa and wpa, and other main packages of this repository
// such as "ops/loadtest", with the go tool. It starts PostgreSQL and Redis and
// creates the schema and an issuer.
func New(ctx context.Context, packages ...string) (_ *Fleet, err error) {
	f := &Fleet{}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if f.dir, err = os.MkdirTemp("", "fleet-"); err != nil {
		return nil, err
	}
	f.closers = append(f.closers, func() error { return os.RemoveAll(f.dir) })
	// Without symbols, which nobody reads here, the linker has less to do.
	args := []string{"build", "-trimpath", "-ldflags=-s -w", "-o", f.dir + "/"}
	for _, path := range append([]string{"agents/web", "agents/mca", "agents/npa", "agents/wpa"}, packages...) {
		args = append(args, module+path)
	}
	built := make(chan error, 1)
	go func() {
		build := exec.CommandContext(ctx, "go", args...)
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // as the images are built, so that the cache serves both
		out, err := build.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("build the services: %w\n%s", err, out)
		}
		built <- err
	}()
	err = f.backing(ctx)
	return f, errors.Join(err, <-built)
}

// backing starts PostgreSQL and Redis, and creates the schema and an issuer.
func (f *Fleet) backing(ctx context.Context) error {
	database, err := testservers.StartPostgres(ctx, nil)
	if err != nil {
		return err
	}
	f.closers = append(f.closers, database.Close)
	redis, err := testservers.StartRedis(ctx, 0)
	if err != nil {
		return err
	}
	f.closers = append(f.closers, redis.Close)
	url := database.URL("postgres")
	conn, err := pgx.ParseConfig(url)
	if err != nil {
		return err
	}
	policy := pgschema.Partitions{Ahead: 1, Keep: 1, Now: time.Now()}
	if err := pgschema.Up(ctx, conn, policy, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	if err := auth.InitSigningKey(f.dir); err != nil {
		return err
	}
	f.key, err = auth.LoadSigningKey(filepath.Join(f.dir, auth.KeyFile))
	f.environ = []string{
		"LISTEN_ADDRESS=127.0.0.1:0", "CLIENT_RATE=0", "CLIENT_BURST=0", "JWT_ISSUER=" + iss, "JWT_AUDIENCE=" + aud,
		"JWT_JWKS_FILE=" + filepath.Join(f.dir, auth.JWKSFile), "DATABASE_URL=" + url, "REDIS_ADDRESSES=" + strings.Join(redis.Addresses(), ","),
	}
	return err
}

// Token is good for an hour and has every scope.
func (f *Fleet) Token(user string) (string, error) {
	now := time.Now()
	return f.key.Token(auth.Claims{
		Issuer: iss, Audience: aud, Subject: user, NotBefore: now, Expiry: now.Add(time.Hour),
		Scopes: []string{auth.ScopeUsersRead, auth.ScopeUsersWrite, auth.ScopeAgentsRead, auth.ScopeAgentsRun},
	})
}

// Process is one that listens.
type Process struct {
	URL string // without a path
	PID int
}

// Executable is the path of a program that New has built.
func (f *Fleet) Executable(name string) string { return filepath.Join(f.dir, name) }

// Start starts a service that New has built, with these variables added to
// those of every service.
func (f *Fleet) Start(ctx context.Context, name string, environ ...string) (Process, error) {
	return f.Run(ctx, f.Executable(name), environ)
}

// Run starts a program that says where it listens as the services do. It ends
// with the Fleet or with ctx.
func (f *Fleet) Run(ctx context.Context, program string, environ []string, args ...string) (Process, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(append([]string{}, f.environ...), environ...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return Process{}, err
	}
	if err := cmd.Start(); err != nil {
		return Process{}, err
	}
	f.closers = append(f.closers, func() error {
		err := cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		if errors.Is(err, os.ErrProcessDone) {
			return nil
		}
		return err
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var record struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &record) == nil && record.Msg == "listening" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return Process{"http://" + record.Address, cmd.Process.Pid}, nil
		}
	}
	return Process{}, fmt.Errorf("%s %v ended without listening", program, args)
}

// Platform is the four services.
type Platform struct{ NPA, WPA, MCA, Web Process }

// StartPlatform starts npa, wpa, an mca that asks them and a web that asks it,
// each with these variables as well.
func (f *Fleet) StartPlatform(ctx context.Context, environ ...string) (p Platform, err error) {
	if p.NPA, err = f.Start(ctx, "npa", environ...); err != nil {
		return p, err
	}
	if p.WPA, err = f.Start(ctx, "wpa", environ...); err != nil {
		return p, err
	}
	if p.MCA, err = f.Start(ctx, "mca", append([]string{"NPA_URL=" + p.NPA.URL, "WPA_URL=" + p.WPA.URL}, environ...)...); err != nil {
		return p, err
	}
	p.Web, err = f.Start(ctx, "web", append([]string{"MCA_URL=" + p.MCA.URL}, environ...)...)
	return p, err
}

// Close ends everything, the last started first.
func (f *Fleet) Close() error {
	var errs []error
	for i := len(f.closers) - 1; i >= 0; i-- {
		errs = append(errs, f.closers[i]())
	}
	return errors.Join(errs...)
}

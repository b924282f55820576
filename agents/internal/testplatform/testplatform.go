// Package testplatform runs the services as processes on a real PostgreSQL and a
// real Redis Cluster, with a token issuer. It is for measurements, and for tests that
// need the whole platform. Close ends everything that it started.
package testplatform

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
	module           = "github.com/progressive-framework/platform/"
	issuer, audience = "testplatform", "progressive-framework"
)

// Environment is the servers, the executables and the started processes.
type Environment struct {
	dir     string
	key     auth.SigningKey
	environ []string // variables of every service
	closers []func() error
}

// New builds web, mca, npa and wpa with the go tool, and other main packages of
// this repository such as "ops/pf". It starts PostgreSQL and Redis, and
// creates the schema and a token issuer.
func New(ctx context.Context, packages ...string) (_ *Environment, err error) {
	e := &Environment{}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if e.dir, err = os.MkdirTemp("", "testplatform-"); err != nil {
		return nil, err
	}
	e.closers = append(e.closers, func() error { return os.RemoveAll(e.dir) })
	// -s -w removes the symbols, which makes the link faster. Only a debugger
	// needs them.
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", e.dir + "/"}
	for _, path := range append([]string{"agents/web", "agents/mca", "agents/npa", "agents/wpa"}, packages...) {
		args = append(args, module+path)
	}
	buildErr := make(chan error, 1)
	go func() {
		build := exec.CommandContext(ctx, "go", args...)
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // the images' setting, so that both use one build cache
		out, err := build.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("build the services: %w\n%s", err, out)
		}
		buildErr <- err
	}()
	err = e.startDependencies(ctx)
	return e, errors.Join(err, <-buildErr)
}

// startDependencies starts PostgreSQL and Redis, and creates the schema and an
// issuer.
func (e *Environment) startDependencies(ctx context.Context) error {
	database, err := testservers.StartPostgres(ctx, nil)
	if err != nil {
		return err
	}
	e.closers = append(e.closers, database.Close)
	redis, err := testservers.StartRedis(ctx, 0)
	if err != nil {
		return err
	}
	e.closers = append(e.closers, redis.Close)
	url := database.URL("postgres")
	conn, err := pgx.ParseConfig(url)
	if err != nil {
		return err
	}
	policy := pgschema.Partitions{Ahead: 1, Keep: 1, Now: time.Now()}
	if err := pgschema.Up(ctx, conn, policy, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	if err := auth.InitSigningKey(e.dir); err != nil {
		return err
	}
	e.key, err = auth.LoadSigningKey(filepath.Join(e.dir, auth.KeyFile))
	e.environ = []string{
		"LISTEN_ADDRESS=127.0.0.1:0", "CLIENT_RATE=0", "CLIENT_BURST=0", "JWT_ISSUER=" + issuer, "JWT_AUDIENCE=" + audience,
		"JWT_JWKS_FILE=" + filepath.Join(e.dir, auth.JWKSFile), "DATABASE_URL=" + url, "REDIS_ADDRESSES=" + strings.Join(redis.Addresses(), ","),
	}
	return err
}

// Token returns a token with every scope, valid for an hour.
func (e *Environment) Token(user string) (string, error) {
	now := time.Now()
	return e.key.Token(auth.Claims{
		Issuer: issuer, Audience: audience, Subject: user, NotBefore: now, Expiry: now.Add(time.Hour),
		Scopes: []string{auth.ScopeUsersRead, auth.ScopeUsersWrite, auth.ScopeAgentsRead, auth.ScopeAgentsRun},
	})
}

// Process is a running service.
type Process struct {
	URL string // without a path
	PID int
}

// Executable returns the path of a program that New has built.
func (e *Environment) Executable(name string) string { return filepath.Join(e.dir, name) }

// Start starts a service that New built. environ is added to the variables of
// every service.
func (e *Environment) Start(ctx context.Context, name string, environ ...string) (Process, error) {
	return e.Run(ctx, e.Executable(name), environ)
}

// Run starts a program and waits until it logs the record "listening". The process
// ends with Close or with ctx.
func (e *Environment) Run(ctx context.Context, program string, environ []string, args ...string) (Process, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(append([]string{}, e.environ...), environ...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return Process{}, err
	}
	if err := cmd.Start(); err != nil {
		return Process{}, err
	}
	e.closers = append(e.closers, func() error {
		err := cmd.Process.Kill()
		_ = cmd.Wait() // its error only means that the process was killed
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

// Platform has the four services.
type Platform struct{ NPA, WPA, MCA, Web Process }

// StartPlatform starts npa, wpa, mca and web. mca calls npa and wpa, and web calls
// mca. environ is added to the variables of each service.
func (e *Environment) StartPlatform(ctx context.Context, environ ...string) (p Platform, err error) {
	if p.NPA, err = e.Start(ctx, "npa", environ...); err != nil {
		return p, err
	}
	if p.WPA, err = e.Start(ctx, "wpa", environ...); err != nil {
		return p, err
	}
	if p.MCA, err = e.Start(ctx, "mca", append([]string{"NPA_URL=" + p.NPA.URL, "WPA_URL=" + p.WPA.URL}, environ...)...); err != nil {
		return p, err
	}
	p.Web, err = e.Start(ctx, "web", append([]string{"MCA_URL=" + p.MCA.URL}, environ...)...)
	return p, err
}

// Close stops everything that was started, in reverse order.
func (e *Environment) Close() error {
	var errs []error
	for i := len(e.closers) - 1; i >= 0; i-- {
		errs = append(errs, e.closers[i]())
	}
	return errors.Join(errs...)
}

// Package servicetest is what the tests of the four services share: an issuer
// with its published key, tokens, an environment that is right, and a program
// under load in it. It owns no server; those are testservers'. Its own tests are
// of what all four must do when they start.
package servicetest

import (
	"context"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/testservers"
	"github.com/progressive-framework/platform/agents/migrate/pgschema"
)

// Nowhere is the URL of a database that is not there.
const Nowhere = "postgres://nobody@127.0.0.1:1/none?sslmode=disable"

const (
	iss      = "test-issuer"
	audience = "progressive-framework"
)

// User is whom tokens are for unless a test says otherwise; the seed's.
const User = "test-user-123"

// World is an issuer and the environment of services that trust it.
type World struct {
	env map[string]string
	key auth.SigningKey
}

// New makes an issuer, and an environment without a database or Redis.
func New(t testing.TB) *World {
	t.Helper()
	key, err := auth.NewSigningKey()
	require.NoError(t, err)
	set, err := auth.JWKS(key)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "jwks.json")
	require.NoError(t, os.WriteFile(file, set, 0o600))
	return &World{key: key, env: map[string]string{
		"JWT_ISSUER": iss, "JWT_AUDIENCE": audience, "JWT_JWKS_FILE": file,
		"DATABASE_URL": Nowhere, "LISTEN_ADDRESS": "127.0.0.1:0", "CLIENT_RATE": "0",
	}}
}

// Lookup is an os.LookupEnv over the environment with changes laid over.
func (w *World) Lookup(changes map[string]string) func(string) (string, bool) {
	env := maps.Clone(w.env)
	maps.Copy(env, changes)
	return func(name string) (string, bool) {
		value, set := env[name]
		return value, set
	}
}

// Environ is the environment as exec.Cmd has it.
func (w *World) Environ(changes map[string]string) []string {
	env := maps.Clone(w.env)
	maps.Copy(env, changes)
	var lines []string
	for name, value := range env {
		lines = append(lines, name+"="+value)
	}
	return lines
}

// AllScopes are every scope of the platform.
var AllScopes = []string{auth.ScopeUsersRead, auth.ScopeUsersWrite, auth.ScopeAgentsRead, auth.ScopeAgentsRun}

// Token is a token of a user with these scopes, or all where none is named,
// good for an hour from now.
func (w *World) Token(t testing.TB, user string, scopes ...string) string {
	t.Helper()
	return w.TokenAt(t, time.Now(), user, scopes...)
}

// TokenAt is Token by a clock of the issuer's own.
func (w *World) TokenAt(t testing.TB, now time.Time, user string, scopes ...string) string {
	t.Helper()
	if len(scopes) == 0 {
		scopes = AllScopes
	}
	token, err := w.key.Token(auth.Claims{
		Issuer: iss, Audience: audience, Subject: user, Scopes: scopes, NotBefore: now, Expiry: now.Add(time.Hour),
	})
	require.NoError(t, err)
	return token
}

// Database makes a database with the platform's schema and returns its URL.
func Database(t testing.TB, server *testservers.Postgres) string {
	t.Helper()
	url := server.Database(t)
	ctx, cancel := context.WithTimeout(t.Context(), testservers.StartTimeout)
	defer cancel()
	conn, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	require.NoError(t, pgschema.Up(ctx, conn, pgschema.Partitions{Ahead: 1, Keep: 1, Now: time.Now()}, slog.New(slog.DiscardHandler)))
	return url
}

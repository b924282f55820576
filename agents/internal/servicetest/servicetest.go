// Package servicetest has the helpers that the tests of the four services share: an
// issuer with its published key, tokens, a valid environment, and clients that load a
// program. Package testservers owns the servers. The tests of this package check the
// start of all four services.
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

// UnreachableDatabase is the URL of a database that does not exist.
const UnreachableDatabase = "postgres://nobody@127.0.0.1:1/none?sslmode=disable"

const (
	issuer   = "test-issuer"
	audience = "progressive-framework"
)

// User is the user of the design document's load test. Tokens are for this user
// unless a test needs another.
const User = "test-user-123"

// Environment is a token issuer, and the environment variables of services that
// trust it.
type Environment struct {
	env map[string]string
	key auth.SigningKey
}

// New creates a token issuer, and an environment without a database or Redis.
func New(t testing.TB) *Environment {
	t.Helper()
	key, err := auth.NewSigningKey()
	require.NoError(t, err)
	set, err := auth.JWKS(key)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "jwks.json")
	require.NoError(t, os.WriteFile(file, set, 0o600))
	return &Environment{key: key, env: map[string]string{
		"JWT_ISSUER": issuer, "JWT_AUDIENCE": audience, "JWT_JWKS_FILE": file,
		"DATABASE_URL": UnreachableDatabase, "LISTEN_ADDRESS": "127.0.0.1:0", "CLIENT_RATE": "0",
	}}
}

// Lookup returns a function like os.LookupEnv, for the environment with these
// changes.
func (e *Environment) Lookup(changes map[string]string) func(string) (string, bool) {
	env := maps.Clone(e.env)
	maps.Copy(env, changes)
	return func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}
}

// Environ returns the environment with these changes, in the form of exec.Cmd.Env.
func (e *Environment) Environ(changes map[string]string) []string {
	env := maps.Clone(e.env)
	maps.Copy(env, changes)
	var lines []string
	for name, value := range env {
		lines = append(lines, name+"="+value)
	}
	return lines
}

// AllScopes lists every scope of the platform.
var AllScopes = []string{auth.ScopeUsersRead, auth.ScopeUsersWrite, auth.ScopeAgentsRead, auth.ScopeAgentsRun}

// Token returns a token of a user with these scopes. Without scopes it has all of them.
// The token is valid for an hour from the present time.
func (e *Environment) Token(t testing.TB, user string, scopes ...string) string {
	t.Helper()
	return e.TokenAt(t, time.Now(), user, scopes...)
}

// TokenAt returns a token of a user with these scopes. Without scopes it has all of
// them. The token is valid for an hour after now.
func (e *Environment) TokenAt(t testing.TB, now time.Time, user string, scopes ...string) string {
	t.Helper()
	if len(scopes) == 0 {
		scopes = AllScopes
	}
	token, err := e.key.Token(auth.Claims{
		Issuer: issuer, Audience: audience, Subject: user, Scopes: scopes, NotBefore: now, Expiry: now.Add(time.Hour),
	})
	require.NoError(t, err)
	return token
}

// CreateDatabase creates a database with the platform's schema and returns its URL.
func CreateDatabase(t testing.TB, server *testservers.Postgres) string {
	t.Helper()
	url := server.CreateDatabase(t)
	ctx, cancel := context.WithTimeout(t.Context(), testservers.StartTimeout)
	defer cancel()
	conn, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	require.NoError(t, pgschema.Up(ctx, conn, pgschema.Partitions{Ahead: 1, Keep: 1, Now: time.Now()}, slog.New(slog.DiscardHandler)))
	return url
}

package main

import (
	"bytes"
	"context"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/testservers"
	"github.com/progressive-framework/platform/agents/migrate/pgroles"
)

var server *testservers.Postgres

func TestMain(m *testing.M) {
	os.Exit(testservers.Main(m, func(ctx context.Context) (_ testservers.Server, err error) {
		server, err = testservers.StartPostgres(ctx, nil)
		return server, err
	}))
}

func TestErrorsAreLoggedAndSetTheExitCode(t *testing.T) {
	fullURL, err := url.Parse(server.CreateDatabase(t))
	require.NoError(t, err)
	noPassword := *fullURL
	noPassword.User = url.User("postgres")
	noSSLMode := noPassword
	noSSLMode.RawQuery = ""
	passwordFile := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(passwordFile, []byte(testservers.PostgresPassword+"\n"), 0o600))
	rolesFolder, connections := t.TempDir(), ""
	require.NoError(t, os.Mkdir(filepath.Join(rolesFolder, "0"), 0o700))
	for _, name := range pgroles.GroupRoles() {
		require.NoError(t, os.WriteFile(filepath.Join(rolesFolder, "0", name), []byte(testservers.PostgresPassword+name), 0o600))
		connections += "," + name + "=5"
	}
	for _, row := range []struct {
		reason string
		env    map[string]string
		code   int
		output string
	}{
		{"all configuration errors at once", map[string]string{"PARTITIONS_AHEAD": "0", "DATABASE_PASSWORD_FILE": "x"}, 2, `DATABASE_URL=\"\" must be set`},
		{"a role without a number of connections", map[string]string{"DATABASE_URL": fullURL.String(), "ROLE_CONNECTIONS": "web=1"}, 2, "positive number for each of web, mca, npa, wpa, exporter"},
		{"the password from a file, first run", map[string]string{"DATABASE_URL": noPassword.String(), "DATABASE_PASSWORD_FILE": passwordFile}, 0, "00004_monitoring.sql"},
		{"the password in the URL, second run", map[string]string{"DATABASE_URL": fullURL.String()}, 0, "schema is up to date"},
		{"a role without a password", map[string]string{"DATABASE_URL": fullURL.String(), "ROLE_GENERATION": "1"}, 1, "password 1 of role web"},
		{"no password", map[string]string{"DATABASE_URL": noPassword.String()}, 1, "password authentication failed"},
		{"an sslmode that could fall back to plain text", map[string]string{"DATABASE_URL": noSSLMode.String()}, 1, "sslmode=verify-full"},
		{"an unreachable MongoDB", map[string]string{"DATABASE_URL": fullURL.String(), "MONGODB_URI": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50"}, 1, "idx_user_agent_conversations"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			var out bytes.Buffer
			env := map[string]string{"ROLE_PASSWORDS": rolesFolder, "ROLE_CONNECTIONS": connections[1:]}
			maps.Copy(env, row.env)
			code := run(t.Context(), func(name string) (string, bool) { value, ok := env[name]; return value, ok }, &out)
			require.Equal(t, row.code, code, out.String())
			require.Contains(t, out.String(), row.output)
			require.NotContains(t, out.String(), testservers.PostgresPassword)
		})
	}
}

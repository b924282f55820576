package pgroles

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/database"
)

// Each service except the exporter can execute all its statements. After any one of its privileges on
// tables, columns, sequences or routines is revoked, a statement fails.
func TestPrivilegesAreSufficientAndEachIsNeeded(t *testing.T) {
	p := newPlatform(t, server)
	p.apply(t)
	stores := map[string]*database.Store{}
	for _, name := range GroupRoles() {
		if name != Exporter {
			stores[name] = p.openStore(t, p.url(name, 0))
			require.NoError(t, runStatements(t.Context(), name, stores[name]), name)
		}
	}
	for _, needed := range wantedPrivileges(pgx.Identifier{p.owner.Database}.Sanitize()) {
		if needed.Kind == "DATABASE" || needed.Kind == "SCHEMA" || needed.Grantee == Exporter {
			continue
		}
		p.exec(t, fmt.Sprintf("REVOKE %s FROM %s", needed, needed.quotedGrantee()))
		require.ErrorContains(t, runStatements(t.Context(), needed.Grantee, stores[needed.Grantee]), "permission denied", "%s does not need %s", needed.Grantee, needed)
		p.exec(t, fmt.Sprintf("GRANT %s TO %s", needed, needed.quotedGrantee()))
	}
}

func TestRolesHaveNoOtherPrivileges(t *testing.T) {
	p := newPlatform(t, server)
	p.apply(t)
	for _, row := range []struct{ reason, role, statement string }{
		{"another service's table", "npa", "SELECT email FROM users"},
		{"another agent's table", "npa", "SELECT FROM workout_plans"},
		{"the plans of npa", "web", "SELECT FROM nutrition_plans"},
		{"a user is not activated again", "web", "UPDATE users SET active = true"},
		{"nobody deletes users", "web", "DELETE FROM users"},
		{"plans are append-only", "wpa", "UPDATE workout_plans SET plan = '{}'"},
		{"outcomes are append-only", "mca", "UPDATE agent_coordination SET status = 'complete'"},
		{"outcomes are kept", "mca", "DELETE FROM agent_coordination"},
		{"no truncation", "mca", "TRUNCATE agent_states"},
		{"the history of the schema", "web", "SELECT FROM goose_db_version"},
		{"the statements of others", "web", "SELECT FROM v_slow_queries"},
		{"no tables", "web", "CREATE TABLE t (a int)"},
		{"no temporary tables", "web", "CREATE TEMP TABLE t (a int)"},
		{"no schema", "web", "CREATE SCHEMA s"},
		{"no partitions", "mca", "SELECT create_monthly_partition('agent_logs_master', '2030-01-01')"},
		{"no roles", "web", "CREATE ROLE other"},
		{"no other role", "web", "SET ROLE npa"},
		{"no files of the server", "web", "SELECT pg_read_file('postgresql.conf')"},
		{"the exporter reads no rows", Exporter, "SELECT FROM users"},
		{"the exporter ends no session", Exporter, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			_, err := p.connectAs(t, row.role).Exec(t.Context(), row.statement)
			pgErr, ok := errors.AsType[*pgconn.PgError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, "42501", pgErr.Code, pgErr.Message)
		})
	}
	_, err := p.connectAs(t, Exporter).Exec(t.Context(), "SELECT state FROM pg_stat_activity WHERE usename <> current_user")
	require.NoError(t, err)
	// The exporter also sees the statements of other users. That needs pg_read_all_stats.
	_, err = p.connectAs(t, Exporter).Exec(t.Context(), "SELECT 1 / (count(*) FILTER (WHERE query <> '<insufficient privilege>'))::int FROM pg_stat_statements WHERE userid <> (SELECT oid FROM pg_roles WHERE rolname = current_user)")
	require.NoError(t, err)
}

func TestSecondRunChangesNothing(t *testing.T) {
	p := newPlatform(t, server)
	require.Contains(t, p.apply(t), "GRANT SELECT ON TABLE public.users TO")
	require.Empty(t, p.apply(t))
}

func TestChangesByHandAreRevoked(t *testing.T) {
	p := newPlatform(t, server)
	p.apply(t)
	for _, statement := range []string{
		"GRANT SELECT ON users TO npa",
		"GRANT SELECT ON users TO web WITH GRANT OPTION",
		"GRANT UPDATE (plan) ON nutrition_plans TO npa_a",
		"GRANT CREATE ON SCHEMA public TO wpa",
		"DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC', current_database()); END $$",
		"GRANT SELECT ON nutrition_plans TO PUBLIC",
		"GRANT EXECUTE ON FUNCTION create_monthly_partition TO PUBLIC",
		"GRANT USAGE ON SEQUENCE agent_logs_master_id_seq TO mca",
		"GRANT SELECT ON pg_authid TO exporter_a",
		"GRANT pg_read_all_data TO web",
		"GRANT npa TO web_a",
		"ALTER ROLE web_a SUPERUSER CREATEROLE CREATEDB NOINHERIT CONNECTION LIMIT 7",
		"ALTER ROLE web_a SET search_path = other",
		"ALTER ROLE web_a SET role = npa",
		"ALTER ROLE web LOGIN PASSWORD 'somebody'",
		"ALTER ROLE web_a PASSWORD 'somebody'",
		"REVOKE INSERT ON workout_plans FROM wpa",
		"ALTER ROLE wpa_a NOLOGIN",
	} {
		t.Run(statement, func(t *testing.T) {
			p.exec(t, statement)
			require.NotEmpty(t, p.apply(t))
			require.Empty(t, p.apply(t), "one run is enough")
		})
	}
	for _, name := range []string{"web", "wpa"} {
		require.NoError(t, runStatements(t.Context(), name, p.openStore(t, p.url(name, 0))))
	}
}

// A marked role that is no longer wanted loses its login and all privileges. It may be from an
// earlier release, or from the time before a change of ROLE_LOGIN.
func TestUnwantedRoleLosesItsLogin(t *testing.T) {
	p := newPlatform(t, server)
	p.apply(t)
	p.exec(t, "CREATE ROLE old LOGIN PASSWORD 'clear-password' CONNECTION LIMIT 5")
	p.exec(t, "COMMENT ON ROLE old IS '"+marker+"'")
	p.exec(t, "GRANT SELECT ON users TO old")
	p.apply(t)
	var canLogIn, hasPassword, canRead bool
	require.NoError(t, p.conn.QueryRow(t.Context(),
		"SELECT rolcanlogin, rolpassword IS NOT NULL, has_table_privilege(oid, 'users', 'SELECT') FROM pg_authid WHERE rolname = 'old'").Scan(&canLogIn, &hasPassword, &canRead))
	require.Equal(t, []bool{false, false, false}, []bool{canLogIn, hasPassword, canRead})
	p.exec(t, "DROP ROLE old")
}

func TestApplyRefusesUnmarkedRolesAndOwnersOfObjects(t *testing.T) {
	p := newPlatform(t, server)
	p.apply(t)
	p.exec(t, "COMMENT ON ROLE npa_a IS 'mine'")
	require.ErrorContains(t, Apply(t.Context(), p.owner, p.config, slog.New(slog.DiscardHandler)), "role npa_a exists, and migrate has not created it")
	p.exec(t, "COMMENT ON ROLE npa_a IS '"+marker+"'")
	p.exec(t, "ALTER VIEW v_table_bloat OWNER TO wpa")
	require.ErrorContains(t, Apply(t.Context(), p.owner, p.config, slog.New(slog.DiscardHandler)), "role wpa owns 1 objects")
	p.exec(t, "ALTER VIEW v_table_bloat OWNER TO postgres")
	p.apply(t)
}

func TestRoleCannotExceedItsConnectionLimit(t *testing.T) {
	p := newPlatform(t, server)
	p.config.Connections["npa"] = 1
	p.apply(t)
	p.connectAs(t, "npa")
	_, err := pgx.Connect(t.Context(), p.url("npa", 0))
	require.ErrorContains(t, err, "too many connections for role")
	p.connectAs(t, "wpa")
}

func TestApplyRejectsInvalidConfig(t *testing.T) {
	p := newPlatform(t, server)
	for _, row := range []struct {
		reason, message string
		change          func(*Config)
	}{
		{"no number of connections", "role web may open 0 connections", func(c *Config) { c.Connections = nil }},
		{"a generation without passwords", "password 1 of role web", func(c *Config) { c.Generation = 1 }},
		{"a negative generation", "must not be below 0", func(c *Config) { c.Generation = -1 }},
	} {
		t.Run(row.reason, func(t *testing.T) {
			c := p.config
			row.change(&c)
			require.ErrorContains(t, Apply(t.Context(), p.owner, c, slog.New(slog.DiscardHandler)), row.message)
		})
	}
	shortPasswordFile := filepath.Join(p.config.PasswordsFolder, "0", "mca")
	require.NoError(t, os.WriteFile(shortPasswordFile, []byte("short secret"), 0o600))
	err := Apply(t.Context(), p.owner, p.config, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "password 0 of role mca")
	require.False(t, strings.Contains(err.Error(), "short secret"))
}

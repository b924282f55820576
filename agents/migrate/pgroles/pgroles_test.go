package pgroles

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/database"
	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/testservers"
	"github.com/progressive-framework/platform/agents/migrate/pgschema"
)

var server *testservers.Postgres

func TestMain(m *testing.M) {
	os.Exit(testservers.Main(m, func(ctx context.Context) (_ testservers.Server, err error) {
		server, err = testservers.StartPostgres(ctx, map[string]string{"log_statement": "all", "logging_collector": "on", "log_directory": "log"})
		return server, err
	}))
}

// platform is a database with the platform's schema, and the passwords of its roles.
type platform struct {
	owner  *pgx.ConnConfig
	conn   *pgx.Conn // the owner's
	config Config
}

// migrated is the name of a database with the schema, by server. Others are copies.
var migrated = map[*testservers.Postgres]string{}

// newPlatform creates a database with the schema and no privileges.
func newPlatform(t *testing.T, server *testservers.Postgres) *platform {
	t.Helper()
	if migrated[server] == "" {
		owner, err := pgx.ParseConfig(server.Database(t))
		require.NoError(t, err)
		policy := pgschema.Partitions{Ahead: 1, Keep: 1, Now: time.Now()}
		require.NoError(t, pgschema.Up(t.Context(), owner, policy, slog.New(slog.DiscardHandler)))
		migrated[server] = owner.Database
	}
	admin, err := pgx.Connect(t.Context(), server.URL("postgres"))
	require.NoError(t, err)
	defer admin.Close(t.Context())
	name := "platform_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	_, err = admin.Exec(t.Context(), "CREATE DATABASE "+name+" TEMPLATE "+migrated[server])
	require.NoError(t, err)
	owner, err := pgx.ParseConfig(server.URL(name))
	require.NoError(t, err)
	p := &platform{owner: owner, config: Config{Passwords: t.TempDir(), Connections: map[string]int{}}}
	for _, name := range Names() {
		p.config.Connections[name] = 50
	}
	p.rotate(t, 0)
	p.conn, err = pgx.ConnectConfig(t.Context(), owner)
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.conn.Close(context.WithoutCancel(t.Context())) })
	return p
}

// rotate writes the passwords of a generation and removes those before the previous one,
// as the stack does with its Secrets.
func (p *platform) rotate(t *testing.T, generation int) {
	t.Helper()
	p.config.Generation = generation
	folder := filepath.Join(p.config.Passwords, strconv.Itoa(generation))
	require.NoError(t, os.Mkdir(folder, 0o700))
	for _, name := range Names() {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(password(name, generation)), 0o600))
	}
	require.NoError(t, os.RemoveAll(filepath.Join(p.config.Passwords, strconv.Itoa(generation-2))))
}

func password(name string, generation int) string {
	return fmt.Sprintf("clear-password-%s-%d", name, generation)
}

// apply applies the roles and returns what was logged.
func (p *platform) apply(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Apply(t.Context(), p.owner, p.config, slog.New(slog.NewTextHandler(&out, nil))))
	return out.String()
}

// exec executes a statement as the owner.
func (p *platform) exec(t *testing.T, statement string) {
	t.Helper()
	_, err := p.conn.Exec(t.Context(), statement)
	require.NoError(t, err, statement)
}

func (p *platform) address() string {
	return net.JoinHostPort(p.owner.Host, strconv.Itoa(int(p.owner.Port)))
}

// url is the URL of a login of a generation, with its password.
func (p *platform) url(name string, generation int) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(PasswordLogin(name, generation), password(name, generation)),
		Host: p.address(), Path: p.owner.Database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// as connects as a service.
func (p *platform) as(t *testing.T, name string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.url(name, p.config.Generation))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// store is a service's own access to the database.
func (p *platform) store(t *testing.T, url string) *database.Store {
	t.Helper()
	cfg := database.ReadConfig(envconfig.New(func(string) (string, bool) { return "", false }))
	cfg.URL = url
	s, err := database.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// work does all that a service asks of the database.
func work(ctx context.Context, service string, s *database.Store) error {
	id, user, body := uuid.New(), "u-"+uuid.NewString(), json.RawMessage(`{}`)
	ignore := func(_ any, err error) error { return err }
	switch service {
	case "web":
		_, missing := s.User(ctx, user)
		if errors.Is(missing, database.ErrNotFound) {
			missing = nil
		}
		return errors.Join(missing,
			ignore(s.UserActive(ctx, user)), ignore(s.EnsureUser(ctx, user)), ignore(s.EnsureUser(ctx, user)),
			ignore(s.SavePreferences(ctx, user, body)), ignore(s.SaveProfile(ctx, user, "Ada", body)))
	case "mca":
		state := database.AgentState{AgentID: "mca", Instance: user, Status: database.StatusActive, State: body}
		done := []database.Coordination{{ID: id, AgentID: "mca", UserID: user, Task: "plan", Status: database.Complete, Result: body}}
		return errors.Join(s.SaveAgentState(ctx, state), s.SaveAgentState(ctx, state), s.SaveCoordinations(ctx, done), s.SaveCoordinations(ctx, done),
			ignore(s.ActiveAgents(ctx, "mca", time.Now())), ignore(s.RecentCoordinations(ctx, "mca", time.Now(), 1)))
	default:
		kind := map[string]database.PlanKind{"npa": database.Nutrition, "wpa": database.Workout}[service]
		return errors.Join(s.SavePlan(ctx, kind, id, user, body), s.SavePlan(ctx, kind, id, user, body), ignore(s.RecentPlans(ctx, kind, user, 1)))
	}
}

// Each service can do its work. Without any one of its privileges it can't.
func TestPrivilegesAreSufficientAndEachIsNeeded(t *testing.T) {
	p := newPlatform(t, server)
	p.apply(t)
	stores := map[string]*database.Store{}
	for _, name := range Names() {
		if name != Exporter {
			stores[name] = p.store(t, p.url(name, 0))
			require.NoError(t, work(t.Context(), name, stores[name]), name)
		}
	}
	for _, own := range privileges(pgx.Identifier{p.owner.Database}.Sanitize()) {
		if own.Kind == "DATABASE" || own.Kind == "SCHEMA" || own.Grantee == Exporter {
			continue
		}
		p.exec(t, fmt.Sprintf("REVOKE %s FROM %s", own, own.grantee()))
		require.ErrorContains(t, work(t.Context(), own.Grantee, stores[own.Grantee]), "permission denied", "%s does not need %s", own.Grantee, own)
		p.exec(t, fmt.Sprintf("GRANT %s TO %s", own, own.grantee()))
	}
}

func TestRolesAreRefusedEverythingElse(t *testing.T) {
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
			_, err := p.as(t, row.role).Exec(t.Context(), row.statement)
			refused, ok := errors.AsType[*pgconn.PgError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, "42501", refused.Code, refused.Message)
		})
	}
	_, err := p.as(t, Exporter).Exec(t.Context(), "SELECT state FROM pg_stat_activity WHERE usename <> current_user")
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
		require.NoError(t, work(t.Context(), name, p.store(t, p.url(name, 0))))
	}
}

// A role of an earlier release, or of another way to log in, keeps nothing.
func TestRoleThatIsGoneLosesItsLogin(t *testing.T) {
	p := newPlatform(t, server)
	p.apply(t)
	p.exec(t, "CREATE ROLE old LOGIN PASSWORD 'clear-password' CONNECTION LIMIT 5")
	p.exec(t, "COMMENT ON ROLE old IS '"+marker+"'")
	p.exec(t, "GRANT SELECT ON users TO old")
	p.apply(t)
	var login, hasPassword, reads bool
	require.NoError(t, p.conn.QueryRow(t.Context(),
		"SELECT rolcanlogin, rolpassword IS NOT NULL, has_table_privilege(oid, 'users', 'SELECT') FROM pg_authid WHERE rolname = 'old'").Scan(&login, &hasPassword, &reads))
	require.Equal(t, []bool{false, false, false}, []bool{login, hasPassword, reads})
	p.exec(t, "DROP ROLE old")
}

func TestRolesOfOthersAreNotTouched(t *testing.T) {
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

func TestConnectionLimitHolds(t *testing.T) {
	p := newPlatform(t, server)
	p.config.Connections["npa"] = 1
	p.apply(t)
	p.as(t, "npa")
	_, err := pgx.Connect(t.Context(), p.url("npa", 0))
	require.ErrorContains(t, err, "too many connections for role")
	p.as(t, "wpa")
}

func TestWrongConfigChangesNothing(t *testing.T) {
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
	short := filepath.Join(p.config.Passwords, "0", "mca")
	require.NoError(t, os.WriteFile(short, []byte("short secret"), 0o600))
	err := Apply(t.Context(), p.owner, p.config, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "password 0 of role mca")
	require.False(t, strings.Contains(err.Error(), "short secret"))
}

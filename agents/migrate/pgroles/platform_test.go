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
	conn   *pgx.Conn // a connection of the owner
	config Config
}

// templates has, for each server, the name of a database with the schema. newPlatform copies this
// database.
var templates = map[*testservers.Postgres]string{}

// newPlatform creates a database with the schema and no privileges.
func newPlatform(t *testing.T, server *testservers.Postgres) *platform {
	t.Helper()
	if templates[server] == "" {
		owner, err := pgx.ParseConfig(server.CreateDatabase(t))
		require.NoError(t, err)
		policy := pgschema.Partitions{Ahead: 1, Keep: 1, Now: time.Now()}
		require.NoError(t, pgschema.Up(t.Context(), owner, policy, slog.New(slog.DiscardHandler)))
		templates[server] = owner.Database
	}
	admin, err := pgx.Connect(t.Context(), server.URL("postgres"))
	require.NoError(t, err)
	defer admin.Close(t.Context())
	name := "platform_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	_, err = admin.Exec(t.Context(), "CREATE DATABASE "+name+" TEMPLATE "+templates[server])
	require.NoError(t, err)
	owner, err := pgx.ParseConfig(server.URL(name))
	require.NoError(t, err)
	p := &platform{owner: owner, config: Config{PasswordsFolder: t.TempDir(), Connections: map[string]int{}}}
	for _, name := range GroupRoles() {
		p.config.Connections[name] = 50
	}
	p.rotate(t, 0)
	p.conn, err = pgx.ConnectConfig(t.Context(), owner)
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.conn.Close(context.WithoutCancel(t.Context())) })
	return p
}

// rotate writes the passwords of a generation, and removes the passwords of generation-2. The stack
// does the same with its Secrets.
func (p *platform) rotate(t *testing.T, generation int) {
	t.Helper()
	p.config.Generation = generation
	folder := filepath.Join(p.config.PasswordsFolder, strconv.Itoa(generation))
	require.NoError(t, os.Mkdir(folder, 0o700))
	for _, name := range GroupRoles() {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(password(name, generation)), 0o600))
	}
	require.NoError(t, os.RemoveAll(filepath.Join(p.config.PasswordsFolder, strconv.Itoa(generation-2))))
}

// password returns the password of a role in a generation.
func password(name string, generation int) string {
	return fmt.Sprintf("clear-password-%s-%d", name, generation)
}

// apply applies the roles of the configuration, and returns the log.
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

// address returns HOST:PORT of the server.
func (p *platform) address() string {
	return net.JoinHostPort(p.owner.Host, strconv.Itoa(int(p.owner.Port)))
}

// url returns the URL for a service with the password of a generation.
func (p *platform) url(name string, generation int) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(PasswordLogin(name, generation), password(name, generation)),
		Host: p.address(), Path: p.owner.Database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// connectAs opens a connection with the login of the service.
func (p *platform) connectAs(t *testing.T, name string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.url(name, p.config.Generation))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// openStore returns a store for the URL, as a service opens it.
func (p *platform) openStore(t *testing.T, url string) *database.Store {
	t.Helper()
	cfg := database.ReadConfig(envconfig.New(func(string) (string, bool) { return "", false }))
	cfg.URL = url
	s, err := database.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// runStatements runs every statement that a service sends to the database. It runs a write twice, because a
// write of an existing row needs other privileges.
func runStatements(ctx context.Context, service string, s *database.Store) error {
	id, user, body := uuid.New(), "u-"+uuid.NewString(), json.RawMessage(`{}`)
	onlyError := func(_ any, err error) error { return err }
	switch service {
	case "web":
		_, err := s.User(ctx, user)
		if errors.Is(err, database.ErrNotFound) {
			err = nil // the user does not exist yet
		}
		return errors.Join(err,
			onlyError(s.IsUserActive(ctx, user)), onlyError(s.EnsureUser(ctx, user)), onlyError(s.EnsureUser(ctx, user)),
			onlyError(s.SavePreferences(ctx, user, body)), onlyError(s.SaveProfile(ctx, user, "Ada", body)))
	case "mca":
		state := database.AgentState{AgentID: "mca", Instance: user, Status: database.StatusActive, State: body}
		coordinations := []database.Coordination{{ID: id, AgentID: "mca", UserID: user, Task: "plan", Status: database.CoordinationComplete, Result: body}}
		return errors.Join(s.SaveAgentState(ctx, state), s.SaveAgentState(ctx, state), s.SaveCoordinations(ctx, coordinations), s.SaveCoordinations(ctx, coordinations),
			onlyError(s.ActiveAgents(ctx, "mca", time.Now())), onlyError(s.RecentCoordinations(ctx, "mca", time.Now(), 1)))
	default:
		kind := map[string]database.PlanKind{"npa": database.Nutrition, "wpa": database.Workout}[service]
		return errors.Join(s.SavePlan(ctx, kind, id, user, body), s.SavePlan(ctx, kind, id, user, body), onlyError(s.RecentPlans(ctx, kind, user, 1)))
	}
}

package database

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/testservers"
	"github.com/progressive-framework/platform/agents/migrate/pgschema"
)

var server *testservers.Postgres

func TestMain(m *testing.M) {
	os.Exit(testservers.Main(m, func(ctx context.Context) (_ testservers.Server, err error) {
		server, err = testservers.StartPostgres(ctx, nil)
		return server, err
	}))
}

// openStore returns a store on an empty database with the platform's schema.
func openStore(t *testing.T, server *testservers.Postgres, change ...func(*Config)) *Store {
	t.Helper()
	url := server.CreateDatabase(t)
	conn, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	policy := pgschema.Partitions{Ahead: 1, Keep: 1, Now: time.Now()}
	require.NoError(t, pgschema.Up(t.Context(), conn, policy, slog.New(slog.DiscardHandler)))
	cfg := ReadConfig(envconfig.New(func(string) (string, bool) { return "", false }))
	cfg.URL = url
	for _, c := range change {
		c(&cfg)
	}
	s, err := Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func TestUsersAreCreatedAndUpdated(t *testing.T) {
	s, ctx := openStore(t, server), t.Context()
	_, err := s.User(ctx, "test-user-123")
	require.ErrorIs(t, err, ErrNotFound)
	active, err := s.IsUserActive(ctx, "test-user-123")
	require.NoError(t, err)
	require.False(t, active)

	created, err := s.EnsureUser(ctx, "test-user-123")
	require.NoError(t, err)
	existing, err := s.EnsureUser(ctx, "test-user-123")
	require.NoError(t, err)
	require.Equal(t, created, existing, "an existing user is not changed")
	active, err = s.IsUserActive(ctx, "test-user-123")
	require.NoError(t, err)
	require.True(t, active)

	_, err = s.SavePreferences(ctx, "test-user-123", json.RawMessage(`{"theme": "dark", "notifications": true}`))
	require.NoError(t, err)
	saved, err := s.SavePreferences(ctx, "test-user-123", json.RawMessage(`{"theme": "light"}`))
	require.NoError(t, err)
	require.JSONEq(t, `{"theme": "light", "notifications": true}`, string(saved.Preferences))
	saved, err = s.SaveProfile(ctx, "test-user-123", "Ada", json.RawMessage(`{"heightCm": 170}`))
	require.NoError(t, err)
	require.Equal(t, "Ada", saved.DisplayName)
	require.JSONEq(t, `{"theme": "light", "notifications": true}`, string(saved.Preferences), "saving the profile keeps the preferences")
	user, err := s.User(ctx, "test-user-123")
	require.NoError(t, err)
	require.Equal(t, saved, user)

	_, err = s.SavePreferences(ctx, "new-user", json.RawMessage(`{"a": 1}`))
	require.NoError(t, err, "preferences of a new user")
	_, err = s.EnsureUser(ctx, strings.Repeat("x", 129))
	require.ErrorContains(t, err, "users_id_check")
	require.NotErrorIs(t, err, ErrUnavailable, "an invalid request is not a database outage")
}

// The histogram counts successful and failed queries.
func TestQueriesAreMeasured(t *testing.T) {
	s := openStore(t, server)
	registry := prometheus.NewRegistry()
	registry.MustRegister(s)
	readMetric := func(name string) float64 {
		families, err := registry.Gather()
		require.NoError(t, err)
		for _, f := range families {
			if f.GetName() == name {
				m := f.GetMetric()[0]
				return m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
		t.Fatalf("there is no metric %s", name)
		return 0
	}
	countQueries := func() float64 { return readMetric("database_query_duration_seconds") }
	require.Zero(t, countQueries(), "the series exists before the first query")
	_, err := s.IsUserActive(t.Context(), "nobody")
	require.NoError(t, err)
	require.EqualValues(t, 1, countQueries())
	require.Error(t, s.exec(t.Context(), notIdempotent, "fail", "SELECT 1/0"))
	require.EqualValues(t, 2, countQueries())

	countAcquired := func() float64 { return readMetric("database_pool_acquired_connections") }
	require.EqualValues(t, 8, readMetric("database_pool_max_connections"))
	require.Zero(t, countAcquired())
	conn, err := s.pool.Acquire(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, countAcquired())
	conn.Release()
}

func TestPlansAreSavedOnceAndListed(t *testing.T) {
	s, ctx := openStore(t, server), t.Context()
	for _, kind := range []PlanKind{Nutrition, Workout} {
		t.Run(string(kind), func(t *testing.T) {
			var ids []uuid.UUID
			for i := range 3 {
				id := uuid.Must(uuid.NewV7())
				ids = append(ids, id)
				body := json.RawMessage(fmt.Sprintf(`{"day": %d}`, i))
				require.NoError(t, s.SavePlan(ctx, kind, id, "u-1", body), "the first plan of a user creates the user")
				require.NoError(t, s.SavePlan(ctx, kind, id, "u-1", json.RawMessage(`{"day": "repeated"}`)))
			}
			require.NoError(t, s.SavePlan(ctx, kind, uuid.New(), "u-2", json.RawMessage(`{}`)))
			plans, err := s.RecentPlans(ctx, kind, "u-1", 2)
			require.NoError(t, err)
			require.Len(t, plans, 2)
			require.Equal(t, []uuid.UUID{ids[2], ids[1]}, []uuid.UUID{plans[0].ID, plans[1].ID})
			require.JSONEq(t, `{"day": 2}`, string(plans[0].Body), "a repeated write changes nothing")
		})
	}
}

func TestAgentStatesAndCoordinationsAreSaved(t *testing.T) {
	s, ctx := openStore(t, server), t.Context()
	since := time.Now().Add(-time.Minute)
	for instance, status := range map[string]string{"mca-1": StatusActive, "mca-2": StatusDraining} {
		require.NoError(t, s.SaveAgentState(ctx, AgentState{AgentID: "mca", Instance: instance, Status: StatusActive, State: json.RawMessage(`{}`)}))
		require.NoError(t, s.SaveAgentState(ctx, AgentState{AgentID: "mca", Instance: instance, Status: status, State: json.RawMessage(`{}`)}))
	}
	states, err := s.ActiveAgents(ctx, "mca", since)
	require.NoError(t, err)
	require.Len(t, states, 1)
	require.Equal(t, "mca-1", states[0].Instance)
	states, err = s.ActiveAgents(ctx, "mca", time.Now().Add(time.Minute))
	require.NoError(t, err)
	require.Empty(t, states, "no update since the time")

	partial := Coordination{ID: uuid.New(), AgentID: "mca", UserID: "u", Task: "plan", Status: CoordinationPartial, DurationMS: 120, Result: json.RawMessage(`{}`)}
	failed := Coordination{ID: uuid.New(), AgentID: "mca", UserID: "v", Task: "rest", Status: CoordinationFailed, Result: json.RawMessage(`{"agents": []}`)}
	require.NoError(t, s.SaveCoordinations(ctx, []Coordination{partial}))
	require.NoError(t, s.SaveCoordinations(ctx, []Coordination{partial, failed}), "an existing row is not an error")
	recent, err := s.RecentCoordinations(ctx, "mca", since, 10)
	require.NoError(t, err)
	for i := range recent {
		recent[i].CreatedAt = time.Time{}
	}
	require.ElementsMatch(t, []Coordination{partial, failed}, recent)
}

func TestConnectionChecksURLAndPassword(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(file, []byte("p w\r\n"), 0o600))
	for _, row := range []struct {
		reason, url, file, message string
	}{
		{"verified TLS", "postgres://u:secret@h/d?sslmode=verify-full", "", ""},
		{"the file's password takes precedence", "postgres://u:secret@h/d?sslmode=disable", file, ""},
		{"libpq's default falls back to plain text", "postgres://u:secret@h/d", "", "sslmode=verify-full"},
		{"prefer also falls back to plain text", "postgres://u:secret@h/d?sslmode=prefer", "", `sslmode="prefer"`},
		{"require accepts any server", "postgres://u:secret@h/d?sslmode=require", "", `sslmode="require"`},
		{"verify-ca accepts a server with another name", "postgres://u:secret@h/d?sslmode=verify-ca", "", `sslmode="verify-ca"`},
		{"a missing file", "postgres://u:secret@h/d?sslmode=verify-full", "/nothing", "DATABASE_PASSWORD_FILE"},
		{"an invalid port", "postgres://u:secret@h:x/d?sslmode=verify-full", "", "DATABASE_URL"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			conn, err := Config{URL: row.url, PasswordFile: row.file, ConnectTimeout: time.Second}.Connection()
			if row.message != "" {
				require.ErrorContains(t, err, row.message)
				require.NotContains(t, err.Error(), "secret")
				return
			}
			require.NoError(t, err)
			require.Equal(t, time.Second, conn.ConnectTimeout)
			require.Empty(t, conn.Fallbacks, "no fallback without TLS")
			if row.file != "" {
				require.Equal(t, "p w", conn.Password)
			}
		})
	}
}

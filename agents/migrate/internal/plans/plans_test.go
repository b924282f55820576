package plans

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/database"
	"github.com/progressive-framework/platform/agents/internal/testservers"
	"github.com/progressive-framework/platform/agents/migrate/pgschema"
)

var server *testservers.Postgres

func TestMain(m *testing.M) {
	os.Exit(testservers.Main(m, func(ctx context.Context) (_ testservers.Server, err error) {
		server, err = testservers.StartPostgres(ctx, map[string]string{
			"shared_buffers": "512MB", "maintenance_work_mem": "256MB", "autovacuum": "off",
			"random_page_cost": "1.1", // as in the design document
		})
		return server, err
	}))
}

// fillStatements insert a million rows into each table. 1,000 users own all rows, and
// one row in fifty is recent or active.
var fillStatements = []string{
	`INSERT INTO users (id, active) SELECT 'u-' || g, g % 50 <> 0 FROM generate_series(1, 1000000) g`,
	`INSERT INTO user_sessions (id, user_id, expires_at) SELECT lpad(to_hex(g), 32, '0')::uuid, 'u-' || g % 1000, now() + (g % 50 - 48) * INTERVAL '1 hour' FROM generate_series(1, 1000000) g`,
	`INSERT INTO agent_states (agent_id, instance, status, updated_at)
		SELECT 'agent-' || g % 10, 'pod-' || g, CASE WHEN g % 50 = 0 THEN 'active' ELSE 'stopped' END, now() - g * INTERVAL '1 second' FROM generate_series(1, 1000000) g`,
	`INSERT INTO agent_coordination (id, agent_id, user_id, task, status, duration_ms, created_at)
		SELECT lpad(to_hex(g), 32, '0')::uuid, 'agent-' || g % 10, 'u-' || g % 1000, 'plan', 'complete', 100, now() - g * INTERVAL '1 second' FROM generate_series(1, 1000000) g`,
	`INSERT INTO nutrition_plans (id, user_id, plan, created_at) SELECT lpad(to_hex(g), 32, '0')::uuid, 'u-' || g % 1000, '{}', now() - g * INTERVAL '1 second' FROM generate_series(1, 1000000) g`,
	`INSERT INTO workout_plans (id, user_id, plan, created_at) SELECT lpad(to_hex(g), 32, '0')::uuid, 'u-' || g % 1000, '{}', now() - g * INTERVAL '1 second' FROM generate_series(1, 1000000) g`,
	`INSERT INTO exercises (id, name, primary_muscle_group, difficulty_level) SELECT 'e-' || g, 'exercise ' || g, 'muscle-' || g % 100, 'level-' || g % 5 FROM generate_series(1, 1000000) g`,
	`INSERT INTO nutrition_foods (id, name) SELECT 'f-' || g, 'food' || g % 5000 || ' kind' || g FROM generate_series(1, 1000000) g`,
}

// newLargeDatabase returns a connection to a database with a million rows in each
// table.
func newLargeDatabase(t *testing.T) *pgx.Conn {
	t.Helper()
	cfg, err := pgx.ParseConfig(server.CreateDatabase(t))
	require.NoError(t, err)
	policy := pgschema.Partitions{Ahead: 1, Keep: 1, Now: time.Now()}
	require.NoError(t, pgschema.Up(t.Context(), cfg, policy, slog.New(slog.DiscardHandler)))
	conn, err := pgx.ConnectConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	// The indexes are dropped, and created again after the tables are filled. Foreign keys
	// are not checked (session_replication_role), because the rows satisfy them. So the
	// tables are filled in seconds instead of minutes.
	rows, err := conn.Query(t.Context(), "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'idx\\_%' AND tablename NOT LIKE 'agent\\_logs%'")
	require.NoError(t, err)
	indexes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Name, Definition string }])
	require.NoError(t, err)
	require.Len(t, indexes, 8)
	statements := []string{"SET session_replication_role = replica", "SET maintenance_work_mem = '256MB'"}
	for _, index := range indexes {
		statements = append(statements, "DROP INDEX "+index.Name)
	}
	statements = append(statements, fillStatements...)
	for _, index := range indexes {
		statements = append(statements, index.Definition)
	}
	for _, statement := range statements {
		start := time.Now()
		_, err := conn.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
		t.Logf("%6s %.40s", time.Since(start).Round(time.Millisecond), statement)
	}
	_, err = conn.Exec(t.Context(), "VACUUM ANALYZE") // for index-only scans
	require.NoError(t, err)
	return conn
}

// planNode is the part of an EXPLAIN plan that the tests check.
type planNode struct {
	Type  string `json:"Node Type"`
	Index string `json:"Index Name"`
	// Arbiters are the indexes that ON CONFLICT uses.
	Arbiters []string   `json:"Conflict Arbiter Indexes"`
	Plans    []planNode `json:"Plans"`
}

// walk calls visit for the node and for all nodes below it.
func (n planNode) walk(visit func(planNode)) {
	visit(n)
	for _, child := range n.Plans {
		child.walk(visit)
	}
}

func TestFrequentQueriesUseTheirIndexes(t *testing.T) {
	conn := newLargeDatabase(t)
	t.Run("reads", func(t *testing.T) { requireIndexedReads(t, conn) })
	t.Run("writes", func(t *testing.T) { requireIndexedWrites(t, conn) })
}

// requireIndexedWrites checks that each write finds an existing row by the index of the
// primary key.
func requireIndexedWrites(t *testing.T, conn *pgx.Conn) {
	id, body := uuid.New(), json.RawMessage(`{}`)
	for _, row := range []struct {
		reason, query string
		args          []any
		indexes       []string
	}{
		{"web: a new user", database.QueryEnsureUser, []any{"u-777"}, []string{"users_pkey"}},
		{"web: preferences", database.QuerySavePreferences, []any{"u-777", body}, []string{"users_pkey"}},
		{"mca: its state", database.QuerySaveAgentState, []any{"mca", "pod-1", "active", body}, []string{"agent_states_pkey"}},
		{"mca: an outcome", database.QuerySaveCoordinations, []any{[]uuid.UUID{id}, []string{"mca"}, []string{"u-777"}, []string{"plan"}, []string{"complete"}, []int{100}, []string{string(body)}}, []string{"agent_coordination_pkey"}},
		{"npa: a plan", database.Nutrition.QuerySavePlan(), []any{id, "u-777", body}, []string{"nutrition_plans_pkey", "users_pkey"}},
		{"wpa: a plan", database.Workout.QuerySavePlan(), []any{id, "u-777", body}, []string{"workout_plans_pkey", "users_pkey"}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			var used []string
			explain(t, conn, row.query, row.args).walk(func(n planNode) {
				require.NotContains(t, n.Type, "Seq Scan")
				used = append(used, n.Arbiters...)
			})
			require.ElementsMatch(t, row.indexes, used)
		})
	}
}

// explain returns the plan of a statement without executing it.
func explain(t *testing.T, conn *pgx.Conn, query string, args []any) planNode {
	t.Helper()
	var encoded []byte
	require.NoError(t, conn.QueryRow(t.Context(), "EXPLAIN (FORMAT JSON) "+query, args...).Scan(&encoded))
	t.Logf("%s", encoded)
	var plans []struct{ Plan planNode }
	require.NoError(t, json.Unmarshal(encoded, &plans))
	return plans[0].Plan
}

// requireIndexedReads checks that reads use one index and do not sort.
func requireIndexedReads(t *testing.T, conn *pgx.Conn) {
	hourAgo := time.Now().Add(-time.Hour)
	for _, row := range []struct {
		reason, query string
		args          []any
		index         string
	}{
		{"web: profile", database.QueryUser, []any{"u-777"}, "users_pkey"},
		{"web: is the user active", database.QueryUserActive, []any{"u-777"}, "idx_users_active"},
		{"active sessions", "SELECT id FROM user_sessions WHERE user_id = $1 AND expires_at > now()", []any{"u-777"}, "idx_user_sessions_active"},
		{"mca: active processes", database.QueryActiveAgents, []any{"agent-0", hourAgo}, "idx_agent_states_active"},
		{"mca: the last hour", database.QueryRecentCoordinations, []any{"agent-7", hourAgo, 20}, "idx_agent_coordination_recent"},
		{"npa: a user's plans", database.Nutrition.QueryRecentPlans(), []any{"u-777", 5}, "idx_nutrition_plans_user"},
		{"wpa: a user's plans", database.Workout.QueryRecentPlans(), []any{"u-777", 5}, "idx_workout_plans_user"},
		{"exercises of a muscle", "SELECT id FROM exercises WHERE primary_muscle_group = $1 AND difficulty_level = $2", []any{"muscle-7", "level-2"}, "idx_exercises_muscle_group"},
		{"foods by a word", "SELECT id FROM nutrition_foods WHERE to_tsvector('english', name) @@ websearch_to_tsquery('english', $1)", []any{"food777"}, "idx_nutrition_foods_search"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			var used []string
			explain(t, conn, row.query, row.args).walk(func(n planNode) {
				require.NotContains(t, n.Type, "Seq Scan")
				require.NotContains(t, n.Type, "Sort", "the index gives the order")
				if n.Index != "" {
					used = append(used, n.Index)
				}
			})
			require.Equal(t, []string{row.index}, used)
		})
	}
}

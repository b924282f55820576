package pgschema

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/testservers"
)

var server *testservers.Postgres

func TestMain(m *testing.M) {
	os.Exit(testservers.Main(m, func(ctx context.Context) (_ testservers.Server, err error) {
		server, err = testservers.StartPostgres(ctx, nil)
		return server, err
	}))
}

var (
	discardLog = slog.New(slog.DiscardHandler)
	policy     = Partitions{Ahead: 3, Keep: 2, Now: time.Date(2026, 1, 31, 23, 59, 0, 0, time.UTC)}
)

// newDatabase creates an empty database. It returns the configuration of a connection that
// migrates it, and a connection that inspects it.
func newDatabase(t *testing.T) (*pgx.ConnConfig, *pgx.Conn) {
	t.Helper()
	cfg, err := pgx.ParseConfig(server.CreateDatabase(t))
	require.NoError(t, err)
	conn, err := pgx.ConnectConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return cfg, conn
}

// queryFirstColumn executes the query and returns the first column of its rows.
func queryFirstColumn(t *testing.T, conn *pgx.Conn, query string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), query, args...)
	require.NoError(t, err)
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return values
}

// listObjects lists every object that a run could change.
func listObjects(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	return queryFirstColumn(t, conn, `
SELECT c.oid::text || ' ' || c.relkind::text || ' ' || c.relname || ' ' || coalesce(i.indisvalid::text, '')
FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1`)
}

func TestUpCreatesTheDesignDocumentsIndexesAndViews(t *testing.T) {
	cfg, conn := newDatabase(t)
	require.NoError(t, Up(t.Context(), cfg, policy, discardLog))
	require.Equal(t, []string{
		"idx_agent_coordination_recent", "idx_agent_states_active", "idx_exercises_muscle_group", "idx_nutrition_foods_search",
		"idx_nutrition_plans_user", "idx_user_sessions_active", "idx_users_active", "idx_workout_plans_user",
	}, queryFirstColumn(t, conn, `
SELECT relname::text FROM pg_class JOIN pg_index ON indexrelid = oid
WHERE relname LIKE 'idx\_%' AND relname NOT LIKE 'idx\_agent\_logs%' AND indisvalid ORDER BY 1`))
	require.Equal(t, []string{"v_slow_queries", "v_table_bloat"}, queryFirstColumn(t, conn,
		"SELECT viewname::text FROM pg_views WHERE schemaname = 'public' AND viewname LIKE 'v\\_%' ORDER BY 1"))
}

func TestSecondRunChangesNothing(t *testing.T) {
	cfg, conn := newDatabase(t)
	require.NoError(t, Up(t.Context(), cfg, policy, discardLog))
	objectsBefore := listObjects(t, conn)
	require.NoError(t, Up(t.Context(), cfg, policy, discardLog))
	require.Equal(t, objectsBefore, listObjects(t, conn))
}

func TestConcurrentRunsAreSafe(t *testing.T) {
	cfg, conn := newDatabase(t)
	var (
		wg   sync.WaitGroup
		errs = make(chan error, 3)
	)
	for range cap(errs) {
		wg.Go(func() { errs <- Up(t.Context(), cfg, policy, discardLog) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, []string{"0", "1", "2", "3", "4"}, queryFirstColumn(t, conn,
		"SELECT version_id::text FROM goose_db_version ORDER BY id"), "each step ran once")
}

// TestFailedIndexBuildIsRepeated lets CREATE INDEX CONCURRENTLY fail, which leaves an invalid
// index. The next run must replace it.
func TestFailedIndexBuildIsRepeated(t *testing.T) {
	cfg, conn := newDatabase(t)
	steps := fstest.MapFS{
		"1_table.sql": {Data: []byte("-- +goose Up\nCREATE TABLE t (a INT);\nINSERT INTO t VALUES (1), (1);\n" + logPartitioning)},
		"2_index.sql": {Data: []byte("-- +goose NO TRANSACTION\n-- +goose Up\nDROP INDEX CONCURRENTLY IF EXISTS t_a;\nCREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a);\n")},
	}
	require.ErrorContains(t, up(t.Context(), cfg, steps, policy, discardLog), "run again")
	validQuery := "SELECT indisvalid::text FROM pg_index WHERE indexrelid = 't_a'::regclass"
	require.Equal(t, []string{"false"}, queryFirstColumn(t, conn, validQuery))
	_, err := conn.Exec(t.Context(), "DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t)")
	require.NoError(t, err)
	require.NoError(t, up(t.Context(), cfg, steps, policy, discardLog))
	require.Equal(t, []string{"true"}, queryFirstColumn(t, conn, validQuery))
}

// logPartitioning creates an empty log table, and a partition function that does nothing.
const logPartitioning = `CREATE TABLE agent_logs_master (created_at TIMESTAMPTZ) PARTITION BY RANGE (created_at);
-- +goose StatementBegin
CREATE FUNCTION create_monthly_partition(TEXT, DATE) RETURNS VOID AS 'BEGIN END' LANGUAGE plpgsql;
-- +goose StatementEnd
`

// TestIndexStepCanBeRepeated repeats the step that creates the indexes. It is the only step
// without a transaction, so a run may stop in the middle of it.
func TestIndexStepCanBeRepeated(t *testing.T) {
	cfg, conn := newDatabase(t)
	require.NoError(t, Up(t.Context(), cfg, policy, discardLog))
	// Goose rejects a missing step before applied steps, so the later steps are also reverted.
	_, err := conn.Exec(t.Context(), `
DELETE FROM goose_db_version WHERE version_id >= 2;
DROP VIEW v_slow_queries, v_table_bloat;
DROP TABLE agent_logs_master;
DROP FUNCTION create_monthly_partition;
DROP INDEX idx_users_active`)
	require.NoError(t, err)
	require.NoError(t, Up(t.Context(), cfg, policy, discardLog))
	require.Equal(t, []string{"true"}, queryFirstColumn(t, conn, "SELECT indisvalid::text FROM pg_index WHERE indexrelid = 'idx_users_active'::regclass"))
}

// TestMigrationDoesNotBlockALongTransaction migrates while a transaction has read the log. The
// new months must be created, and writes must not wait. The removal of an old month ends with
// the lock timeout, and the next run must complete it.
func TestMigrationDoesNotBlockALongTransaction(t *testing.T) {
	cfg, conn := newDatabase(t)
	require.NoError(t, Up(t.Context(), cfg, policy, discardLog))
	reader, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = reader.Exec(t.Context(), "SELECT FROM agent_logs_master")
	require.NoError(t, err)
	later := policy
	later.Now = later.Now.AddDate(0, 3, -10) // 2026-04-21, so January is no longer kept
	shortTimeout := cfg.Copy()
	shortTimeout.RuntimeParams["lock_timeout"] = "100ms"
	err = Up(t.Context(), shortTimeout, later, discardLog)
	require.ErrorContains(t, err, "drop the expired partition agent_logs_master_2026_01")
	require.ErrorContains(t, err, "lock timeout")
	_, err = reader.Exec(t.Context(), "INSERT INTO agent_logs_master (agent_id, log_level, message, created_at) VALUES ('mca', 'info', 'm', '2026-07-01Z')")
	require.NoError(t, err, "the months ahead were created")
	require.NoError(t, reader.Commit(t.Context()))
	require.Equal(t, []string{"true"}, queryFirstColumn(t, conn, "SELECT inhdetachpending::text FROM pg_inherits WHERE inhrelid = 'agent_logs_master_2026_01'::regclass"))
	require.NoError(t, Up(t.Context(), cfg, later, discardLog))
	require.Equal(t, []string{"false"}, queryFirstColumn(t, conn, "SELECT (to_regclass('agent_logs_master_2026_01') IS NOT NULL)::text"))
}

func TestPartitionsFollowThePolicy(t *testing.T) {
	cfg, conn := newDatabase(t)
	listPartitions := func() []string {
		return queryFirstColumn(t, conn, "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'agent_logs_master'::regclass ORDER BY 1")
	}
	cfg.RuntimeParams["timezone"] = "Pacific/Kiritimati" // UTC+14: months must not depend on the time zone
	require.NoError(t, Up(t.Context(), cfg, policy, discardLog))
	require.Equal(t, partitionNames("2026_01", "2026_02", "2026_03", "2026_04"), listPartitions(), "this month and three ahead, also on the 31st")
	_, err := conn.Exec(t.Context(), "INSERT INTO agent_logs_master (agent_id, log_level, message, created_at) VALUES ('mca', 'info', 'm', '2026-01-31 23:59:59Z')")
	require.NoError(t, err)
	require.Equal(t, partitionNames("2026_01"), queryFirstColumn(t, conn, "SELECT tableoid::regclass::text FROM agent_logs_master"))

	// A partition that an interrupted run has detached must be dropped. Another table with a
	// similar name must be kept.
	_, err = conn.Exec(t.Context(), "ALTER TABLE agent_logs_master DETACH PARTITION agent_logs_master_2026_02")
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "CREATE TABLE agent_logs_master_2026_notes (a INT)")
	require.NoError(t, err)
	later := policy
	later.Now = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	require.NoError(t, Up(t.Context(), cfg, later, discardLog))
	require.Equal(t, partitionNames("2026_03", "2026_04", "2026_05", "2026_06", "2026_07", "2026_08"), listPartitions(), "two months back, three ahead")
	require.Equal(t, partitionNames("2026_notes"), queryFirstColumn(t, conn, "SELECT relname::text FROM pg_class WHERE relname IN ('agent_logs_master_2026_01', 'agent_logs_master_2026_02', 'agent_logs_master_2026_notes')"))
	require.Len(t, queryFirstColumn(t, conn, "SELECT indexrelid::regclass::text FROM pg_index WHERE indexrelid::regclass::text LIKE 'idx_agent_logs_master_%_created_at'"), 6)
}

// partitionNames returns the names of the log's partitions for these months.
func partitionNames(months ...string) (names []string) {
	for _, month := range months {
		names = append(names, logTable+"_"+month)
	}
	return names
}

func TestInvalidPartitionPolicyIsAnError(t *testing.T) {
	cfg, _ := newDatabase(t)
	err := Up(t.Context(), cfg, Partitions{}, discardLog)
	for _, word := range []string{"ahead", "kept", "current time"} {
		require.ErrorContains(t, err, word)
	}
}

func TestViewsShowSlowQueriesAndBloat(t *testing.T) {
	cfg, conn := newDatabase(t)
	require.NoError(t, Up(t.Context(), cfg, policy, discardLog))
	_, err := conn.Exec(t.Context(), "SELECT pg_sleep(0.15)")
	require.NoError(t, err)
	require.Contains(t, queryFirstColumn(t, conn, "SELECT query FROM v_slow_queries"), "SELECT pg_sleep($1)")

	_, err = conn.Exec(t.Context(), `CREATE TABLE "Mixed Case" AS SELECT g FROM generate_series(1, 20000) g`)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `DELETE FROM "Mixed Case" WHERE g % 2 = 0`)
	require.NoError(t, err)
	require.Eventually(t, func() bool { // statistics are flushed with a delay
		sizes := queryFirstColumn(t, conn, `SELECT bloat_size FROM v_table_bloat WHERE tablename = 'Mixed Case'`)
		return fmt.Sprint(sizes) != "[0 bytes]"
	}, 20*time.Second, 50*time.Millisecond, "half of the rows are dead")
}

package pgmetrics

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/database"
	"github.com/progressive-framework/platform/agents/internal/testservers"
)

var server *testservers.Postgres

func TestMain(m *testing.M) {
	os.Exit(testservers.Main(m, func(ctx context.Context) (_ testservers.Server, err error) {
		server, err = testservers.StartPostgres(ctx, map[string]string{"track_io_timing": "on"})
		return server, err
	}))
}

// scrapedMetrics has the values of one scrape.
type scrapedMetrics struct {
	values            map[string]float64 // the sum of all series of a metric, by its name
	connectionsByUser map[string]float64
}

// scrape reads all series of the collector.
func scrape(t *testing.T, c *Collector) scrapedMetrics {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(c)
	families, err := r.Gather()
	require.NoError(t, err)
	s := scrapedMetrics{map[string]float64{}, map[string]float64{}}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			value := m.GetGauge().GetValue() + m.GetCounter().GetValue()
			s.values[f.GetName()] += value
			for _, label := range m.GetLabel() {
				if label.GetName() == "usename" && f.GetName() == "pg_stat_activity_count" {
					s.connectionsByUser[label.GetValue()] += value
				}
			}
		}
	}
	return s
}

// newCollector returns a collector for a new database, and a connection of its owner. The
// collector logs in as a role that can only read statistics.
func newCollector(t *testing.T, server *testservers.Postgres) (*Collector, *pgx.Conn) {
	t.Helper()
	url := server.CreateDatabase(t)
	admin, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = admin.Close(context.WithoutCancel(t.Context())) })
	_, err = admin.Exec(t.Context(), "DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN IN ROLE pg_monitor PASSWORD '"+testservers.PostgresPassword+"'; CREATE TABLE t (a int); CREATE INDEX t_a ON t (a); CREATE EXTENSION pg_stat_statements")
	require.NoError(t, err)
	cfg, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	pool, err := database.OpenPool(t.Context(), database.Config{
		URL:            "postgres://reader:" + testservers.PostgresPassword + "@" + server.Address() + "/" + cfg.Database + "?sslmode=disable",
		MaxConnections: 1, StatementTimeout: time.Second, ConnectTimeout: time.Second,
	}, nil)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return New(pool, slog.New(slog.DiscardHandler)), admin
}

func TestSeriesDescribeTheServer(t *testing.T) {
	c, admin := newCollector(t, server)
	require.NotEmpty(t, scrape(t, c).values, "the exporter's own connection is open")
	_, err := admin.Exec(t.Context(), "INSERT INTO t SELECT generate_series(1, 1000)")
	require.NoError(t, err)
	metrics := scrape(t, c)
	for _, q := range slices.Concat(serverQueries, workloadQueries[1:3]) { // 1 and 2 are the series of tables and indexes, which always exist
		for _, s := range q.series {
			require.Contains(t, metrics.values, s.name)
		}
	}
	require.EqualValues(t, 1, metrics.values["pg_up"])
	require.Zero(t, metrics.values["pg_exporter_last_scrape_error"])
	require.EqualValues(t, 100, metrics.values["pg_settings_max_connections"])
	require.Greater(t, metrics.values["pg_database_size_bytes"], 1e6)
	require.Zero(t, metrics.values["pg_replication_lag_seconds"])
	require.Zero(t, metrics.values["pg_replication_is_replica"])
	require.Equal(t, map[string]float64{"postgres": 1, "reader": 1}, metrics.connectionsByUser)

	response := httptest.NewRecorder()
	c.Handler().ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, response.Code)
	require.Contains(t, response.Body.String(), "pg_up 1")
	require.NotContains(t, response.Body.String(), testservers.PostgresPassword)
}

// The text of a slow statement must have no literals. While a table is locked, the exporter must
// still serve, and name the session that holds the lock.
func TestWorkloadNamesStatementsTablesAndLocks(t *testing.T) {
	c, admin := newCollector(t, server)
	execute := func(statement string) {
		_, err := admin.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	execute("INSERT INTO t SELECT generate_series(1, 20000)")
	execute("VACUUM ANALYZE t")
	execute("SELECT pg_sleep(0.11), 'secret-17', count(*) FROM t WHERE a + 0 = 4711")
	execute("DO $$ BEGIN PERFORM pg_sleep(0.11), 'secret-18'; END $$")
	execute("SELECT pg_stat_force_next_flush()")
	execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
	waiter, err := pgx.ConnectConfig(t.Context(), admin.Config())
	require.NoError(t, err)
	waiterErr := make(chan error, 1)
	go func() {
		_, err := waiter.Exec(t.Context(), "SELECT count(*) FROM t")
		waiterErr <- err
	}()
	response := ""
	require.Eventually(t, func() bool {
		w := httptest.NewRecorder()
		c.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		response = w.Body.String()
		return strings.Contains(response, "pg_blocking_sessions_waiting{")
	}, 10*time.Second, 20*time.Millisecond)
	execute("COMMIT")
	require.NoError(t, <-waiterErr)
	require.NoError(t, waiter.Close(t.Context()))
	require.Contains(t, response, "pg_up 1")
	require.Regexp(t, `pg_stat_statements_calls_total\{query="SELECT pg_sleep\(\$1\), \$2, count\(\*\) FROM t WHERE a \+ \$3 = \$4",queryid="-?\d+"\} 1`, response)
	require.Regexp(t, `pg_stat_user_tables_seq_tup_read\{relname="t",schemaname="public"\} [1-9]`, response)
	require.Regexp(t, `pg_stat_user_tables_n_live_tup\{relname="t",schemaname="public"\} [1-9]`, response)
	require.Contains(t, response, `pg_stat_user_indexes_idx_scan{indexrelname="t_a",relname="t",schemaname="public"} 0`)
	require.Regexp(t, `pg_blocking_sessions_waiting\{pid="\d+",state="idle in transaction",usename="postgres"\} 1`, response)
	require.Regexp(t, `pg_stat_activity_max_tx_duration\{state="idle in transaction",usename="postgres"\} \d`, response)
	require.Regexp(t, `pg_stat_database_stats_reset 1\.\d+e\+09`, response)
	require.NotContains(t, response, "secret")
	require.NotContains(t, response, "4711")
}

// A server without the extension pg_stat_statements counts as up.
func TestServerWithoutStatementStatisticsIsUp(t *testing.T) {
	c, admin := newCollector(t, server)
	_, err := admin.Exec(t.Context(), "DROP EXTENSION pg_stat_statements")
	require.NoError(t, err)
	metrics := scrape(t, c)
	require.EqualValues(t, 1, metrics.values["pg_up"])
	require.EqualValues(t, 1, metrics.values["pg_exporter_last_scrape_error"])
	require.NotContains(t, metrics.values, "pg_stat_statements_calls_total")
	require.Contains(t, metrics.values, "pg_stat_user_tables_seq_scan")
}

// pg_up is 1 for a server without free connections, and 0 for a server that is down.
func TestFullServerIsUpAndStoppedServerIsDown(t *testing.T) {
	full, err := testservers.StartPostgres(t.Context(), map[string]string{"max_connections": "8", "max_wal_senders": "0"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = full.Close() })
	c, _ := newCollector(t, full)
	scrapeUp := func() float64 { return scrape(t, c).values["pg_up"] }
	require.EqualValues(t, 1, scrapeUp())
	for range 8 {
		if conn, err := pgx.Connect(t.Context(), full.URL("postgres")); err == nil {
			t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
		}
	}
	require.EqualValues(t, 1, scrapeUp())
	require.NoError(t, full.Stop())
	require.EqualValues(t, 0, scrapeUp())
	require.Len(t, scrape(t, c).values, 2, "pg_up and pg_exporter_last_scrape_error")
	require.NoError(t, full.Start(t.Context()))
	require.EqualValues(t, 1, scrapeUp(), "the collector connects again by itself")
}

package pgmetrics

import "github.com/prometheus/client_golang/prometheus"

// query is a statement, and the series that are created from its rows. The first columns
// of a row are the labels, as text. The other columns are the values of the series, as
// float8.
type query struct {
	sql    string
	labels []string
	series []series
	// redacted is the label that contains the text of a statement. The literals of this
	// text are removed.
	redacted string
	// optional is true if the server still counts as up when the query fails. The failure
	// then only sets pg_exporter_last_scrape_error.
	optional bool
}

// series is a metric. Its values are one column of the rows.
type series struct {
	name, help string
	kind       prometheus.ValueType
}

// serverQueries are the queries for the series of the whole server. The series have the
// names of prometheus-community/postgres_exporter, so that its dashboards and alerts work.
// The names are in its files collector/pg_stat_database.go, pg_database.go,
// pg_replication.go and cmd/postgres_exporter/queries.go.
var serverQueries = []query{
	{
		sql: `SELECT datname::text, coalesce(state, 'unknown'), usename::text, count(*)::float8 FROM pg_stat_activity
WHERE datname IS NOT NULL AND usename IS NOT NULL GROUP BY 1, 2, 3`,
		labels: []string{"datname", "state", "usename"},
		series: []series{{"pg_stat_activity_count", "Connections by database, state and user.", prometheus.GaugeValue}},
	},
	{
		sql:    `SELECT current_setting('max_connections')::float8`,
		series: []series{{"pg_settings_max_connections", "Connections that the server accepts.", prometheus.GaugeValue}},
	},
	{
		sql: `SELECT current_database()::text, pg_database_size(current_database())::float8`, labels: []string{"datname"},
		series: []series{{"pg_database_size_bytes", "Size of the database on disk.", prometheus.GaugeValue}},
	},
	{
		sql: `SELECT datname::text, numbackends::float8, xact_commit::float8, xact_rollback::float8, blks_read::float8, blks_hit::float8,
  tup_returned::float8, tup_fetched::float8, deadlocks::float8, temp_bytes::float8, blk_read_time, blk_write_time
FROM pg_stat_database WHERE datname = current_database()`,
		labels: []string{"datname"},
		series: []series{
			{"pg_stat_database_numbackends", "Connections to the database.", prometheus.GaugeValue},
			{"pg_stat_database_xact_commit", "Transactions that were committed.", prometheus.CounterValue},
			{"pg_stat_database_xact_rollback", "Transactions that were rolled back.", prometheus.CounterValue},
			{"pg_stat_database_blks_read", "Blocks that were read from disk.", prometheus.CounterValue},
			{"pg_stat_database_blks_hit", "Blocks that were found in the server's memory.", prometheus.CounterValue},
			{"pg_stat_database_tup_returned", "Rows that scans returned.", prometheus.CounterValue},
			{"pg_stat_database_tup_fetched", "Rows that queries fetched.", prometheus.CounterValue},
			{"pg_stat_database_deadlocks", "Deadlocks.", prometheus.CounterValue},
			{"pg_stat_database_temp_bytes", "Bytes of temporary files.", prometheus.CounterValue},
			{"pg_stat_database_blk_read_time", "Time that connections waited for reads from disk, in milliseconds.", prometheus.CounterValue},
			{"pg_stat_database_blk_write_time", "Time that connections waited for writes to disk, in milliseconds.", prometheus.CounterValue},
		},
	},
	{
		// The replay timestamp is null on a replica that has replayed nothing yet.
		sql: `SELECT CASE WHEN pg_is_in_recovery() THEN coalesce(extract(epoch FROM now() - pg_last_xact_replay_timestamp()), 0) ELSE 0 END::float8,
  pg_is_in_recovery()::int::float8`,
		series: []series{
			{"pg_replication_lag_seconds", "How far a replica is behind; 0 for a primary.", prometheus.GaugeValue},
			{"pg_replication_is_replica", "1 for a replica, else 0.", prometheus.GaugeValue},
		},
	},
}

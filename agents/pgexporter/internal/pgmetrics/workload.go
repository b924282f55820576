package pgmetrics

import "github.com/prometheus/client_golang/prometheus"

// workloadQueries are the queries for the series that `pf diagnose database` judges: slow
// statements, scans of whole tables, bloat, unused indexes, locks and old transactions. Queries
// that can return many rows have a LIMIT, because each row adds series to Prometheus. Sizes are
// from the last vacuum, because pg_relation_size would wait for a lock of the table.
var workloadQueries = []query{
	{
		// These are the statements of the design document's view v_slow_queries: those that
		// take more than 100 ms on average. Statements such as CREATE or ALTER are left out,
		// because the server does not remove their literals.
		sql: `SELECT s.queryid::text, s.query, s.calls::float8, s.total_exec_time / 1000, s.rows::float8
FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
WHERE d.datname = current_database() AND s.mean_exec_time > 100 AND s.queryid IS NOT NULL
  AND s.query ~* '^\s*(select|insert|update|delete|merge|with)\M'
ORDER BY s.total_exec_time DESC LIMIT 10`,
		labels: []string{"queryid", "query"}, redacted: "query", optional: true,
		series: []series{
			{"pg_stat_statements_calls_total", "Executions of a slow statement.", prometheus.CounterValue},
			{"pg_stat_statements_seconds_total", "Time of all executions of a slow statement.", prometheus.CounterValue},
			{"pg_stat_statements_rows_total", "Rows that a slow statement returned or changed.", prometheus.CounterValue},
		},
	},
	{
		optional: true,
		sql: `SELECT schemaname::text, s.relname::text, seq_scan::float8, seq_tup_read::float8, coalesce(idx_scan, 0)::float8,
  n_live_tup::float8, n_dead_tup::float8, c.relpages * current_setting('block_size')::float8
FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid ORDER BY c.relpages DESC, s.relid LIMIT 50`,
		labels: []string{"schemaname", "relname"},
		series: []series{
			{"pg_stat_user_tables_seq_scan", "Scans of the whole table.", prometheus.CounterValue},
			{"pg_stat_user_tables_seq_tup_read", "Rows that scans of the whole table read.", prometheus.CounterValue},
			{"pg_stat_user_tables_idx_scan", "Scans of an index of the table.", prometheus.CounterValue},
			{"pg_stat_user_tables_n_live_tup", "Rows, estimated.", prometheus.GaugeValue},
			{"pg_stat_user_tables_n_dead_tup", "Dead rows, estimated.", prometheus.GaugeValue},
			{"pg_stat_user_tables_table_size_bytes", "Size of the table without its indexes.", prometheus.GaugeValue},
		},
	},
	{
		optional: true,
		// Unique indexes are left out: a constraint needs them even if no query does.
		sql: `SELECT s.schemaname::text, s.relname::text, s.indexrelname::text, s.idx_scan::float8, c.relpages * current_setting('block_size')::float8
FROM pg_stat_user_indexes s JOIN pg_index i USING (indexrelid) JOIN pg_class c ON c.oid = s.indexrelid
WHERE NOT i.indisunique ORDER BY c.relpages DESC, c.oid LIMIT 100`,
		labels: []string{"schemaname", "relname", "indexrelname"},
		series: []series{
			{"pg_stat_user_indexes_idx_scan", "Scans of the index.", prometheus.CounterValue},
			{"pg_stat_user_indexes_size_bytes", "Size of the index.", prometheus.GaugeValue},
		},
	},
	{
		optional: true,
		sql:      `SELECT extract(epoch FROM coalesce(stats_reset, pg_postmaster_start_time()))::float8 FROM pg_stat_database WHERE datname = current_database()`,
		series:   []series{{"pg_stat_database_stats_reset", "When the statistics began, in seconds since 1970.", prometheus.GaugeValue}},
	},
	{
		optional: true,
		sql: `SELECT blocker.pid::text, coalesce(blocker.usename::text, ''), coalesce(blocker.state, ''), count(*)::float8,
  max(extract(epoch FROM clock_timestamp() - blocked.query_start))::float8,
  coalesce(max(extract(epoch FROM clock_timestamp() - blocker.xact_start)), 0)::float8
FROM pg_stat_activity blocked CROSS JOIN LATERAL unnest(pg_blocking_pids(blocked.pid)) AS by(pid)
JOIN pg_stat_activity blocker ON blocker.pid = by.pid
WHERE blocked.wait_event_type = 'Lock' GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT 10`,
		labels: []string{"pid", "usename", "state"},
		series: []series{
			{"pg_blocking_sessions_waiting", "Sessions that wait for a lock of this one.", prometheus.GaugeValue},
			{"pg_blocking_sessions_wait_seconds", "How long the first of them waits.", prometheus.GaugeValue},
			{"pg_blocking_sessions_transaction_seconds", "Age of this session's transaction.", prometheus.GaugeValue},
		},
	},
	{
		optional: true,
		sql: `SELECT usename::text, state, max(extract(epoch FROM clock_timestamp() - xact_start))::float8 FROM pg_stat_activity
WHERE datname = current_database() AND usename IS NOT NULL AND state IS NOT NULL AND xact_start IS NOT NULL GROUP BY 1, 2`,
		labels: []string{"usename", "state"},
		series: []series{{"pg_stat_activity_max_tx_duration", "Age of the oldest transaction in seconds.", prometheus.GaugeValue}},
	},
}

-- +goose Up
-- The views need pg_stat_statements in shared_preload_libraries.
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;

CREATE VIEW v_slow_queries AS
SELECT query, calls, total_exec_time, mean_exec_time, min_exec_time, max_exec_time, stddev_exec_time, rows
FROM pg_stat_statements
WHERE mean_exec_time > 100 -- milliseconds
ORDER BY mean_exec_time DESC;

-- bloat_size is an estimate: the share of dead rows in the table's own pages.
CREATE VIEW v_table_bloat AS
SELECT schemaname,
       relname AS tablename,
       pg_size_pretty(pg_total_relation_size(relid)) AS size,
       pg_size_pretty((pg_relation_size(relid) * n_dead_tup::numeric / greatest(n_live_tup + n_dead_tup, 1))::bigint) AS bloat_size
FROM pg_stat_user_tables
ORDER BY pg_total_relation_size(relid) DESC;

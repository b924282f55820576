package rules

import "math"

// biggest is the largest number that PostgreSQL's whole-number settings hold.
const biggest = math.MaxInt32

// messageLevels are PostgreSQL's, from the least to the gravest.
var messageLevels = []string{
	"debug5", "debug4", "debug3", "debug2", "debug1", "info", "notice", "warning", "error", "log", "fatal", "panic",
}

// flag is a boolean as RDS writes it.
func flag() parameter { return choice("0", "1") }

// postgresParameters are the parameters of RDS for PostgreSQL that a platform
// of this kind sets, and those that it might set by mistake. Whether they are
// static and what they count: the page of the row. Ranges, words and, for
// those that the page leaves out, static or not: pg_settings of PostgreSQL
// 15.20, whose context postmaster is RDS's static; RDS may be narrower. Which
// can't be changed, and that flags are 0 and 1: from memory of
// describe-db-parameters. PostgreSQL 18 lets autovacuum_max_workers change at
// once; whether RDS does is not known, so that it is static here.
var postgresParameters = map[string]parameter{
	// Memory.
	"shared_buffers":       count("8kB", 16, 1073741823).atRestart(),
	"effective_cache_size": count("8kB", 1, biggest),
	"maintenance_work_mem": count("kB", 1024, biggest),
	"autovacuum_work_mem":  count("kB", -1, biggest),
	"work_mem":             count("kB", 64, biggest),
	"temp_buffers":         count("8kB", 100, 1073741823),
	"temp_file_limit":      count("kB", -1, biggest).atRestart(),
	"wal_buffers":          count("8kB", -1, 262143).atRestart(),
	"huge_pages":           choice("off", "on", "try").atRestart(),

	// Connections.
	"max_connections":                     count("", 6, 262143).atRestart(),
	"statement_timeout":                   count("ms", 0, biggest),
	"lock_timeout":                        count("ms", 0, biggest),
	"deadlock_timeout":                    count("ms", 1, biggest),
	"idle_in_transaction_session_timeout": count("ms", 0, biggest),
	"tcp_keepalives_idle":                 count("s", 0, biggest),
	"tcp_keepalives_interval":             count("s", 0, biggest),
	"tcp_keepalives_count":                count("", 0, biggest),
	"max_locks_per_transaction":           count("", 10, biggest).atRestart(),
	"max_prepared_transactions":           count("", 0, 262143).atRestart(),

	// The planner and its workers.
	"random_page_cost":                 part(0, math.MaxFloat64),
	"seq_page_cost":                    part(0, math.MaxFloat64),
	"effective_io_concurrency":         count("", 0, 1000),
	"maintenance_io_concurrency":       count("", 0, 1000),
	"default_statistics_target":        count("", 1, 10000),
	"jit":                              flag(),
	"max_worker_processes":             count("", 0, 262143).atRestart(),
	"max_parallel_workers":             count("", 0, 1024),
	"max_parallel_workers_per_gather":  count("", 0, 1024),
	"max_parallel_maintenance_workers": count("", 0, 1024),

	// The write-ahead log, checkpoints and replication.
	"checkpoint_completion_target": part(0, 1),
	"checkpoint_timeout":           count("s", 30, 86400),
	"max_wal_size":                 count("MB", 2, biggest),
	"min_wal_size":                 count("MB", 2, biggest),
	"wal_keep_size":                count("MB", 0, biggest),
	"wal_compression":              choice("pglz", "lz4", "zstd", "on", "off", "0", "1"),
	"synchronous_commit":           choice("local", "remote_write", "remote_apply", "on", "off"),
	"max_wal_senders":              count("", 0, 262143).atRestart(),
	"max_replication_slots":        count("", 0, 262143).atRestart(),
	"max_standby_streaming_delay":  count("ms", -1, biggest),
	"hot_standby_feedback":         flag(),
	"rds.logical_replication":      flag().atRestart(),
	"wal_level":                    kept(), // rds.logical_replication sets it
	"archive_mode":                 kept(), // RDS archives by itself
	"archive_command":              kept(),
	"archive_timeout":              kept(),
	"fsync":                        kept(),
	"full_page_writes":             kept(),

	// Vacuuming.
	"autovacuum":                      flag(),
	"autovacuum_max_workers":          count("", 1, 262143).atRestart(),
	"autovacuum_naptime":              count("s", 1, 2147483),
	"autovacuum_vacuum_cost_limit":    count("", -1, 10000),
	"autovacuum_vacuum_cost_delay":    part(-1, 100),
	"autovacuum_vacuum_scale_factor":  part(0, 100),
	"autovacuum_analyze_scale_factor": part(0, 100),
	"autovacuum_vacuum_threshold":     count("", 0, biggest),
	"autovacuum_analyze_threshold":    count("", 0, biggest),
	"autovacuum_freeze_max_age":       count("", 100000, 2000000000).atRestart(),

	// Logs.
	"log_min_duration_statement":  count("ms", -1, biggest),
	"log_autovacuum_min_duration": count("ms", -1, biggest),
	"log_temp_files":              count("kB", -1, biggest),
	"log_statement":               choice("none", "ddl", "mod", "all"),
	"log_min_messages":            choice(messageLevels...),
	"log_min_error_statement":     choice(messageLevels...),
	"log_error_verbosity":         choice("terse", "default", "verbose"),
	"log_checkpoints":             flag(),
	"log_connections":             flag(),
	"log_disconnections":          flag(),
	"log_duration":                flag(),
	"log_hostname":                flag(),
	"log_lock_waits":              flag(),
	"log_rotation_age":            count("min", 0, 35791394),
	"log_rotation_size":           count("kB", 0, 2097151),
	"rds.log_retention_period":    count("min", 1440, 10080),
	"logging_collector":           kept(),
	"log_line_prefix":             kept(),

	// Statistics.
	"track_io_timing":           flag(),
	"track_functions":           choice("none", "pl", "all"),
	"track_activity_query_size": count("B", 100, 1048576).atRestart(),
	"shared_preload_libraries": choices("auto_explain", "orafce", "pgaudit", "pglogical", "pg_bigm", "pg_cron", "pg_hint_plan", "pg_prewarm",
		"pg_similarity", "pg_stat_statements", "pg_tle", "pg_transport", "plprofiler").atRestart(),
	"pg_stat_statements.track":         choice("none", "top", "all"),
	"pg_stat_statements.max":           count("", 100, biggest).atRestart(),
	"pg_stat_statements.track_utility": flag(),
	"auto_explain.log_min_duration":    count("ms", -1, biggest),

	// Security.
	"rds.force_ssl":                  flag(),
	"rds.restrict_password_commands": flag().atRestart(),
	"password_encryption":            choice("md5", "scram-sha-256"),
	"ssl_min_protocol_version":       choice("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
	"ssl":                            kept(),
}

package rules

import "math"

// maxInteger is the maximum value of PostgreSQL's whole-number settings.
const maxInteger = math.MaxInt32

// messageLevels are PostgreSQL's log levels, from the least to the most severe.
var messageLevels = []string{
	"debug5", "debug4", "debug3", "debug2", "debug1", "info", "notice", "warning", "error", "log", "fatal", "panic",
}

// zeroOne defines a boolean parameter in RDS's notation.
func zeroOne() parameter { return oneWord("0", "1") }

// postgresParameters are parameters of RDS for PostgreSQL: those that the platform sets,
// and others that a platform often changes. Their sources are:
//
//   - Units, and whether a parameter is static: the page in Row.Page. A parameter that is
//     not on the page is static if its context in pg_settings is postmaster.
//   - Ranges and words: pg_settings of PostgreSQL 15.20. The ranges of RDS may be narrower.
//   - Unchangeable parameters, and 0 and 1 as booleans: the output of
//     describe-db-parameters. This output was not checked.
//
// PostgreSQL 18 can change autovacuum_max_workers without a restart. It is not known
// whether RDS allows that, so the parameter is static here.
var postgresParameters = map[string]parameter{
	// Memory.
	"shared_buffers":       wholeNumber("8kB", 16, 1073741823).atRestart(),
	"effective_cache_size": wholeNumber("8kB", 1, maxInteger),
	"maintenance_work_mem": wholeNumber("kB", 1024, maxInteger),
	"autovacuum_work_mem":  wholeNumber("kB", -1, maxInteger),
	"work_mem":             wholeNumber("kB", 64, maxInteger),
	"temp_buffers":         wholeNumber("8kB", 100, 1073741823),
	"temp_file_limit":      wholeNumber("kB", -1, maxInteger).atRestart(),
	"wal_buffers":          wholeNumber("8kB", -1, 262143).atRestart(),
	"huge_pages":           oneWord("off", "on", "try").atRestart(),

	// Connections.
	"max_connections":                     wholeNumber("", 6, 8388607).atRestart(),
	"statement_timeout":                   wholeNumber("ms", 0, maxInteger),
	"lock_timeout":                        wholeNumber("ms", 0, maxInteger),
	"deadlock_timeout":                    wholeNumber("ms", 1, maxInteger),
	"idle_in_transaction_session_timeout": wholeNumber("ms", 0, maxInteger),
	"tcp_keepalives_idle":                 wholeNumber("s", 0, maxInteger),
	"tcp_keepalives_interval":             wholeNumber("s", 0, maxInteger),
	"tcp_keepalives_count":                wholeNumber("", 0, maxInteger),
	"max_locks_per_transaction":           wholeNumber("", 10, maxInteger).atRestart(),
	"max_prepared_transactions":           wholeNumber("", 0, 262143).atRestart(),

	// The planner and its workers.
	"random_page_cost":                 fraction(0, math.MaxFloat64),
	"seq_page_cost":                    fraction(0, math.MaxFloat64),
	"effective_io_concurrency":         wholeNumber("", 0, 1000),
	"maintenance_io_concurrency":       wholeNumber("", 0, 1000),
	"default_statistics_target":        wholeNumber("", 1, 10000),
	"jit":                              zeroOne(),
	"max_worker_processes":             wholeNumber("", 0, 262143).atRestart(),
	"max_parallel_workers":             wholeNumber("", 0, 1024),
	"max_parallel_workers_per_gather":  wholeNumber("", 0, 1024),
	"max_parallel_maintenance_workers": wholeNumber("", 0, 1024),

	// The write-ahead log, checkpoints and replication.
	"checkpoint_completion_target": fraction(0, 1),
	"checkpoint_timeout":           wholeNumber("s", 30, 86400),
	"max_wal_size":                 wholeNumber("MB", 2, maxInteger),
	"min_wal_size":                 wholeNumber("MB", 2, maxInteger),
	"wal_keep_size":                wholeNumber("MB", 0, maxInteger),
	"wal_compression":              oneWord("pglz", "lz4", "zstd", "on", "off", "0", "1"),
	"synchronous_commit":           oneWord("local", "remote_write", "remote_apply", "on", "off"),
	"max_wal_senders":              wholeNumber("", 0, 262143).atRestart(),
	"max_replication_slots":        wholeNumber("", 0, 262143).atRestart(),
	"max_standby_streaming_delay":  wholeNumber("ms", -1, maxInteger),
	"hot_standby_feedback":         zeroOne(),
	"rds.logical_replication":      zeroOne().atRestart(),
	"wal_level":                    unchangeable(), // rds.logical_replication sets it
	"archive_mode":                 unchangeable(), // RDS archives by itself
	"archive_command":              unchangeable(),
	"archive_timeout":              unchangeable(),
	"fsync":                        unchangeable(),
	"full_page_writes":             unchangeable(),

	// Vacuuming.
	"autovacuum":                      zeroOne(),
	"autovacuum_max_workers":          wholeNumber("", 1, 262143).atRestart(),
	"autovacuum_naptime":              wholeNumber("s", 1, 2147483),
	"autovacuum_vacuum_cost_limit":    wholeNumber("", -1, 10000),
	"autovacuum_vacuum_cost_delay":    fraction(-1, 100),
	"autovacuum_vacuum_scale_factor":  fraction(0, 100),
	"autovacuum_analyze_scale_factor": fraction(0, 100),
	"autovacuum_vacuum_threshold":     wholeNumber("", 0, maxInteger),
	"autovacuum_analyze_threshold":    wholeNumber("", 0, maxInteger),
	"autovacuum_freeze_max_age":       wholeNumber("", 100000, 2000000000).atRestart(),

	// Logs.
	"log_min_duration_statement":  wholeNumber("ms", -1, maxInteger),
	"log_autovacuum_min_duration": wholeNumber("ms", -1, maxInteger),
	"log_temp_files":              wholeNumber("kB", -1, maxInteger),
	"log_statement":               oneWord("none", "ddl", "mod", "all"),
	"log_min_messages":            oneWord(messageLevels...),
	"log_min_error_statement":     oneWord(messageLevels...),
	"log_error_verbosity":         oneWord("terse", "default", "verbose"),
	"log_checkpoints":             zeroOne(),
	"log_connections":             zeroOne(),
	"log_disconnections":          zeroOne(),
	"log_duration":                zeroOne(),
	"log_hostname":                zeroOne(),
	"log_lock_waits":              zeroOne(),
	"log_rotation_age":            wholeNumber("min", 0, 35791394),
	"log_rotation_size":           wholeNumber("kB", 0, 2097151),
	"rds.log_retention_period":    wholeNumber("min", 1440, 10080),
	"logging_collector":           unchangeable(),
	"log_line_prefix":             unchangeable(),

	// Statistics.
	"track_io_timing":           zeroOne(),
	"track_functions":           oneWord("none", "pl", "all"),
	"track_activity_query_size": wholeNumber("B", 100, 1048576).atRestart(),
	"shared_preload_libraries": wordList("auto_explain", "orafce", "pgaudit", "pglogical", "pg_bigm", "pg_cron", "pg_hint_plan", "pg_prewarm",
		"pg_similarity", "pg_stat_statements", "pg_tle", "pg_transport", "plprofiler").atRestart(),
	"pg_stat_statements.track":         oneWord("none", "top", "all"),
	"pg_stat_statements.max":           wholeNumber("", 100, maxInteger).atRestart(),
	"pg_stat_statements.track_utility": zeroOne(),
	"auto_explain.log_min_duration":    wholeNumber("ms", -1, maxInteger),

	// Security.
	"rds.force_ssl":                  zeroOne(),
	"rds.restrict_password_commands": zeroOne().atRestart(),
	"password_encryption":            oneWord("md5", "scram-sha-256"),
	"ssl_min_protocol_version":       oneWord("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
	"ssl":                            unchangeable(),
}

package rules

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParameterAllowsValuesInItsRange(t *testing.T) {
	for _, row := range []struct {
		reason  string
		p       parameter
		value   string
		allowed bool
	}{
		{"a number in its range", wholeNumber("8kB", 16, 100), "16", true},
		{"a number below its range", wholeNumber("8kB", 16, 100), "15", false},
		{"a number above its range", wholeNumber("8kB", 16, 100), "101", false},
		{"a number with a unit", wholeNumber("8kB", 16, 100), "8GB", false},
		{"a number that is not whole", wholeNumber("8kB", 16, 100), "16.5", false},
		{"a whole number that is written with a point", wholeNumber("", 0, 100), "1.0", false},
		{"minus one, which means none", wholeNumber("ms", -1, 100), "-1", true},
		{"zero, which is allowed in addition to the range", wholeNumber("s", 20, noLimit).orZero(), "0", true},
		{"a number between zero and the range", wholeNumber("s", 20, noLimit).orZero(), "19", false},
		{"a range without an end", wholeNumber("s", 20, noLimit).orZero(), "9000000000", true},
		{"a fraction", fraction(0, 1), "0.9", true},
		{"a fraction above its range", fraction(0, 1), "1.1", false},
		{"an empty value", fraction(0, 1), "", false},
		{"a word", oneWord("none", "ddl"), "ddl", true},
		{"a word in another letter case", oneWord("none", "ddl"), "DDL", false},
		{"a boolean that is not written as 0 or 1", zeroOne(), "on", false},
		{"one word of a list", wordList("a", "b"), "b", true},
		{"two words of a list", wordList("a", "b"), "a,b", true},
		{"a list with an unknown word", wordList("a", "b"), "a,c", false},
		{"any text", anyText(), "Ex", true},
	} {
		require.Equal(t, row.allowed, row.p.allows(row.value), row.reason)
	}
}

func TestIsFormulaAcceptsOnlyKnownVariablesAndFunctions(t *testing.T) {
	for value, want := range map[string]bool{
		"{DBInstanceClassMemory/32768}":                true,
		"GREATEST({DBInstanceClassMemory/1024},65536)": true,
		"LEAST({DBInstanceClassMemory/9531392},5000)":  true,
		"{Memory/4}":      false,
		"8GB":             false,
		"{shared_buffer}": false,
	} {
		require.Equal(t, want, isFormula(value), value)
	}
}

// The tables must have each setting of the design document that the engine in AWS has, also those
// that AWS does not let a user change. A setting that the engine does not have must be missing.
func TestParameterTablesHaveSettingsOfDesignDocument(t *testing.T) {
	for _, name := range []string{
		"shared_buffers", "effective_cache_size", "maintenance_work_mem", "work_mem", "wal_buffers", "checkpoint_completion_target", "max_connections",
		"random_page_cost", "seq_page_cost", "effective_io_concurrency", "max_worker_processes", "max_parallel_workers_per_gather", "max_parallel_workers",
		"max_parallel_maintenance_workers", "wal_level", "archive_mode", "archive_command", "max_wal_senders", "log_min_duration_statement",
		"log_checkpoints", "log_connections", "log_disconnections", "log_lock_waits", "log_statement", "autovacuum_max_workers",
		"autovacuum_vacuum_cost_limit", "autovacuum_vacuum_scale_factor", "autovacuum_analyze_scale_factor",
	} {
		require.Contains(t, postgresParameters, name)
	}
	require.NotContains(t, postgresParameters, "wal_keep_segments", "PostgreSQL 13 removed it")
	for _, name := range []string{"maxmemory", "appendonly", "list-max-listpack-size", "client-output-buffer-limit-replica-hard-limit"} {
		require.True(t, cacheParameters[name].fixed, name)
	}
	for _, name := range []string{"save", "rename-command", "cluster-node-timeout", "tcp-backlog", "hash-max-ziplist-entries", "cluster-config-file"} {
		require.NotContains(t, cacheParameters, name, "ElastiCache does not have it")
	}
}

func TestWindowOverlapAndWindowFormat(t *testing.T) {
	for _, row := range []struct {
		reason, backup, maintenance string
		overlap                     bool
	}{
		{"an hour between the windows", "03:00-04:00", "sun:05:00-sun:06:00", false},
		{"the backup window ends when the maintenance window begins", "04:00-05:00", "sun:05:00-sun:06:00", false},
		{"one minute in both windows", "04:01-05:01", "sun:05:00-sun:06:00", true},
		{"the same time", "05:00-06:00", "Sun:05:00-Sun:06:00", true},
		{"a backup window over midnight", "23:30-00:30", "mon:00:00-mon:01:00", true},
		{"a maintenance window over midnight", "00:00-00:30", "sun:23:30-mon:00:30", true},
		{"a maintenance window over the end of the week", "00:10-00:40", "sun:23:00-mon:00:30", true},
		{"no backup window", "", "sun:05:00-sun:06:00", false},
	} {
		require.Equal(t, row.overlap, windowsOverlap(row.backup, row.maintenance), row.reason)
	}
	for value, want := range map[string]string{
		"05:00-05:29": "29 minutes", "5:00-6:00": "must satisfy", "24:00-01:00": "must satisfy", "05:00-06:00": "",
	} {
		if reason := checkDailyWindow(minDatabaseWindow)(value); want == "" {
			require.Empty(t, reason, value)
		} else {
			require.Contains(t, reason, want, value)
		}
	}
	require.Contains(t, checkWeeklyWindow(minCacheWindow)("sun:05:00-sun:05:30"), "30 minutes")
	require.Contains(t, checkWeeklyWindow(minCacheWindow)("day:05:00-day:06:30"), "must satisfy")
	require.Empty(t, checkWeeklyWindow(minDatabaseWindow)("sat:23:45-sun:00:15"))
}

func TestPostgresVersionAddsTheLatestMinorVersion(t *testing.T) {
	for version, want := range map[string]string{"17": "17.12", "17.6": "17.6", "": "18.6", "15.20": "15.20"} {
		_, full, ok := postgresVersion(version)
		require.True(t, ok, version)
		require.Equal(t, want, full, version)
	}
	for _, version := range []string{"14", "17.4", "17.99", "17.06", "99"} {
		_, _, ok := postgresVersion(version)
		require.False(t, ok, version)
	}
}

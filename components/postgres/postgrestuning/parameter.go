package postgrestuning

import (
	"strconv"
	"strings"
	"time"

	"github.com/progressive-framework/platform/components/size"
)

// format has the functions that write values of one type. conf writes the value for
// postgresql.conf. rdsValue writes the number in the unit of pg_settings, which RDS also
// uses. Source: RDS User Guide, "Working with parameters on your RDS for PostgreSQL DB
// instance".
type format[V any] struct {
	conf     func(V) string
	rdsValue func(V) string
}

// The formats for the types and units in pg_settings.
var (
	blocks       = sizeFormat(size.KiB(8))
	kilobytes    = sizeFormat(size.KiB(1))
	megabytes    = sizeFormat(size.MiB(1))
	milliseconds = format[time.Duration]{
		conf:     func(d time.Duration) string { return quote(strconv.FormatInt(d.Milliseconds(), 10) + "ms") },
		rdsValue: func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) },
	}
	integer = format[int]{conf: strconv.Itoa, rdsValue: strconv.Itoa}
	float   = format[float64]{conf: formatDecimal, rdsValue: formatDecimal}
	boolean = format[bool]{
		conf:     func(b bool) string { return quote(choose(b, "on", "off")) },
		rdsValue: func(b bool) string { return choose(b, "1", "0") },
	}
	text = format[string]{conf: quote, rdsValue: func(s string) string { return s }}
)

// choose returns ifTrue if b is true, and otherwise ifFalse.
func choose(b bool, ifTrue, ifFalse string) string {
	if b {
		return ifTrue
	}
	return ifFalse
}

// sizeFormat returns the format of a size with a unit in pg_settings.
func sizeFormat(unit size.Size) format[size.Size] {
	return format[size.Size]{
		conf:     func(s size.Size) string { return quote(s.Format([4]string{"B", "kB", "MB", "GB"})) },
		rdsValue: func(s size.Size) string { return strconv.FormatInt(s.Bytes()/unit.Bytes(), 10) },
	}
}

func formatDecimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// applyMode is the time at which a changed setting takes effect. A static setting needs a restart
// (its context in pg_settings is "postmaster"). A dynamic setting takes effect without a restart.
type applyMode bool

const (
	dynamic applyMode = false
	static  applyMode = true
)

// target is the kind of servers on which the model sets a parameter.
type target int

const (
	everywhere target = iota
	// inClusterOnly parameters are not set on RDS, because RDS controls archiving and
	// replication itself.
	inClusterOnly
	// rdsOnly parameters do not exist in PostgreSQL.
	rdsOnly
)

// parameter is one configuration parameter. Its format and its apply mode are
// fixed, so that no caller can use a wrong unit or apply method.
type parameter[V any] struct {
	name   string
	format format[V]
	apply  applyMode
	target target
}

// withValue returns the setting that gives the parameter the value v.
func (p parameter[V]) withValue(v V) setting {
	return setting{name: p.name, conf: p.format.conf(v), rdsValue: p.format.rdsValue(v), apply: p.apply, target: p.target}
}

// setting is a parameter with its value.
type setting struct {
	name, conf, rdsValue string
	apply                applyMode
	target               target
}

// The parameters of the design document, section "PostgreSQL Optimization for
// Progressive Framework", in its order. A test compares units and apply modes
// with pg_settings of a real server.
var (
	sharedBuffers              = parameter[size.Size]{"shared_buffers", blocks, static, everywhere}
	effectiveCacheSize         = parameter[size.Size]{"effective_cache_size", blocks, dynamic, everywhere}
	maintenanceWorkMem         = parameter[size.Size]{"maintenance_work_mem", kilobytes, dynamic, everywhere}
	workMem                    = parameter[size.Size]{"work_mem", kilobytes, dynamic, everywhere}
	walBuffers                 = parameter[size.Size]{"wal_buffers", blocks, static, everywhere}
	checkpointCompletionTarget = parameter[float64]{"checkpoint_completion_target", float, dynamic, everywhere}
	maxConnections             = parameter[int]{"max_connections", integer, static, everywhere}

	randomPageCost                = parameter[float64]{"random_page_cost", float, dynamic, everywhere}
	seqPageCost                   = parameter[float64]{"seq_page_cost", float, dynamic, everywhere}
	effectiveIOConcurrency        = parameter[int]{"effective_io_concurrency", integer, dynamic, everywhere}
	maxWorkerProcesses            = parameter[int]{"max_worker_processes", integer, static, everywhere}
	maxParallelWorkersPerGather   = parameter[int]{"max_parallel_workers_per_gather", integer, dynamic, everywhere}
	maxParallelWorkers            = parameter[int]{"max_parallel_workers", integer, dynamic, everywhere}
	maxParallelMaintenanceWorkers = parameter[int]{"max_parallel_maintenance_workers", integer, dynamic, everywhere}

	walLevel                = parameter[string]{"wal_level", text, static, inClusterOnly}
	archiveMode             = parameter[bool]{"archive_mode", boolean, static, inClusterOnly}
	archiveCommandParameter = parameter[string]{"archive_command", text, dynamic, inClusterOnly}
	maxWALSenders           = parameter[int]{"max_wal_senders", integer, static, inClusterOnly}
	// PostgreSQL 12 and older call it wal_keep_segments.
	walKeepSize = parameter[size.Size]{"wal_keep_size", megabytes, dynamic, inClusterOnly}

	logMinDurationStatement = parameter[time.Duration]{"log_min_duration_statement", milliseconds, dynamic, everywhere}
	logCheckpoints          = parameter[bool]{"log_checkpoints", boolean, dynamic, everywhere}
	logConnections          = parameter[bool]{"log_connections", boolean, dynamic, everywhere}
	logDisconnections       = parameter[bool]{"log_disconnections", boolean, dynamic, everywhere}
	logLockWaits            = parameter[bool]{"log_lock_waits", boolean, dynamic, everywhere}
	logStatement            = parameter[string]{"log_statement", text, dynamic, everywhere}

	autovacuumMaxWorkers         = parameter[int]{"autovacuum_max_workers", integer, static, everywhere}
	autovacuumVacuumCostLimit    = parameter[int]{"autovacuum_vacuum_cost_limit", integer, dynamic, everywhere}
	autovacuumVacuumScaleFactor  = parameter[float64]{"autovacuum_vacuum_scale_factor", float, dynamic, everywhere}
	autovacuumAnalyzeScaleFactor = parameter[float64]{"autovacuum_analyze_scale_factor", float, dynamic, everywhere}

	// The exporter reads the times of disk accesses from pg_stat_database.
	trackIOTiming = parameter[bool]{"track_io_timing", boolean, dynamic, everywhere}

	// The design document's view v_slow_queries reads pg_stat_statements, which PostgreSQL loads with
	// this parameter.
	sharedPreloadLibraries = parameter[string]{"shared_preload_libraries", text, static, everywhere}
	rdsForceSSL            = parameter[bool]{"rds.force_ssl", boolean, dynamic, rdsOnly}
)

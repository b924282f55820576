package postgrestuning

import (
	"strconv"
	"strings"
	"time"

	"github.com/progressive-framework/platform/components/size"
)

// kind is how values of one type are written: as people do in postgresql.conf,
// and as pg_settings counts them, which is also how RDS takes them (RDS User
// Guide, "Working with parameters on your RDS for PostgreSQL DB instance":
// RDS uses PostgreSQL's own units).
type kind[V any] struct {
	conf    func(V) string
	counted func(V) string
}

var (
	pages      = memory(size.KiB(8))
	kilobytes  = memory(size.KiB(1))
	megabytes  = memory(size.MiB(1))
	thousandth = kind[time.Duration]{
		conf:    func(d time.Duration) string { return quote(strconv.FormatInt(d.Milliseconds(), 10) + "ms") },
		counted: func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) },
	}
	number = kind[int]{conf: strconv.Itoa, counted: strconv.Itoa}
	ratio  = kind[float64]{conf: decimal, counted: decimal}
	flag   = kind[bool]{
		conf:    func(b bool) string { return quote(map[bool]string{true: "on", false: "off"}[b]) },
		counted: func(b bool) string { return map[bool]string{true: "1", false: "0"}[b] },
	}
	word = kind[string]{conf: quote, counted: func(s string) string { return s }}
)

func memory(unit size.Size) kind[size.Size] {
	return kind[size.Size]{
		conf:    func(s size.Size) string { return quote(s.Write([4]string{"B", "kB", "MB", "GB"})) },
		counted: func(s size.Size) string { return strconv.FormatInt(s.Bytes()/unit.Bytes(), 10) },
	}
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// moment is when a changed setting takes effect: pg_settings' context
// "postmaster" is static, every other dynamic.
type moment bool

const (
	dynamic moment = false
	static  moment = true
)

// place is where a setting is ours to make.
type place int

const (
	everywhere place = iota
	// ownServer settings are not ours on RDS, which archives, replicates and
	// sizes both itself.
	ownServer
	// rdsOnly settings are unknown to PostgreSQL.
	rdsOnly
)

// parameter is one of the server's settings: how it counts and when it takes
// effect belong to it, and nobody who sets it can say otherwise.
type parameter[V any] struct {
	name  string
	kind  kind[V]
	when  moment
	where place
}

// is the parameter with a value.
func (p parameter[V]) is(v V) setting {
	return setting{name: p.name, conf: p.kind.conf(v), counted: p.kind.counted(v), when: p.when, where: p.where}
}

// setting is a parameter with its value.
type setting struct {
	name, conf, counted string
	when                moment
	where               place
}

// The settings of the design document, section "PostgreSQL Optimization for
// Progressive Framework", in its order; units and contexts are those of
// pg_settings, which the tests ask a real server for.
var (
	sharedBuffers              = parameter[size.Size]{"shared_buffers", pages, static, everywhere}
	effectiveCacheSize         = parameter[size.Size]{"effective_cache_size", pages, dynamic, everywhere}
	maintenanceWorkMem         = parameter[size.Size]{"maintenance_work_mem", kilobytes, dynamic, everywhere}
	workMem                    = parameter[size.Size]{"work_mem", kilobytes, dynamic, everywhere}
	walBuffers                 = parameter[size.Size]{"wal_buffers", pages, static, everywhere}
	checkpointCompletionTarget = parameter[float64]{"checkpoint_completion_target", ratio, dynamic, everywhere}
	maxConnections             = parameter[int]{"max_connections", number, static, everywhere}

	randomPageCost                = parameter[float64]{"random_page_cost", ratio, dynamic, everywhere}
	seqPageCost                   = parameter[float64]{"seq_page_cost", ratio, dynamic, everywhere}
	effectiveIOConcurrency        = parameter[int]{"effective_io_concurrency", number, dynamic, everywhere}
	maxWorkerProcesses            = parameter[int]{"max_worker_processes", number, static, everywhere}
	maxParallelWorkersPerGather   = parameter[int]{"max_parallel_workers_per_gather", number, dynamic, everywhere}
	maxParallelWorkers            = parameter[int]{"max_parallel_workers", number, dynamic, everywhere}
	maxParallelMaintenanceWorkers = parameter[int]{"max_parallel_maintenance_workers", number, dynamic, everywhere}

	walLevel       = parameter[string]{"wal_level", word, static, ownServer}
	archiveMode    = parameter[bool]{"archive_mode", flag, static, ownServer}
	archiveCommand = parameter[string]{"archive_command", word, dynamic, ownServer}
	maxWALSenders  = parameter[int]{"max_wal_senders", number, static, ownServer}
	// wal_keep_segments until PostgreSQL 12.
	walKeepSize = parameter[size.Size]{"wal_keep_size", megabytes, dynamic, ownServer}

	logMinDurationStatement = parameter[time.Duration]{"log_min_duration_statement", thousandth, dynamic, everywhere}
	logCheckpoints          = parameter[bool]{"log_checkpoints", flag, dynamic, everywhere}
	logConnections          = parameter[bool]{"log_connections", flag, dynamic, everywhere}
	logDisconnections       = parameter[bool]{"log_disconnections", flag, dynamic, everywhere}
	logLockWaits            = parameter[bool]{"log_lock_waits", flag, dynamic, everywhere}
	logStatement            = parameter[string]{"log_statement", word, dynamic, everywhere}

	autovacuumMaxWorkers         = parameter[int]{"autovacuum_max_workers", number, static, everywhere}
	autovacuumVacuumCostLimit    = parameter[int]{"autovacuum_vacuum_cost_limit", number, dynamic, everywhere}
	autovacuumVacuumScaleFactor  = parameter[float64]{"autovacuum_vacuum_scale_factor", ratio, dynamic, everywhere}
	autovacuumAnalyzeScaleFactor = parameter[float64]{"autovacuum_analyze_scale_factor", ratio, dynamic, everywhere}

	// What the document's view v_slow_queries needs.
	sharedPreloadLibraries = parameter[string]{"shared_preload_libraries", word, static, everywhere}
	rdsForceSSL            = parameter[bool]{"rds.force_ssl", flag, dynamic, rdsOnly}
)

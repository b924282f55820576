// Package postgrestuning computes the settings of a PostgreSQL server from its
// memory, cores and connections. The same model has the settings of RDS and of a server in
// the cluster. The package imports no SDK and owns every rule of this computation.
//
// For 32 GiB, 16 cores and 200 connections the model has the numbers of the design document, section
// "PostgreSQL Optimization for Progressive Framework". The design document has no number of
// cores. For 16 cores, the calculator PGTune returns the design document's worker settings.
//
// # Memory
//
// The design document's work_mem is 256 MB. For 200 connections that would be 50 GB, and the
// server has 32 GB. 32 GB are enough only while most connections are idle. So the model
// counts the processes that may work at the same time: queries and their parallel workers.
// The stack passes the number of connections that the services' pools can open. The model
// keeps the sum
//
//	shared_buffers + wal_buffers
//	  + work_mem × (active queries + max_parallel_workers)
//	  + maintenance_work_mem × (autovacuum_max_workers + 1 manual VACUUM)
//	  + 8 MiB × connections
//
// within the memory. A query may use work_mem more than once, but most queries use
// less than one work_mem.
package postgrestuning

import (
	"time"

	"github.com/progressive-framework/platform/components/size"
)

// DefaultConnections is max_connections in the design document (section "PostgreSQL
// Optimization for Progressive Framework").
const DefaultConnections = 200

// Inputs are the numbers from which the settings are computed.
type Inputs struct {
	// Memory is the memory of the server, 1 GiB to 4 TiB.
	Memory size.Size
	// Cores are the server's vCPUs, 1 to 192.
	Cores int
	// Connections is max_connections, 10 to 5,000.
	Connections int
	// ActiveQueries is the number of queries that run at the same time, at most
	// Connections. Zero means the smaller of Cores and Connections. Increase it if the
	// clients' pools allow more queries.
	ActiveQueries int
	// WorkMem is work_mem. Zero means the largest value that fits: at most 256 MB as in the
	// design document, and at most a quarter of the memory for all processes together.
	WorkMem size.Size
}

// Model holds the settings of one server.
type Model struct{ settings []setting }

const (
	// perConnectionMiB is an upper bound of the memory of an idle connection
	// (Andres Freund, "Measuring the Memory Overhead of a Postgres Connection":
	// less than 8 MiB without huge pages).
	perConnectionMiB = 8
	// maxWorkMemMiB is work_mem in the design document.
	maxWorkMemMiB = 256
	// minWorkMemMiB is PostgreSQL's default. With less, even small sorts use
	// the disk.
	minWorkMemMiB = 4
)

// New computes the settings. If the memory is too small, the error has all terms of the sum, and a
// fix.
func New(in Inputs) (*Model, error) {
	if err := in.validate(); err != nil {
		return nil, err
	}
	b, err := in.divideMemory()
	if err != nil {
		return nil, err
	}
	// As in PGTune: a query may use half of the cores, at most 4.
	workersPerQuery := min(4, (in.Cores+1)/2)
	return &Model{settings: []setting{
		sharedBuffers.withValue(b.shared),
		effectiveCacheSize.withValue(in.Memory.Mul(3).Div(4).Truncate(size.MiB(1))), // the design document's 75 %
		maintenanceWorkMem.withValue(b.maintenance),
		workMem.withValue(b.work),
		walBuffers.withValue(b.wal),
		checkpointCompletionTarget.withValue(0.9),
		maxConnections.withValue(in.Connections),

		randomPageCost.withValue(1.1),
		seqPageCost.withValue(1.0),
		effectiveIOConcurrency.withValue(200),
		// PGTune uses the number of cores. Extensions rely on PostgreSQL's
		// default of 8, so it is the minimum.
		maxWorkerProcesses.withValue(max(8, in.Cores)),
		maxParallelWorkersPerGather.withValue(workersPerQuery),
		maxParallelWorkers.withValue(in.parallelWorkers()),
		maxParallelMaintenanceWorkers.withValue(workersPerQuery),

		walLevel.withValue("replica"),
		maxWALSenders.withValue(3),
		walKeepSize.withValue(size.MiB(16).Mul(64)), // the design document's 64 segments of 16 MiB

		logMinDurationStatement.withValue(time.Second),
		logCheckpoints.withValue(true),
		logConnections.withValue(true),
		logDisconnections.withValue(true),
		logLockWaits.withValue(true),
		logStatement.withValue("ddl"),

		autovacuumMaxWorkers.withValue(in.autovacuumWorkers()),
		autovacuumVacuumCostLimit.withValue(2000),
		autovacuumVacuumScaleFactor.withValue(0.1),
		autovacuumAnalyzeScaleFactor.withValue(0.05),

		trackIOTiming.withValue(true),
		sharedPreloadLibraries.withValue("pg_stat_statements"),
		rdsForceSSL.withValue(true),
	}}, nil
}

// parallelWorkers returns max_parallel_workers. It is the number of cores, as in PGTune.
func (in Inputs) parallelWorkers() int { return in.Cores }

// autovacuumWorkers returns autovacuum_max_workers: the design document's 6 for 16 cores and
// more, and PostgreSQL's default of 3 for up to 8 cores. A small server has no use for more
// workers, because its I/O limits them.
func (in Inputs) autovacuumWorkers() int { return min(6, max(3, in.Cores*3/8)) }

// Package postgrestuning turns the size of a PostgreSQL server into its
// settings: one model, rendered for RDS and for a server in the cluster. It is
// pure and owns every rule by which a setting follows from memory, cores and
// connections.
//
// At 32 GiB, 16 cores and 200 connections it gives the numbers of the design
// document, section "PostgreSQL Optimization for Progressive Framework". The
// document names no core count; 16 is the one at which its worker settings
// are those that PGTune, the field's common calculator, gives.
//
// # Memory
//
// The document's work_mem of 256 MB for each of 200 connections would be 50 GB
// of its 32. It holds because a connection is not a query: clients pool, a
// core runs one query at a time, and further ones wait. So the model counts
// processes that work at once, queries and their parallel workers, and keeps
//
//	shared_buffers + wal_buffers
//	  + work_mem × (active queries + max_parallel_workers)
//	  + maintenance_work_mem × (autovacuum_max_workers + 1 by hand)
//	  + 8 MiB × connections
//
// within memory. A query may use work_mem more than once; most use it less.
package postgrestuning

import (
	"time"

	"github.com/progressive-framework/platform/components/size"
)

// DefaultConnections are the document's max_connections (section "PostgreSQL
// Optimization for Progressive Framework").
const DefaultConnections = 200

// Inputs are what the settings follow from.
type Inputs struct {
	// Memory is the server's, at least 1 GiB.
	Memory size.Size
	// Cores are the server's vCPUs, 1 to 192.
	Cores int
	// Connections are max_connections, 10 to 5,000.
	Connections int
	// ActiveQueries is how many queries work at once, at most Connections;
	// zero: Cores, up to Connections. Raise it where clients' pools let more
	// through.
	ActiveQueries int
	// WorkMem is work_mem; zero: what the memory allows, up to a quarter of
	// it for all.
	WorkMem size.Size
}

// Model holds the settings of one server.
type Model struct{ settings []setting }

const (
	// perConnection bounds what an idle backend holds (Andres Freund,
	// "Measuring the Memory Overhead of a Postgres Connection": under 8 MiB
	// without huge pages).
	perConnectionMiB = 8
	// leastWorkMem is PostgreSQL's default; below it even small sorts go to
	// disk.
	leastWorkMemMiB = 4
)

// New works the settings out. Its error names every number of the memory rule
// and what would mend it.
func New(in Inputs) (*Model, error) {
	if err := in.validate(); err != nil {
		return nil, err
	}
	b, err := in.budget()
	if err != nil {
		return nil, err
	}
	// PGTune: half the cores for one query, at most 4.
	gather := min(4, (in.Cores+1)/2)
	return &Model{settings: []setting{
		sharedBuffers.is(b.shared),
		effectiveCacheSize.is(in.Memory.Times(3).Over(4).Down(size.MiB(1))), // the document's 75 %
		maintenanceWorkMem.is(b.maintenance),
		workMem.is(b.work),
		walBuffers.is(b.wal),
		checkpointCompletionTarget.is(0.9),
		maxConnections.is(in.Connections),

		randomPageCost.is(1.1),
		seqPageCost.is(1.0),
		effectiveIOConcurrency.is(200),
		// PGTune's number, the cores; not below PostgreSQL's default, which
		// extensions count on.
		maxWorkerProcesses.is(max(8, in.Cores)),
		maxParallelWorkersPerGather.is(gather),
		maxParallelWorkers.is(in.parallelWorkers()),
		maxParallelMaintenanceWorkers.is(gather),

		walLevel.is("replica"),
		maxWALSenders.is(3),
		walKeepSize.is(size.MiB(16).Times(64)), // the document's 64 segments

		logMinDurationStatement.is(time.Second),
		logCheckpoints.is(true),
		logConnections.is(true),
		logDisconnections.is(true),
		logLockWaits.is(true),
		logStatement.is("ddl"),

		autovacuumMaxWorkers.is(in.autovacuumWorkers()),
		autovacuumVacuumCostLimit.is(2000),
		autovacuumVacuumScaleFactor.is(0.1),
		autovacuumAnalyzeScaleFactor.is(0.05),

		sharedPreloadLibraries.is("pg_stat_statements"),
		rdsForceSSL.is(true),
	}}, nil
}

// parallelWorkers is max_parallel_workers: PGTune's number, the cores.
func (in Inputs) parallelWorkers() int { return in.Cores }

// autovacuumWorkers is the document's 6 from 16 cores up, and PostgreSQL's
// default 3 up to 8: a worker is held back by I/O before it fills a core.
func (in Inputs) autovacuumWorkers() int { return min(6, max(3, in.Cores*3/8)) }

package postgrestuning

import (
	"errors"
	"fmt"

	"github.com/progressive-framework/platform/components/size"
)

// The limits of Inputs. The upper limits are above the memory and cores of every class in classes,
// so that they refuse only mistakes.
const (
	minMemoryGiB        = 1
	maxMemoryGiB        = 4096
	maxCores            = 192
	minConnections      = 10
	maxConnectionsLimit = 5000
)

func (in Inputs) validate() error {
	var errs []error
	checkRange := func(name string, value, low, high int) {
		if value < low || value > high {
			errs = append(errs, fmt.Errorf("tuning: %s is %d, must be %d to %d", name, value, low, high))
		}
	}
	if in.Memory.Less(size.GiB(minMemoryGiB)) || size.GiB(maxMemoryGiB).Less(in.Memory) {
		errs = append(errs, fmt.Errorf("tuning: Memory is %s, must be %dGi to %dGi", in.Memory, minMemoryGiB, maxMemoryGiB))
	}
	checkRange("Cores", in.Cores, 1, maxCores)
	checkRange("Connections", in.Connections, minConnections, maxConnectionsLimit)
	checkRange("ActiveQueries", in.ActiveQueries, 0, in.Connections)
	if in.WorkMem != (size.Size{}) && in.WorkMem.Less(size.MiB(minWorkMemMiB)) {
		errs = append(errs, fmt.Errorf("tuning: WorkMem is %s, must be at least %dMi, or zero for the largest value that fits", in.WorkMem, minWorkMemMiB))
	}
	return errors.Join(errs...)
}

// budget has the values of shared_buffers, wal_buffers, maintenance_work_mem and work_mem.
type budget struct{ shared, wal, maintenance, work size.Size }

// divideMemory divides the memory among the settings of budget, by the rule in the package
// documentation. It returns an error if work_mem would be too small, or if the sum exceeds the memory.
func (in Inputs) divideMemory() (budget, error) {
	var (
		memory = in.Memory
		mib    = size.MiB(1)
		b      budget
	)
	b.shared = memory.Div(4).Truncate(mib) // the design document's 25 %
	// wal_buffers is the larger of two values: the value of the design document, and PostgreSQL's
	// default. The design document has 64 MB for 8 GB of shared_buffers, which is 1/128.
	designWAL := size.Min(b.shared.Div(128), size.MiB(64))
	defaultWAL := size.Min(b.shared.Div(32), size.MiB(16))
	b.wal = size.Max(designWAL, defaultWAL).Truncate(mib)
	b.maintenance = size.Min(memory.Div(16), size.GiB(2)).Truncate(mib) // as in PGTune

	workingProcesses := in.activeQueries() + in.parallelWorkers()
	maintenanceProcesses := in.autovacuumWorkers() + 1 // and one that a person starts
	fixed := b.shared.Add(b.wal).Add(b.maintenance.Mul(maintenanceProcesses))
	idle := size.MiB(perConnectionMiB).Mul(in.Connections)
	leftForQueries := memory.Sub(fixed).Sub(idle)

	b.work = in.WorkMem.Truncate(mib)
	if b.work == (size.Size{}) {
		b.work = size.Min(size.Min(memory.Div(4), leftForQueries).Div(workingProcesses), size.MiB(maxWorkMemMiB)).Truncate(mib)
	}
	largeEnough := !b.work.Less(size.MiB(minWorkMemMiB))
	fits := !leftForQueries.Less(b.work.Mul(workingProcesses))
	if largeEnough && fits {
		return b, nil
	}
	need := size.Max(b.work, size.MiB(minWorkMemMiB))
	return budget{}, fmt.Errorf(
		"tuning: %s of memory is too little: shared_buffers %s + wal_buffers %s + maintenance_work_mem %s × %d"+
			" + %dMi × %d connections leave %s, but %d working processes (%d active queries + %d parallel workers)"+
			" × work_mem %s need %s: %s",
		memory, b.shared, b.wal, b.maintenance, maintenanceProcesses, perConnectionMiB, in.Connections,
		size.Max(leftForQueries, size.Bytes(0)).Truncate(mib), workingProcesses, in.activeQueries(), in.parallelWorkers(), need, need.Mul(workingProcesses),
		in.fixHint(memory.Sub(fixed), need, workingProcesses))
}

// activeQueries returns the number of queries that may run at the same time.
func (in Inputs) activeQueries() int {
	if in.ActiveQueries > 0 {
		return in.ActiveQueries
	}
	return min(in.Cores, in.Connections)
}

// fixHint returns the fix for an error about too little memory. free is the memory that is
// left for connections and queries. work is the work_mem of each of the working processes.
func (in Inputs) fixHint(free, work size.Size, workingProcesses int) string {
	if in.WorkMem != (size.Size{}) {
		return "lower WorkMem or ActiveQueries, or leave WorkMem zero for the largest value that fits"
	}
	connections := free.Sub(work.Mul(workingProcesses)).Div(perConnectionMiB << 20).Bytes()
	if connections < minConnections {
		return "let fewer queries run at once, or use more memory"
	}
	return fmt.Sprintf("use at most %d connections, let fewer queries run at once, or use more memory", connections)
}

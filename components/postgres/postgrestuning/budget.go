package postgrestuning

import (
	"errors"
	"fmt"

	"github.com/progressive-framework/platform/components/size"
)

const (
	leastMemoryGiB  = 1
	mostMemoryGiB   = 4096
	mostCores       = 192
	leastConnection = 10
	mostConnections = 5000
)

func (in Inputs) validate() error {
	var errs []error
	bounds := func(what string, value, least, most int) {
		if value < least || value > most {
			errs = append(errs, fmt.Errorf("tuning: %s is %d, must be %d to %d", what, value, least, most))
		}
	}
	if in.Memory.Less(size.GiB(leastMemoryGiB)) || size.GiB(mostMemoryGiB).Less(in.Memory) {
		errs = append(errs, fmt.Errorf("tuning: Memory is %s, must be %dGi to %dGi", in.Memory, leastMemoryGiB, mostMemoryGiB))
	}
	bounds("Cores", in.Cores, 1, mostCores)
	bounds("Connections", in.Connections, leastConnection, mostConnections)
	bounds("ActiveQueries", in.ActiveQueries, 0, in.Connections)
	if in.WorkMem != (size.Size{}) && in.WorkMem.Less(size.MiB(leastWorkMemMiB)) {
		errs = append(errs, fmt.Errorf("tuning: WorkMem is %s, must be at least %dMi, or zero for what fits", in.WorkMem, leastWorkMemMiB))
	}
	return errors.Join(errs...)
}

// budget is how the memory is divided.
type budget struct{ shared, wal, maintenance, work size.Size }

func (in Inputs) budget() (budget, error) {
	var (
		memory = in.Memory
		mega   = size.MiB(1)
		b      budget
	)
	b.shared = memory.Over(4).Down(mega) // the document's 25 %
	// A 128th of shared_buffers, as in the document; not less than PostgreSQL
	// would take itself, a 32nd of them up to one segment of 16 MB.
	b.wal = size.Max(size.Min(b.shared.Over(32), size.MiB(16)), size.Min(b.shared.Over(128), size.MiB(64))).Down(mega)
	b.maintenance = size.Min(memory.Over(16), size.GiB(2)).Down(mega) // PGTune

	working := in.active() + in.parallelWorkers()
	maintainers := in.autovacuumWorkers() + 1
	fixed := b.shared.Plus(b.wal).Plus(b.maintenance.Times(maintainers))
	idle := size.MiB(perConnectionMiB).Times(in.Connections)
	left := memory.Minus(fixed).Minus(idle)

	b.work = in.WorkMem.Down(mega)
	if b.work == (size.Size{}) {
		b.work = size.Min(memory.Over(4), left).Over(working).Down(mega)
	}
	need := size.Max(b.work, size.MiB(leastWorkMemMiB))
	if !b.work.Less(need) && !left.Less(b.work.Times(working)) {
		return b, nil
	}
	return budget{}, fmt.Errorf(
		"tuning: %s of memory is too little: shared_buffers %s + wal_buffers %s + maintenance_work_mem %s × %d"+
			" + %dMi × %d connections leave %s, but %d working processes (%d active queries + %d parallel workers)"+
			" × work_mem %s need %s: %s",
		memory, b.shared, b.wal, b.maintenance, maintainers, perConnectionMiB, in.Connections,
		size.Max(left, size.Of(0)).Down(mega), working, in.active(), in.parallelWorkers(), need, need.Times(working),
		in.mend(memory.Minus(fixed), need, working))
}

func (in Inputs) active() int {
	if in.ActiveQueries > 0 {
		return in.ActiveQueries
	}
	return min(in.Cores, in.Connections)
}

// mend says what would do: free is what is left for connections and queries.
func (in Inputs) mend(free, work size.Size, working int) string {
	if in.WorkMem != (size.Size{}) {
		return "lower WorkMem or ActiveQueries, or leave WorkMem zero for what fits"
	}
	connections := free.Minus(work.Times(working)).Over(perConnectionMiB << 20).Bytes()
	if connections < leastConnection {
		return "lower ActiveQueries, or take more memory"
	}
	return fmt.Sprintf("take at most %d connections, lower ActiveQueries, or take more memory", connections)
}

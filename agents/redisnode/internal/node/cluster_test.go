package node

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// table is a node's table without what changes by itself, and without nodes
// that it still greets: those go by themselves.
func (f *fleet) table(i int) []string {
	var lines []string
	for _, m := range f.members(i) {
		if m.greeting {
			continue
		}
		lines = append(lines, strings.Join([]string{m.id, m.address, m.of}, " "))
	}
	slices.Sort(lines)
	return lines
}

// TestLifeOfACluster on real servers: made once, found again at other
// addresses, and healed after losses, with all keys there throughout.
func TestLifeOfACluster(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	for i := range replicas {
		f.start(i, 11+i)
	}
	f.settle("six nodes form a cluster", f.whole)
	for i := range replicas {
		require.Equal(t, i < shards, f.role(i) == "master", "node %d", i)
	}
	followed := map[string]int{}
	for i := shards; i < replicas; i++ {
		for _, m := range f.members(i) {
			if m.of != "" {
				followed[m.of]++
			}
		}
		require.Len(t, followed, shards, "each primary has a replica")
	}
	f.write()

	before := f.table(0)
	for range 5 {
		f.round()
	}
	require.Equal(t, before, f.table(0), "once more changes nothing")

	for i := range replicas {
		f.kill(i)
	}
	// The addresses that each one knew are others' now.
	for i := range replicas {
		f.start(i, 11+(i+1)%replicas)
	}
	f.settle("all are found again at each other's addresses", f.whole)
	f.complete()

	// DNS still leads from one name to another's node.
	f.lag(3, 4)
	table := f.table(0)
	for range 5 {
		f.round()
		require.Equal(t, replicas-2, f.agents[0].Status().Peers, "who answers under a wrong name is nobody")
	}
	require.Equal(t, table, f.table(0))
	f.lag(-1, -1)

	lost := slices.IndexFunc(f.servers[:], func(*exec.Cmd) bool { return true })
	for f.role(lost) != "master" {
		lost++
	}
	f.kill(lost)
	f.settle("a replica takes over", func() bool {
		primaries := 0
		for i := range replicas {
			if i != lost && f.agents[i].Status().Member && f.role(i) == "master" {
				primaries++
			}
		}
		return primaries == shards
	})
	f.complete()
	f.start(lost, 31)
	f.settle("the old primary is back at another address", f.whole)
	require.Equal(t, "slave", f.role(lost))
	f.complete()

	f.kill(lost)
	require.NoError(t, os.RemoveAll(f.folder(lost)))
	f.start(lost, 32)
	f.settle("a node that lost its volume is a replica again, and its old self forgotten", func() bool {
		for i := range replicas {
			if len(f.table(i)) != replicas {
				return false
			}
		}
		return f.whole()
	})
	f.complete()
}

// TestForeignDataAreRefused: five good nodes and one whose volume holds the
// keys of another life.
func TestForeignDataAreRefused(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.start(0, 41, "--cluster-enabled", "no")
	require.NoError(t, f.client(0).Set(t.Context(), "foreign", "data", 0).Err())
	require.NoError(t, f.client(0).Do(t.Context(), "BGREWRITEAOF").Err())
	require.Eventually(t, func() bool {
		return field(f.client(0).Info(t.Context(), "persistence").Val(), "aof_rewrite_in_progress") == "0"
	}, 20*time.Second, 20*time.Millisecond)
	f.kill(0)
	for i := range replicas {
		f.start(i, 41+i)
	}
	for range 20 {
		f.round()
		time.Sleep(20 * time.Millisecond)
	}
	for i := range replicas {
		status := f.agents[i].Status()
		require.False(t, status.Member)
		require.Len(t, status.Problems, 1, "node %d", i)
		require.Contains(t, status.Problems[0], "node redis-cluster-0.redis-cluster-service at 127.0.0.41")
		require.Contains(t, status.Problems[0], "holds 1 keys but belongs to no cluster, so it is not joined: move its data away, or delete its volume")
	}
	require.EqualValues(t, 1, f.client(0).DBSize(t.Context()).Val(), "and they are still there")
	require.Len(t, f.table(0), 1)

	f.kill(0)
	require.NoError(t, os.RemoveAll(f.folder(0)))
	f.start(0, 41)
	f.settle("the mend that was named does", f.whole)
}

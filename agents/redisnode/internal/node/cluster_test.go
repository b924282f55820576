package node

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stableTable returns a node's table of the cluster without the fields that change all the time.
// It leaves out nodes in handshake, because Redis removes these by itself.
func (f *testCluster) stableTable(i int) []string {
	var lines []string
	for _, m := range f.members(i) {
		if m.handshake {
			continue
		}
		lines = append(lines, strings.Join([]string{m.id, m.address, m.primaryID}, " "))
	}
	slices.Sort(lines)
	return lines
}

// TestClusterFormsRecoversAndKeepsItsKeys runs six real servers. They must form a cluster, and
// keep all keys after a change of all addresses, the loss of a primary and the loss of a volume.
func TestClusterFormsRecoversAndKeepsItsKeys(t *testing.T) {
	t.Parallel()
	f := newTestCluster(t)
	for i := range replicas {
		f.start(i, 11+i)
	}
	f.runUntil("six nodes form a cluster", f.isHealthy)
	for i := range replicas {
		require.Equal(t, i < shards, f.role(i) == "master", "node %d", i)
	}
	replicasOf := map[string]int{}
	for i := shards; i < replicas; i++ {
		for _, m := range f.members(i) {
			if m.primaryID != "" {
				replicasOf[m.primaryID]++
			}
		}
		require.Len(t, replicasOf, shards, "each primary has a replica")
	}
	f.writeKeys()

	before := f.stableTable(0)
	for range 5 {
		f.round()
	}
	require.Equal(t, before, f.stableTable(0), "more rounds change nothing")

	for i := range replicas {
		f.kill(i)
	}
	// Each node starts at an address that another node had before.
	for i := range replicas {
		f.start(i, 11+(i+1)%replicas)
	}
	f.runUntil("all nodes find each other at swapped addresses", f.isHealthy)
	f.requireAllKeys()

	// DNS still resolves the name of node 3 to the address of node 4.
	f.resolveTo(3, 4)
	table := f.stableTable(0)
	for range 5 {
		f.round()
		require.Equal(t, replicas-2, f.agents[0].Status().Peers, "a node that answers under another node's name does not count")
	}
	require.Equal(t, table, f.stableTable(0))
	f.resetDNS()

	lost := 0
	for f.role(lost) != "master" {
		lost++
	}
	f.kill(lost)
	f.runUntil("a replica takes over", func() bool {
		primaries := 0
		for i := range replicas {
			if i != lost && f.agents[i].Status().Member && f.role(i) == "master" {
				primaries++
			}
		}
		return primaries == shards
	})
	f.requireAllKeys()
	f.start(lost, 31)
	f.runUntil("the old primary is back at another address", f.isHealthy)
	require.Equal(t, "slave", f.role(lost))
	f.requireAllKeys()

	f.kill(lost)
	require.NoError(t, os.RemoveAll(f.folder(lost)))
	f.start(lost, 32)
	f.runUntil("a node that lost its volume is a replica again, and its old id is forgotten", func() bool {
		for i := range replicas {
			if len(f.stableTable(i)) != replicas {
				return false
			}
		}
		return f.isHealthy()
	})
	f.requireAllKeys()
}

// TestNodeWithForeignKeysIsNotJoined starts five empty nodes, and one node with keys from before
// the cluster.
func TestNodeWithForeignKeysIsNotJoined(t *testing.T) {
	t.Parallel()
	f := newTestCluster(t)
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
	require.EqualValues(t, 1, f.client(0).DBSize(t.Context()).Val(), "the keys are kept")
	require.Len(t, f.stableTable(0), 1)

	f.kill(0)
	require.NoError(t, os.RemoveAll(f.folder(0)))
	f.start(0, 41)
	f.runUntil("deleting the volume, as the error says, lets the cluster form", f.isHealthy)
}

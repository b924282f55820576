package node

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// readStableTable returns a node's table of the cluster without the fields that change all the time.
// It leaves out nodes in handshake, because Redis removes these by itself.
func (c *testCluster) readStableTable(i int) []string {
	var lines []string
	for _, m := range c.readMembers(i) {
		if m.handshake {
			continue
		}
		lines = append(lines, strings.Join([]string{m.id, m.address, m.primaryID}, " "))
	}
	slices.Sort(lines)
	return lines
}

// TestClusterFormsRecoversAndKeepsItsKeys runs six real servers. They must form a cluster. They
// must keep all keys after a change of all addresses, the loss of a primary and the loss of a
// volume.
func TestClusterFormsRecoversAndKeepsItsKeys(t *testing.T) {
	t.Parallel()
	c := newTestCluster(t)
	for i := range nodeCount {
		c.start(i, 11+i)
	}
	c.runUntil("six nodes form a cluster", c.isHealthy)
	for i := range nodeCount {
		require.Equal(t, i < shards, c.readRole(i) == "master", "node %d", i)
	}
	replicasByPrimary := map[string]int{}
	for i := shards; i < nodeCount; i++ {
		for _, m := range c.readMembers(i) {
			if m.primaryID != "" {
				replicasByPrimary[m.primaryID]++
			}
		}
		require.Len(t, replicasByPrimary, shards, "each primary has a replica")
	}
	c.writeKeys()

	tableBefore := c.readStableTable(0)
	for range 5 {
		c.runRound()
	}
	require.Equal(t, tableBefore, c.readStableTable(0), "more rounds change nothing")

	for i := range nodeCount {
		c.kill(i)
	}
	// Each node starts at an address that another node had before.
	for i := range nodeCount {
		c.start(i, 11+(i+1)%nodeCount)
	}
	c.runUntil("all nodes find each other at swapped addresses", c.isHealthy)
	c.requireAllKeys()

	// DNS still resolves the name of node 3 to the address of node 4.
	c.resolveTo(3, 4)
	tableBefore = c.readStableTable(0)
	for range 5 {
		c.runRound()
		require.Equal(t, nodeCount-2, c.nodes[0].Status().Peers, "a node that responds under another node's name does not count")
	}
	require.Equal(t, tableBefore, c.readStableTable(0))
	c.resetDNS()

	lostPrimary := 0
	for c.readRole(lostPrimary) != "master" {
		lostPrimary++
	}
	c.kill(lostPrimary)
	c.runUntil("a replica takes over", func() bool {
		primaries := 0
		for i := range nodeCount {
			if i != lostPrimary && c.nodes[i].Status().Member && c.readRole(i) == "master" {
				primaries++
			}
		}
		return primaries == shards
	})
	c.requireAllKeys()
	c.start(lostPrimary, 31)
	c.runUntil("the old primary is back at another address", c.isHealthy)
	require.Equal(t, "slave", c.readRole(lostPrimary))
	c.requireAllKeys()

	c.kill(lostPrimary)
	require.NoError(t, os.RemoveAll(c.folder(lostPrimary)))
	c.start(lostPrimary, 32)
	c.runUntil("a node that lost its volume is a replica again, and its old id is forgotten", func() bool {
		for i := range nodeCount {
			if len(c.readStableTable(i)) != nodeCount {
				return false
			}
		}
		return c.isHealthy()
	})
	c.requireAllKeys()
}

// TestNodeWithForeignKeysIsNotJoined starts five empty nodes, and one node with keys from before
// the cluster.
func TestNodeWithForeignKeysIsNotJoined(t *testing.T) {
	t.Parallel()
	c := newTestCluster(t)
	c.start(0, 41, "--cluster-enabled", "no")
	require.NoError(t, c.client(0).Set(t.Context(), "foreign", "data", 0).Err())
	require.NoError(t, c.client(0).Do(t.Context(), "BGREWRITEAOF").Err())
	require.Eventually(t, func() bool {
		return fieldValue(c.client(0).Info(t.Context(), "persistence").Val(), "aof_rewrite_in_progress") == "0"
	}, 20*time.Second, 20*time.Millisecond)
	c.kill(0)
	for i := range nodeCount {
		c.start(i, 41+i)
	}
	for range 20 {
		c.runRound()
		time.Sleep(20 * time.Millisecond)
	}
	for i := range nodeCount {
		status := c.nodes[i].Status()
		require.False(t, status.Member)
		require.Len(t, status.Problems, 1, "node %d", i)
		require.Contains(t, status.Problems[0], "node redis-cluster-0.redis-cluster-service at 127.0.0.41")
		require.Contains(t, status.Problems[0], "holds 1 keys but belongs to no cluster, so it is not joined: move its data away, or delete its volume")
	}
	require.EqualValues(t, 1, c.client(0).DBSize(t.Context()).Val(), "the keys are kept")
	require.Len(t, c.readStableTable(0), 1)

	c.kill(0)
	require.NoError(t, os.RemoveAll(c.folder(0)))
	c.start(0, 41)
	c.runUntil("deleting the volume, as the error says, lets the cluster form", c.isHealthy)
}

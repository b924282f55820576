package elasticachespec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestZeroValuesAreTheDocumentsSix(t *testing.T) {
	c, model, err := Cluster{Identifier: "progressive-framework-abcdefghijkl-redis", NodeType: "cache.r7g.large"}.Complete()
	require.NoError(t, err, "the longest environment")
	require.Equal(t, Cluster{
		Identifier: "progressive-framework-abcdefghijkl-redis", NodeType: "cache.r7g.large", Shards: 3, ReplicasPerShard: 1, SnapshotDays: 7,
	}, c)
	require.NotEmpty(t, model.Parameters())
}

// Another node type changes settings and not the group that holds them.
func TestNodeTypeChangesInPlace(t *testing.T) {
	small, smallModel, err := Cluster{Identifier: "c", NodeType: "cache.t4g.small"}.Complete()
	require.NoError(t, err)
	large, largeModel, err := Cluster{Identifier: "c", NodeType: "cache.r7g.large"}.Complete()
	require.NoError(t, err)
	require.Equal(t, small.ParameterGroup(), large.ParameterGroup())
	require.NotEqual(t, smallModel.Parameters(), largeModel.Parameters())
}

func TestWrongClusters(t *testing.T) {
	good := Cluster{Identifier: "c", NodeType: "cache.t4g.small"}
	for _, row := range []struct {
		reason string
		change func(*Cluster)
		says   string
	}{
		{"ElastiCache's length", func(c *Cluster) { c.Identifier = "progressive-framework-abcdefghijklm-redis" }, "must be 1 to 40"},
		{"no such type", func(c *Cluster) { c.NodeType = "cache.t4g.large" }, `"cache.t4g.large" is not one of`},
		{"a lost node must not be lost data", func(c *Cluster) { c.ReplicasPerShard = -1 }, "ReplicasPerShard is -1, must be 1 to 5"},
		{"ElastiCache's most", func(c *Cluster) { c.ReplicasPerShard = 6 }, "ReplicasPerShard is 6"},
		{"the quota of nodes", func(c *Cluster) { c.Shards = 46 }, "46 shards of 2 nodes are 92 nodes"},
		{"snapshots are kept", func(c *Cluster) { c.SnapshotDays = 36 }, "SnapshotDays is 36, must be 1 to 35"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			c := good
			row.change(&c)
			_, _, err := c.Complete()
			require.ErrorContains(t, err, row.says)
		})
	}
}

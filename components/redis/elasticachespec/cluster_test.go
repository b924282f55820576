package elasticachespec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestZeroValuesMeanTheDesignDocumentsSixNodes(t *testing.T) {
	c, model, err := Cluster{Identifier: "progressive-framework-abcdefghijkl-redis", NodeType: "cache.r7g.large"}.Complete()
	require.NoError(t, err, "the identifier of the longest environment name is accepted")
	require.Equal(t, Cluster{
		Identifier: "progressive-framework-abcdefghijkl-redis", NodeType: "cache.r7g.large", Shards: 3, ReplicasPerShard: 1, SnapshotDays: 7,
	}, c)
	require.NotEmpty(t, model.Parameters())
}

// A change of the node type changes the settings in the same parameter group.
func TestNodeTypeKeepsTheParameterGroup(t *testing.T) {
	small, smallModel, err := Cluster{Identifier: "c", NodeType: "cache.t4g.small"}.Complete()
	require.NoError(t, err)
	large, largeModel, err := Cluster{Identifier: "c", NodeType: "cache.r7g.large"}.Complete()
	require.NoError(t, err)
	require.Equal(t, small.ParameterGroup(), large.ParameterGroup())
	require.NotEqual(t, smallModel.Parameters(), largeModel.Parameters())
}

func TestInvalidClustersAreRefused(t *testing.T) {
	valid := Cluster{Identifier: "c", NodeType: "cache.t4g.small"}
	for _, row := range []struct {
		reason string
		change func(*Cluster)
		want   string
	}{
		{"an identifier that is too long for ElastiCache", func(c *Cluster) { c.Identifier = "progressive-framework-abcdefghijklm-redis" }, "must be 1 to 40"},
		{"an unknown node type", func(c *Cluster) { c.NodeType = "cache.t4g.large" }, `"cache.t4g.large" must be one of`},
		{"no replica, so that a lost node loses data", func(c *Cluster) { c.ReplicasPerShard = -1 }, "ReplicasPerShard is -1, must be 1 to 5"},
		{"more replicas than the maximum of ElastiCache", func(c *Cluster) { c.ReplicasPerShard = 6 }, "ReplicasPerShard is 6"},
		{"more nodes than the quota", func(c *Cluster) { c.Shards = 46 }, "46 shards of 2 nodes are 92 nodes"},
		{"more days than the maximum of ElastiCache", func(c *Cluster) { c.SnapshotDays = 36 }, "SnapshotDays is 36, must be 1 to 35"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			c := valid
			row.change(&c)
			_, _, err := c.Complete()
			require.ErrorContains(t, err, row.want)
		})
	}
}

// Package elasticachespec checks the specification of an ElastiCache cluster and
// fills in its defaults. It is pure: it owns the rules of ElastiCache and of the
// platform; the resources are package redis'.
package elasticachespec

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/progressive-framework/platform/components/datastore/storespec"
	"github.com/progressive-framework/platform/components/redis/redistuning"
)

const (
	// Version is the newest Redis that ElastiCache offers (ElastiCache User
	// Guide, "Supported engines and versions").
	Version = "7.1"
	// Family is that of its parameter groups.
	Family = "redis7"
	// Port is that of Redis.
	Port = 6379

	// The document's StatefulSet has six nodes: three shards of a primary and
	// a replica.
	defaultShards, defaultReplicas = 3, 1

	mostReplicas = 5  // ElastiCache API, CreateReplicationGroup
	mostNodes    = 90 // ElastiCache User Guide, "Quotas": nodes of a cluster
	defaultDays  = 7
)

// Cluster is the specification of a replication group. Zero values stand for
// what is safe.
type Cluster struct {
	// Identifier names the replication group and its user: lower-case letters,
	// digits and single hyphens, a letter first.
	Identifier string
	// NodeType is such as "cache.r7g.large"; see package redistuning.
	NodeType string
	// Shards hold a part of the keys each; zero: 3.
	Shards int
	// ReplicasPerShard, 1 to 5, lie in other zones than their primary; zero: 1.
	ReplicasPerShard int
	// SnapshotDays is how long daily snapshots are kept, 1 to 35; zero: 7.
	SnapshotDays int
}

// Complete fills in the defaults and computes the settings. Its error lists
// everything that is wrong.
func (c Cluster) Complete() (Cluster, *redistuning.Model, error) {
	c.Shards = cmp.Or(c.Shards, defaultShards)
	c.ReplicasPerShard = cmp.Or(c.ReplicasPerShard, defaultReplicas)
	c.SnapshotDays = cmp.Or(c.SnapshotDays, defaultDays)
	errs := []error{storespec.CheckIdentifier(c.Identifier), storespec.CheckDays("SnapshotDays", c.SnapshotDays, 1)}
	if c.ReplicasPerShard < 1 || c.ReplicasPerShard > mostReplicas {
		errs = append(errs, fmt.Errorf("ReplicasPerShard is %d, must be 1 to %d: without one a lost node is lost data", c.ReplicasPerShard, mostReplicas))
	}
	if nodes := c.Shards * (1 + c.ReplicasPerShard); c.Shards < 1 || nodes > mostNodes {
		errs = append(errs, fmt.Errorf("%d shards of %d nodes are %d nodes, must be 1 shard or more and at most %d nodes", c.Shards, 1+c.ReplicasPerShard, nodes, mostNodes))
	}
	model, err := c.tune()
	if errs = append(errs, err); errors.Join(errs...) != nil {
		return Cluster{}, nil, fmt.Errorf("cluster: %w", errors.Join(errs...))
	}
	return c, model, nil
}

func (c Cluster) tune() (*redistuning.Model, error) {
	memory, err := redistuning.MemoryOf(c.NodeType)
	if err != nil {
		return nil, err
	}
	return redistuning.New(redistuning.Inputs{Memory: memory})
}

// ParameterGroup names the cluster's parameter group. The name says nothing of
// sizes, so that another node type changes values in place.
func (c Cluster) ParameterGroup() string { return c.Identifier + "-" + Family }

// Package elasticachespec checks the specification of an ElastiCache cluster and
// fills in its defaults. It imports no SDK. It owns the rules of ElastiCache and of the
// platform. The resources are in package redis.
package elasticachespec

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/progressive-framework/platform/components/datastore/storespec"
	"github.com/progressive-framework/platform/components/redis/redistuning"
)

const (
	// Version is the newest Redis version of ElastiCache (ElastiCache User
	// Guide, "Supported engines and versions").
	Version = "7.1"
	// Family is the family of the parameter groups of this version.
	Family = "redis7"
	// Port is the port of Redis.
	Port = 6379

	// The design document's StatefulSet has six nodes: three shards with one primary and
	// one replica each.
	defaultShards, defaultReplicas = 3, 1

	maxReplicas = 5  // ElastiCache API, CreateReplicationGroup
	maxNodes    = 90 // ElastiCache User Guide, "Quotas": nodes of a cluster
	defaultDays = 7  // of snapshots: the platform's choice
)

// Cluster is the specification of a replication group. Zero values mean safe
// defaults.
type Cluster struct {
	// Identifier is the name of the replication group and its user: lower-case letters,
	// digits and single hyphens, a letter first.
	Identifier string
	// NodeType is a type such as "cache.r7g.large". Package redistuning has the allowed
	// types.
	NodeType string
	// Shards is the number of shards. Each shard has a share of the hash slots. Zero means 3.
	Shards int
	// ReplicasPerShard is the number of replicas of a shard, 1 to 5. They are in
	// other zones than their primary. Zero means 1.
	ReplicasPerShard int
	// SnapshotDays is the number of days for which daily snapshots are kept, 1 to 35. Zero
	// means 7.
	SnapshotDays int
}

// Complete returns the cluster with its defaults, and the settings. The error joins the errors of
// all fields.
func (c Cluster) Complete() (Cluster, *redistuning.Model, error) {
	c.Shards = cmp.Or(c.Shards, defaultShards)
	c.ReplicasPerShard = cmp.Or(c.ReplicasPerShard, defaultReplicas)
	c.SnapshotDays = cmp.Or(c.SnapshotDays, defaultDays)
	errs := []error{storespec.CheckIdentifier(c.Identifier), storespec.CheckDays("SnapshotDays", c.SnapshotDays, 1)}
	if c.ReplicasPerShard < 1 || c.ReplicasPerShard > maxReplicas {
		errs = append(errs, fmt.Errorf("ReplicasPerShard is %d, must be 1 to %d: without a replica, the loss of a node loses data", c.ReplicasPerShard, maxReplicas))
	}
	if nodes := c.Shards * (1 + c.ReplicasPerShard); c.Shards < 1 || nodes > maxNodes {
		errs = append(errs, fmt.Errorf("%d shards of %d nodes are %d nodes, must be at least 1 shard and at most %d nodes", c.Shards, 1+c.ReplicasPerShard, nodes, maxNodes))
	}
	model, err := c.tuningModel()
	if err := errors.Join(append(errs, err)...); err != nil {
		return Cluster{}, nil, fmt.Errorf("cluster: %w", err)
	}
	return c, model, nil
}

// tuningModel computes the settings for the memory of the node type.
func (c Cluster) tuningModel() (*redistuning.Model, error) {
	memory, err := redistuning.LookupMemory(c.NodeType)
	if err != nil {
		return nil, err
	}
	return redistuning.New(redistuning.Inputs{Memory: memory})
}

// ParameterGroup returns the name of the cluster's parameter group. The name does
// not depend on the node type, so that a change of the type updates the values in
// place.
func (c Cluster) ParameterGroup() string { return c.Identifier + "-" + Family }

// Nodes returns the ids of the nodes in CloudWatch's dimension CacheClusterId (ElastiCache
// User Guide, "Finding a node's endpoint": NAME-SHARD-NODE).
func (c Cluster) Nodes() []string {
	var nodes []string
	for shard := range c.Shards {
		for node := range 1 + c.ReplicasPerShard {
			nodes = append(nodes, fmt.Sprintf("%s-%04d-%03d", c.Identifier, shard+1, node+1))
		}
	}
	return nodes
}

// Package ruleset holds the platform's rules, one group in each file. It owns the
// requirements for each resource. The numbers of pods and nodes, and the times, come from
// components/scaling.
package ruleset

import (
	"slices"

	"github.com/progressive-framework/platform/policy/rule"
)

// All returns every rule.
func All() []*rule.Rule {
	return slices.Concat(network, nodes, eks, postgres, mongo, redis, balancer, cdn, webACL, buckets, registry, keys, iam, calls,
		pods, podObjects, workloads, cluster, stores, storeAccess, serviceLogs, stack, spending)
}

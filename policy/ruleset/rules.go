// Package ruleset holds the platform's rules, a group a file. It owns what is
// demanded of each resource. Numbers that the platform has already come from
// components/scaling.
package ruleset

import (
	"slices"

	"github.com/progressive-framework/platform/policy/rule"
)

// All returns every rule.
func All() []*rule.Rule {
	return slices.Concat(network, nodes, eks, postgres, mongo, redis, balancer, cdn, webACL, buckets, registry, keys, iam,
		pods, workloads, cluster, stores, stack)
}

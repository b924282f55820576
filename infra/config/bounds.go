package config

import (
	"fmt"
	"strings"

	"github.com/progressive-framework/platform/components/datastore/storespec"
	"github.com/progressive-framework/platform/components/loadbalancer/routing"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/tier/instancespec"
)

// bound is the smallest and the largest number that a key may have, and why.
type bound struct {
	Min, Max int
	// Why is the reason in the error message. It is empty if the name of the key explains the bound.
	Why string
}

// reasonSuffix returns Why as the end of an error message. It returns "" if Why is empty.
func (b bound) reasonSuffix() string {
	if b.Why == "" {
		return ""
	}
	return ": " + b.Why
}

// describe returns the bound in words, such as "1 entry or more". singular and plural are the two
// forms of the noun.
func (b bound) describe(singular, plural string) string {
	switch {
	case b.Min == b.Max && b.Min == 1:
		return "1 " + singular
	case b.Max >= unlimited && b.Min == 1:
		return "1 " + singular + " or more"
	case b.Max >= unlimited:
		return fmt.Sprintf("%d %s or more", b.Min, plural)
	default:
		return fmt.Sprintf("%d to %d %s", b.Min, b.Max, plural)
	}
}

const (
	// unlimited is the length of a list that another rule limits.
	unlimited = 1 << 20
	// maxGeneration bounds a counter that a person increases by one.
	maxGeneration = 10_000
	// maxNodes is the largest number of nodes with which the Cluster Autoscaler is tested
	// (kubernetes/autoscaler, FAQ, "What are the Service Level Objectives").
	maxNodes = 1000
	// maxVolume is the largest volume of the storage class (EBS User Guide, "General Purpose SSD
	// volumes"), in GiB.
	maxVolume = instancespec.MaxVolume
)

// numberBounds are the bounds of every key that holds a number, by its path, with * for a name.
// PATH@KIND is the bound of a store of that kind. A key is unset or within its bound: there is no
// value that means "not given".
var numberBounds = map[string]bound{
	"cluster.requestPercent":       {Min: 1, Max: 100},
	"frontDoor.nodePort":           {routing.MinNodePort, routing.MaxNodePort, "Kubernetes opens no other port on a node"},
	"services.*.min":               {Min: 1, Max: scaling.MaxReplicas},
	"services.*.max":               {Min: 1, Max: scaling.MaxReplicas},
	"policy.cost.monthlyBudget":    {Min: 1, Max: 10_000_000},
	"policy.cost.maxGrowthPercent": {Min: 1, Max: 1_000},
	"policy.cost.estimates.*":      {Min: 0, Max: 1_000_000_000},
	"podScaling.resizeSeconds":     {10, 3600, "metrics-server measures no more often, and a pod that needs memory must not wait for long"},
	"prometheus.replicas":          {1, 2, "each pod has all series, so that more only cost more"},
	"prometheus.storageGiB":        {1, maxVolume, "a gp3 volume is no larger"},

	"tiers.*.min":          {Min: 1, Max: maxNodes},
	"tiers.*.desired":      {Min: 1, Max: maxNodes},
	"tiers.*.max":          {Min: 1, Max: maxNodes},
	"tiers.*.onDemandBase": {Min: 0, Max: maxNodes},
	"tiers.*.spotShare":    {0, 100, "it is in percent"},
	"tiers.*.volumeGiB":    {instancespec.MinVolume, instancespec.MaxVolume, "a smaller one does not hold the image, and a gp3 volume is no larger"},

	// WAF API, RateBasedStatement.
	"edge.requestsPerAddress": {10, 2_000_000_000, "AWS WAF allows no other rate"},

	"postgres.connections":          {10, 5000, "package postgrestuning models no other number"},
	"postgres.storageGiB@managed":   {20, 59578, "gp3 of RDS begins at 20 GiB; it must be able to grow by a tenth up to 64 TiB"},
	"postgres.storageGiB@inCluster": {1, maxVolume, "a gp3 volume is no larger"},
	"postgres.backupDays":           {storespec.MinBackupDays, storespec.MaxBackupDays, "a fault of a week ago can still be undone, and AWS keeps no more"},
	"postgres.memoryMiB":            {1024, 4096 << 10, "the model of the settings begins at 1 GiB"},
	"postgres.cores":                {Min: 1, Max: 192},
	"postgres.passwordGeneration":   {Min: 0, Max: maxGeneration},

	"redis.shards":             {1, 45, "ElastiCache allows 90 nodes, and each shard has a replica"},
	"redis.replicasPerShard":   {1, 5, "without one a lost node is lost data; ElastiCache allows 5"},
	"redis.snapshotDays":       {1, storespec.MaxBackupDays, "AWS keeps no more"},
	"redis.passwordGeneration": {Min: 0, Max: maxGeneration},
	"redis.memoryMiB":          {64, 512 << 10, "below, the server's own memory leaves none for data"},
	"redis.storageGiB":         {1, maxVolume, "a gp3 volume is no larger"},

	"mongo.instances":  {1, 16, "DocumentDB allows no more"},
	"mongo.backupDays": {storespec.MinBackupDays, storespec.MaxBackupDays, "a fault of a week ago can still be undone, and AWS keeps no more"},
}

// listBounds are the allowed lengths of lists. A list that is not in listBounds
// has no limit and may be empty.
var listBounds = map[string]bound{
	"network.zones":             {Min: subnet.MinZones, Max: subnet.MaxZones},
	"network.privateSubnetIds":  {Min: subnet.MinZones, Max: subnet.MaxZones},
	"network.databaseSubnetIds": {Min: subnet.MinZones, Max: subnet.MaxZones},
	"cluster.zones":             {Min: subnet.MinZones, Max: subnet.MaxZones},
	"cluster.publicAccessCidrs": {0, maxPublicBlocks, "EKS allows no more"},
	// Without an administrator here, only the identity that created the cluster can
	// administer it. If this identity is deleted, nobody can.
	"cluster.admins": {Min: 1, Max: unlimited},
	// Together 30 of the 60 rules of a security group (VPC User Guide, "Amazon VPC quotas").
	"cluster.privateAccessCidrs":          {Min: 0, Max: 20},
	"cluster.privateAccessSecurityGroups": {Min: 0, Max: 10},
	"images.platforms":                    {Min: 1, Max: unlimited},
	"mongo.cidrs":                         {1, 50, "each is a rule of a network policy"},
	"images.trustedKeys":                  {0, 10, "a rotation has two"},
	"images.requiredGates":                {0, 8, "there are eight gates"},
	"images.kmsSigners":                   {0, 20, "a key's policy has 32 KB, and a few roles sign"},
	"postgres.platforms":                  {Min: 1, Max: unlimited},
	"redis.platforms":                     {Min: 1, Max: unlimited},
	// EC2 Auto Scaling, "Quotas": overrides of a mixed instances policy.
	"tiers.*.instanceTypes": {Min: 1, Max: 40},
}

// findNumberBound returns the bound of a key. A bound for only this kind of store comes first. It
// returns false if the key has no bound.
func findNumberBound(pattern, kind string) (bound, bool) {
	if b, ok := numberBounds[pattern+"@"+kind]; ok {
		return b, true
	}
	b, ok := numberBounds[pattern]
	return b, ok
}

// formatBounds returns the bounds of a key as text. If a kind of the store has its own bounds, the
// text has the bounds of each kind. It returns "" if the key has no bounds.
func formatBounds(pattern string) string {
	var ranges []string
	if b, ok := numberBounds[pattern]; ok {
		ranges = append(ranges, fmt.Sprintf("%d to %d", b.Min, b.Max))
	}
	for _, kind := range []string{string(Managed), string(InCluster)} {
		if b, ok := numberBounds[pattern+"@"+kind]; ok {
			ranges = append(ranges, fmt.Sprintf("%s: %d to %d", kind, b.Min, b.Max))
		}
	}
	return strings.Join(ranges, ", ")
}

package cost

import (
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/value"
)

// includedDays is for how many days Performance Insights keeps data without charge
// (Amazon RDS User Guide, "Pricing and data retention for Performance Insights").
const includedDays = 7

// secret adds the monthly charge of a secret and of each replica.
func secret(i item, v awsview.SecretsmanagerSecret) {
	replicas := length(v.Replicas())
	if replicas.problem == notKnown {
		i.undecided("secretsmanager:secret", "replicas", notKnown)
	}
	i.fixed("secretsmanager:secret", 1+replicas.value)
}

// masterSecret adds the secret that a store creates for its master user.
func masterSecret(i item, managed value.Bool) {
	switch m := truth(managed); {
	case !m.ok():
		i.undecided("secretsmanager:secret", "manageMasterUserPassword", m.problem)
	case m.value:
		i.fixed("secretsmanager:secret", 1)
	}
}

// database adds the hours of a database's instance, and its storage. The price of Multi-AZ
// includes the standby in another zone.
func database(i item, v awsview.RdsInstance) {
	masterSecret(i, v.ManageMasterUserPassword())
	engine, class, multi := text(v.Engine()), text(v.InstanceClass()), truth(v.MultiAz())
	zones := "single-az"
	if multi.value {
		zones = "multi-az"
	}
	switch {
	case !engine.ok():
		i.undecided("", "engine", engine.problem)
	case !class.ok():
		i.undecided("rds:"+engine.value, "instanceClass", class.problem)
	case !multi.ok():
		i.undecided("rds:"+engine.value+":"+class.value, "multiAz", multi.problem)
	default:
		i.hourly("rds:"+engine.value+":"+zones+":"+class.value, 1)
	}
	databaseStorage(i, v, multi, zones)
	switch days := wholeOr(v.PerformanceInsightsRetentionPeriod(), includedDays); {
	case !possible(v.PerformanceInsightsEnabled().IsTrue()):
	case !days.ok():
		i.undecided("rds:performance-insights", "performanceInsightsRetentionPeriod", days.problem)
	case days.value > includedDays:
		i.unpriced("rds:performance-insights", noRow)
	}
}

// databaseStorage adds the storage of a database. More operations or throughput
// than the volume includes have no row.
func databaseStorage(i item, v awsview.RdsInstance, multi reading[bool], zones string) {
	kind, gib := textOr(v.StorageType(), "gp2"), whole(v.AllocatedStorage())
	switch {
	case !kind.ok():
		i.undecided("", "storageType", kind.problem)
	case !gib.ok():
		i.undecided("rds:storage", "allocatedStorage", gib.problem)
	case !multi.ok():
		i.undecided("rds:storage", "multiAz", multi.problem)
	default:
		i.fixed("rds:storage:"+zones+":"+kind.value, gib.value)
	}
	if possible(v.Iops().Set()) {
		i.unpriced("rds:iops", noRow)
	}
	if possible(v.StorageThroughput().Set()) {
		i.unpriced("rds:throughput", noRow)
	}
}

// documentCluster adds the secret of the cluster. Its instances are other resources, and its
// storage is usage.
func documentCluster(i item, v awsview.DocdbCluster) { masterSecret(i, v.ManageMasterUserPassword()) }

// documentInstance adds the hours of an instance of DocumentDB.
func documentInstance(i item, v awsview.DocdbClusterInstance) {
	if class := text(v.InstanceClass()); class.ok() {
		i.hourly("docdb:"+class.value, 1)
	} else {
		i.undecided("", "instanceClass", class.problem)
	}
}

// replicationGroup adds the hourly price of each node of the group, or the reason why the
// number or the type of the nodes is unknown.
func replicationGroup(i item, v awsview.ElasticacheReplicationGroup) {
	engine, node := textOr(v.Engine(), "redis"), text(v.NodeType())
	sku := "elasticache:" + engine.value + ":" + node.value
	switch {
	case !engine.ok():
		i.undecided("", "engine", engine.problem)
		return
	case !node.ok():
		i.undecided("elasticache:"+engine.value, "nodeType", node.problem)
		return
	}
	if possible(v.NumCacheClusters().Set()) { // cluster mode is off
		if nodes := whole(v.NumCacheClusters()); nodes.ok() {
			i.hourly(sku, nodes.value)
		} else {
			i.undecided(sku, "numCacheClusters", nodes.problem)
		}
		return
	}
	shards, replicas := wholeOr(v.NumNodeGroups(), 1), wholeOr(v.ReplicasPerNodeGroup(), 0)
	switch {
	case !shards.ok():
		i.undecided(sku, "numNodeGroups", shards.problem)
	case !replicas.ok():
		i.undecided(sku, "replicasPerNodeGroup", replicas.problem)
	case shards.value*(1+replicas.value) > maxQuantity:
		i.undecided(sku, "numNodeGroups", "has too many nodes")
	default:
		i.hourly(sku, shards.value*(1+replicas.value))
	}
}

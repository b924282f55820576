package cost

import (
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/value"
)

// includedDays is the number of days that Performance Insights keeps data without charge
// (Amazon RDS User Guide, "Pricing and data retention for Performance Insights").
const includedDays = 7

// addSecret adds the monthly charge of a secret and of each replica.
func addSecret(b billing, v awsview.SecretsmanagerSecret) {
	replicas := readLength(v.Replicas())
	if replicas.problem == notKnown {
		b.addUndecided("secretsmanager:secret", "replicas", notKnown)
	}
	b.addFixed("secretsmanager:secret", 1+replicas.value)
}

// addMasterSecret adds the secret of a store's master user, which AWS creates if managed is true.
func addMasterSecret(b billing, managed value.Bool) {
	switch m := readBool(managed); {
	case !m.ok():
		b.addUndecided("secretsmanager:secret", "manageMasterUserPassword", m.problem)
	case m.value:
		b.addFixed("secretsmanager:secret", 1)
	}
}

// addDatabase adds the hours of a database's instance, and its storage. The price of Multi-AZ
// includes the standby in another zone.
func addDatabase(b billing, v awsview.RdsInstance) {
	addMasterSecret(b, v.ManageMasterUserPassword())
	engine, class, multiAZ := readString(v.Engine()), readString(v.InstanceClass()), readBool(v.MultiAz())
	deploymentOption := "single-az"
	if multiAZ.value {
		deploymentOption = "multi-az"
	}
	switch {
	case !engine.ok():
		b.addUndecided("", "engine", engine.problem)
	case !class.ok():
		b.addUndecided("rds:"+engine.value, "instanceClass", class.problem)
	case !multiAZ.ok():
		b.addUndecided("rds:"+engine.value+":"+class.value, "multiAz", multiAZ.problem)
	default:
		b.addHourly("rds:"+engine.value+":"+deploymentOption+":"+class.value, 1)
	}
	addDatabaseStorage(b, v, multiAZ, deploymentOption)
	switch days := readIntegerOr(v.PerformanceInsightsRetentionPeriod(), includedDays); {
	case !mayBeTrue(v.PerformanceInsightsEnabled().IsTrue()): // no charge
	case !days.ok():
		b.addUndecided("rds:performance-insights", "performanceInsightsRetentionPeriod", days.problem)
	case days.value > includedDays:
		b.addUnpriced("rds:performance-insights", noRow)
	}
}

// addDatabaseStorage adds the storage of a database. deploymentOption is single-az or multi-az. The
// price table has no row for IOPS or throughput above those that the volume includes.
func addDatabaseStorage(b billing, v awsview.RdsInstance, multiAZ reading[bool], deploymentOption string) {
	kind, gib := readStringOr(v.StorageType(), "gp2"), readInteger(v.AllocatedStorage())
	switch {
	case !kind.ok():
		b.addUndecided("", "storageType", kind.problem)
	case !gib.ok():
		b.addUndecided("rds:storage", "allocatedStorage", gib.problem)
	case !multiAZ.ok():
		b.addUndecided("rds:storage", "multiAz", multiAZ.problem)
	default:
		b.addFixed("rds:storage:"+deploymentOption+":"+kind.value, gib.value)
	}
	if mayBeTrue(v.Iops().IsSet()) {
		b.addUnpriced("rds:iops", noRow)
	}
	if mayBeTrue(v.StorageThroughput().IsSet()) {
		b.addUnpriced("rds:throughput", noRow)
	}
}

// addDocumentCluster adds the master user's secret of a DocumentDB cluster. The cluster's instances
// are resources of their own, and its storage is usage.
func addDocumentCluster(b billing, v awsview.DocdbCluster) {
	addMasterSecret(b, v.ManageMasterUserPassword())
}

// addDocumentInstance adds the hours of an instance of DocumentDB.
func addDocumentInstance(b billing, v awsview.DocdbClusterInstance) {
	if class := readString(v.InstanceClass()); class.ok() {
		b.addHourly("docdb:"+class.value, 1)
	} else {
		b.addUndecided("", "instanceClass", class.problem)
	}
}

// addReplicationGroup adds the hours of each node of the group. It adds a gap if the number or the
// type of the nodes is unknown.
func addReplicationGroup(b billing, v awsview.ElasticacheReplicationGroup) {
	engine, node := readStringOr(v.Engine(), "redis"), readString(v.NodeType())
	sku := "elasticache:" + engine.value + ":" + node.value
	switch {
	case !engine.ok():
		b.addUndecided("", "engine", engine.problem)
		return
	case !node.ok():
		b.addUndecided("elasticache:"+engine.value, "nodeType", node.problem)
		return
	}
	if mayBeTrue(v.NumCacheClusters().IsSet()) { // cluster mode is off
		if nodes := readInteger(v.NumCacheClusters()); nodes.ok() {
			b.addHourly(sku, nodes.value)
		} else {
			b.addUndecided(sku, "numCacheClusters", nodes.problem)
		}
		return
	}
	shards, replicas := readIntegerOr(v.NumNodeGroups(), 1), readIntegerOr(v.ReplicasPerNodeGroup(), 0)
	switch {
	case !shards.ok():
		b.addUndecided(sku, "numNodeGroups", shards.problem)
	case !replicas.ok():
		b.addUndecided(sku, "replicasPerNodeGroup", replicas.problem)
	case shards.value*(1+replicas.value) > maxQuantity:
		b.addUndecided(sku, "numNodeGroups", "has too many nodes")
	default:
		b.addHourly(sku, shards.value*(1+replicas.value))
	}
}

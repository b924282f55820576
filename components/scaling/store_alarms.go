package scaling

import (
	"strings"
	"time"

	"github.com/progressive-framework/platform/components/size"
)

// The CloudWatch namespaces of the managed stores.
const (
	DatabaseScope Scope = "AWS/RDS"
	CacheScope    Scope = "AWS/ElastiCache"
	DocumentScope Scope = "AWS/DocDB"
)

const (
	// storagePercent is the free storage of RDS below which the alarm fires. RDS should
	// increase the storage by itself at 10 % (RDS User Guide, "Managing capacity
	// automatically with Amazon RDS storage autoscaling"). At 5 % that did not happen.
	storagePercent Percent = 5
	// memoryPercent is the free memory of a server below which the alarm fires. With less
	// memory the server begins to swap.
	memoryPercent Percent = 5
	// cachePercent is the used share of Redis' memory above which the alarm fires. The
	// rest is for replication buffers and snapshots (ElastiCache User Guide, "Which
	// metrics should I monitor?").
	cachePercent Percent = 80
	// cacheConnections is 80 % of the 65,000 connections of a node (ElastiCache User
	// Guide, "Quotas").
	cacheConnections = 52000
	// evictionLimit is the number of keys that a full node may evict in a minute: the
	// platform's choice.
	evictionLimit = 1000
	// replicaLag is the largest delay of a replica: the platform's choice. A failover loses
	// the writes of this time.
	replicaLag = 5 * time.Second
	// creditLimit is the number of CPU credits below which the alarm fires. 30 credits are
	// half an hour of one core at full speed. Without credits AWS slows a burstable server
	// down to its baseline.
	creditLimit = 30

	storePeriod      = time.Minute
	storeEvaluations = 10
)

// NodeAlarms are the alarms on metrics that each server of a store has.
type NodeAlarms []Alarm

// PostgresAlarms returns the alarms of an RDS instance. memory is the memory of its class,
// and connections is max_connections. There is no alarm for backups, because RDS has no
// metric for the age of a backup. There is no alarm for replication, because the standby
// in another zone has no lag.
func PostgresAlarms(class string, storage, memory size.Size, connections int) NodeAlarms {
	return append(NodeAlarms{
		storeAlarm("storage-low", DatabaseScope, "FreeStorageSpace", "Minimum", Below, percentOf(storagePercent, float64(storage.Bytes()))),
		storeAlarm("memory-low", DatabaseScope, "FreeableMemory", "Minimum", Below, percentOf(memoryPercent, float64(memory.Bytes()))),
		storeAlarm("connections-high", DatabaseScope, "DatabaseConnections", "Maximum", Above, percentOf(Targets().Database.ConnectionPool, float64(connections))),
	}, creditAlarms(class, DatabaseScope)...)
}

// RedisAlarms returns the alarms of a node of ElastiCache.
func RedisAlarms(class string) NodeAlarms {
	return append(NodeAlarms{
		storeAlarm("memory-high", CacheScope, "DatabaseMemoryUsagePercentage", "Maximum", Above, float64(cachePercent)),
		storeAlarm("evictions-high", CacheScope, "Evictions", "Sum", Above, evictionLimit),
		storeAlarm("connections-high", CacheScope, "CurrConnections", "Maximum", Above, cacheConnections),
		storeAlarm("replica-lag-high", CacheScope, "ReplicationLag", "Maximum", Above, replicaLag.Seconds()),
	}, creditAlarms(class, CacheScope)...)
}

// DocumentAlarms returns the alarms of an instance of DocumentDB.
func DocumentAlarms(class string) NodeAlarms {
	return append(NodeAlarms{
		storeAlarm("memory-low", DocumentScope, "FreeableMemory", "Minimum", Below, float64(documentMemory.Bytes())),
		storeAlarm("replica-lag-high", DocumentScope, "DBInstanceReplicaLag", "Maximum", Above, float64(replicaLag.Milliseconds())),
	}, creditAlarms(class, DocumentScope)...)
}

// documentMemory is 5 % of the 4 GiB of the smallest class of DocumentDB.
var documentMemory = size.MiB(205)

// creditAlarms returns the alarm for low CPU credits. Only burstable classes have credits,
// so it returns nil for other classes.
func creditAlarms(class string, scope Scope) NodeAlarms {
	if _, family, _ := strings.Cut(class, "."); !strings.HasPrefix(family, "t") {
		return nil
	}
	return NodeAlarms{storeAlarm("credits-low", scope, "CPUCreditBalance", "Minimum", Below, creditLimit)}
}

// storeAlarm returns an alarm with the period and the evaluations of all stores.
func storeAlarm(name string, scope Scope, metric, statistic string, comparison Comparison, threshold float64) Alarm {
	return Alarm{
		Name: name, Scope: scope, Metric: metric, Statistic: statistic, Comparison: comparison, Threshold: threshold,
		Period: storePeriod, Evaluations: storeEvaluations,
	}
}

// percentOf returns p percent of n.
func percentOf(p Percent, n float64) float64 { return n * float64(p) / 100 }

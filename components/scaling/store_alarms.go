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
	// storagePercent is half of the free storage at which RDS increases the storage by
	// itself (RDS User Guide, "Managing capacity automatically with Amazon RDS storage
	// autoscaling"): below it, that did not happen.
	storagePercent Percent = 5
	// memoryPercent is the free memory of a server below which it begins to swap.
	memoryPercent Percent = 5
	// cachePercent is the share of Redis' memory that is in use. The rest is for
	// replication buffers and snapshots (ElastiCache User Guide, "Which metrics should
	// I monitor?").
	cachePercent Percent = 80
	// cacheConnections is 80 % of the 65,000 connections of a node (ElastiCache User
	// Guide, "Quotas").
	cacheConnections = 52000
	// evictions are keys that a node evicts in a minute because it is full.
	evictions = 1000
	// replicaLag is how far a replica may be behind. After a failover, so much is lost.
	replicaLag = 5 * time.Second
	// credits are the CPU credits below which a burstable server is about to be slowed
	// down to its baseline: half an hour at full speed of one core.
	credits = 30

	storePeriod      = time.Minute
	storeEvaluations = 10
)

// NodeAlarms are the alarms of a store that each of its servers has.
type NodeAlarms []Alarm

// PostgresAlarms returns the alarms of an RDS instance: its class, its storage, the
// memory of the class, and max_connections. RDS has no metric for the age of a backup, and
// a standby of another zone has no lag.
func PostgresAlarms(class string, storage, memory size.Size, connections int) NodeAlarms {
	return append(NodeAlarms{
		storeAlarm("storage-low", DatabaseScope, "FreeStorageSpace", "Minimum", Below, share(storagePercent, float64(storage.Bytes()))),
		storeAlarm("memory-low", DatabaseScope, "FreeableMemory", "Minimum", Below, share(memoryPercent, float64(memory.Bytes()))),
		storeAlarm("connections-high", DatabaseScope, "DatabaseConnections", "Maximum", Above, share(Targets().Database.ConnectionPool, float64(connections))),
	}, creditAlarms(class, DatabaseScope)...)
}

// RedisAlarms returns the alarms of a node of ElastiCache.
func RedisAlarms(class string) NodeAlarms {
	return append(NodeAlarms{
		storeAlarm("memory-high", CacheScope, "DatabaseMemoryUsagePercentage", "Maximum", Above, float64(cachePercent)),
		storeAlarm("evictions-high", CacheScope, "Evictions", "Sum", Above, evictions),
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

// creditAlarms returns the alarm of a burstable class, which alone has credits.
func creditAlarms(class string, scope Scope) NodeAlarms {
	if _, family, _ := strings.Cut(class, "."); !strings.HasPrefix(family, "t") {
		return nil
	}
	return NodeAlarms{storeAlarm("credits-low", scope, "CPUCreditBalance", "Minimum", Below, credits)}
}

func storeAlarm(name string, scope Scope, metric, statistic string, comparison Comparison, threshold float64) Alarm {
	return Alarm{
		Name: name, Scope: scope, Metric: metric, Statistic: statistic, Comparison: comparison, Threshold: threshold,
		Period: storePeriod, Evaluations: storeEvaluations,
	}
}

// share returns p percent of n.
func share(p Percent, n float64) float64 { return n * float64(p) / 100 }

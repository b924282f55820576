package scaling

import (
	"strings"
	"time"

	"github.com/progressive-framework/platform/components/size"
)

// The CloudWatch namespaces of the managed stores.
const (
	DatabaseNamespace   MetricNamespace = "AWS/RDS"
	CacheNamespace      MetricNamespace = "AWS/ElastiCache"
	DocumentDBNamespace MetricNamespace = "AWS/DocDB"
)

const (
	// minFreeStorage is the free storage of RDS below which the alarm fires. RDS should
	// increase the storage by itself at 10 % (RDS User Guide, "Managing capacity
	// automatically with Amazon RDS storage autoscaling"). At 5 % that did not happen.
	minFreeStorage Percent = 5
	// minFreeMemory is the free memory of a server below which the alarm fires. With less
	// memory the server begins to swap.
	minFreeMemory Percent = 5
	// maxCacheMemory is the used share of Redis' memory above which the alarm fires. The
	// rest is for replication buffers and snapshots (ElastiCache User Guide, "Which
	// metrics should I monitor?").
	maxCacheMemory Percent = 80
	// maxCacheConnections is 80 % of the 65,000 connections of a node (ElastiCache User
	// Guide, "Quotas").
	maxCacheConnections = 52000
	// maxEvictions is the number of keys that a full node may evict in a minute: the
	// platform's choice.
	maxEvictions = 1000
	// maxReplicaLag is the largest delay of a replica: the platform's choice. A failover loses
	// the writes of this time.
	maxReplicaLag = 5 * time.Second
	// minCredits is the number of CPU credits below which the alarm fires. 30 credits are
	// half an hour of one core at full speed. Without credits AWS slows a burstable server
	// down to its baseline.
	minCredits = 30

	// MaxBackupAge is the age of the last backup of RDS after which an alarm fires, in whole hours. RDS
	// makes a backup each day, in a window of an hour. So it may be late by half a day: the platform's
	// choice.
	MaxBackupAge = 36 * time.Hour

	// An alarm fires after storeEvaluations periods of storePeriod: ten minutes, the platform's choice.
	storePeriod      = time.Minute
	storeEvaluations = 10
)

// NodeAlarms are the alarms on metrics that each server of a store has.
type NodeAlarms []Alarm

// PostgresAlarms returns the alarms of an RDS instance. storage is the size of its volume,
// memory is the memory of its class, and connections is max_connections. The alarm
// for backups reads an event and no metric of RDS, so it is in package postgres. There is no alarm
// for replication, because the standby in another zone has no lag.
func PostgresAlarms(class string, storage, memory size.Size, connections int) NodeAlarms {
	return append(NodeAlarms{
		storeAlarm("storage-low", DatabaseNamespace, "FreeStorageSpace", "Minimum", Below, scaleByPercent(minFreeStorage, float64(storage.Bytes()))),
		storeAlarm("memory-low", DatabaseNamespace, "FreeableMemory", "Minimum", Below, scaleByPercent(minFreeMemory, float64(memory.Bytes()))),
		storeAlarm("connections-high", DatabaseNamespace, "DatabaseConnections", "Maximum", Above, scaleByPercent(DesignThresholds().Database.ConnectionPool, float64(connections))),
	}, creditAlarms(class, DatabaseNamespace)...)
}

// RedisAlarms returns the alarms of a node of ElastiCache.
func RedisAlarms(class string) NodeAlarms {
	return append(NodeAlarms{
		storeAlarm("memory-high", CacheNamespace, "DatabaseMemoryUsagePercentage", "Maximum", Above, float64(maxCacheMemory)),
		storeAlarm("evictions-high", CacheNamespace, "Evictions", "Sum", Above, maxEvictions),
		storeAlarm("connections-high", CacheNamespace, "CurrConnections", "Maximum", Above, maxCacheConnections),
		storeAlarm("replica-lag-high", CacheNamespace, "ReplicationLag", "Maximum", Above, maxReplicaLag.Seconds()),
	}, creditAlarms(class, CacheNamespace)...)
}

// DocumentDBAlarms returns the alarms of an instance of DocumentDB.
func DocumentDBAlarms(class string) NodeAlarms {
	return append(NodeAlarms{
		storeAlarm("memory-low", DocumentDBNamespace, "FreeableMemory", "Minimum", Below, float64(minFreeDocumentDBMemory.Bytes())),
		storeAlarm("replica-lag-high", DocumentDBNamespace, "DBInstanceReplicaLag", "Maximum", Above, float64(maxReplicaLag.Milliseconds())),
	}, creditAlarms(class, DocumentDBNamespace)...)
}

// minFreeDocumentDBMemory is 5 % of the 4 GiB of the smallest class of DocumentDB.
var minFreeDocumentDBMemory = size.MiB(205)

// creditAlarms returns the alarm for low CPU credits. Only burstable classes have credits,
// so it returns nil for other classes.
func creditAlarms(class string, namespace MetricNamespace) NodeAlarms {
	if _, familyAndSize, _ := strings.Cut(class, "."); !strings.HasPrefix(familyAndSize, "t") {
		return nil
	}
	return NodeAlarms{storeAlarm("credits-low", namespace, "CPUCreditBalance", "Minimum", Below, minCredits)}
}

// storeAlarm returns an alarm with the period and the evaluations that all store alarms have.
func storeAlarm(name string, namespace MetricNamespace, metric, statistic string, comparison Comparison, threshold float64) Alarm {
	return Alarm{
		Name: name, Namespace: namespace, Metric: metric, Statistic: statistic, Comparison: comparison, Threshold: threshold,
		Period: storePeriod, Evaluations: storeEvaluations,
	}
}

// scaleByPercent returns p percent of n.
func scaleByPercent(p Percent, n float64) float64 { return n * float64(p) / 100 }

package node

import (
	"context"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// infoSeries are the series that come from the output of INFO. The design document's Redis
// monitor and dashboard need these fields. The series have the names of
// oliver006/redis_exporter (exporter/exporter.go, metricMapGauges and metricMapCounters),
// so that its dashboards and alerts work.
var infoSeries = []struct {
	field, name, help string
	kind              prometheus.ValueType
}{
	{"used_memory", "redis_memory_used_bytes", "Memory that Redis allocated.", prometheus.GaugeValue},
	{"used_memory_peak", "redis_memory_used_peak_bytes", "Largest memory that Redis allocated.", prometheus.GaugeValue},
	{"maxmemory", "redis_memory_max_bytes", "Memory above which Redis evicts keys.", prometheus.GaugeValue},
	{"mem_fragmentation_ratio", "redis_mem_fragmentation_ratio", "Resident memory divided by the allocated memory.", prometheus.GaugeValue},
	{"connected_clients", "redis_connected_clients", "Open connections of clients.", prometheus.GaugeValue},
	{"instantaneous_ops_per_sec", "redis_instantaneous_ops_per_sec", "Commands a second.", prometheus.GaugeValue},
	{"total_commands_processed", "redis_commands_processed_total", "Commands.", prometheus.CounterValue},
	{"total_connections_received", "redis_connections_received_total", "Connections that clients opened.", prometheus.CounterValue},
	{"keyspace_hits", "redis_keyspace_hits_total", "Reads that found their key.", prometheus.CounterValue},
	{"keyspace_misses", "redis_keyspace_misses_total", "Reads that found no key.", prometheus.CounterValue},
	{"evicted_keys", "redis_evicted_keys_total", "Keys that Redis evicted to free memory.", prometheus.CounterValue},
	{"rejected_connections", "redis_rejected_connections_total", "Connections above maxclients.", prometheus.CounterValue},
	{"connected_slaves", "redis_connected_slaves", "Replicas of the node.", prometheus.GaugeValue},
}

// clusterSeries are the series that come from the output of CLUSTER INFO.
var clusterSeries = []struct{ field, name, help string }{
	{"cluster_slots_ok", "redis_cluster_slots_ok", "Slots with a node that responds, as this node sees it."},
	{"cluster_known_nodes", "redis_cluster_known_nodes", "Nodes in the table of this node."},
	{"cluster_size", "redis_cluster_size", "Primaries with slots, as this node sees it."},
}

var (
	upDesc           = prometheus.NewDesc("redis_up", "1 if the node responds, else 0.", nil, nil)
	clusterStateDesc = prometheus.NewDesc("redis_cluster_state", "1 if the node serves its slots, else 0.", nil, nil)
	masterLinkDesc   = prometheus.NewDesc("redis_master_link_up", "1 if a replica is connected to its primary, else 0.", nil, nil)
	slowLengthDesc   = prometheus.NewDesc("redis_slowlog_length", "Entries of the slow log.", nil, nil)
	slowLastIDDesc   = prometheus.NewDesc("redis_slowlog_last_id", "Number of the last slow command since the node's start.", nil, nil)
	slowLastTimeDesc = prometheus.NewDesc("redis_last_slow_execution_duration_seconds", "Duration of the last slow command.", nil, nil)
)

// collector reads the node's state at each scrape.
type collector struct{ node *Node }

// Metrics serves the node's state for Prometheus.
func (n *Node) Metrics() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collector{n})
	// The timeout is longer than that of Collect, so that redis_up 0 is served for a node that hangs.
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: 2, Timeout: 5 * replyTimeout})
}

// Describe implements prometheus.Collector. It sends nothing, because the series depend on
// the version of Redis.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector. It leaves out the series that the node does not
// report. For a node that does not respond, it sends only redis_up 0.
func (c collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*replyTimeout) // for four commands
	defer cancel()
	local := c.node.connect(c.node.cfg.RedisAddress, MetricsUser)
	defer local.Close()
	sendMetric := func(desc *prometheus.Desc, kind prometheus.ValueType, value float64) {
		out <- prometheus.MustNewConstMetric(desc, kind, value)
	}
	info, err := local.Info(ctx).Result()
	if err != nil {
		sendMetric(upDesc, prometheus.GaugeValue, 0)
		return
	}
	sendMetric(upDesc, prometheus.GaugeValue, 1)
	for _, s := range infoSeries {
		if value, err := strconv.ParseFloat(fieldValue(info, s.field), 64); err == nil {
			sendMetric(prometheus.NewDesc(s.name, s.help, nil, nil), s.kind, value)
		}
	}
	// Only a replica has the field master_link_status.
	if link := fieldValue(info, "master_link_status"); link != "" {
		sendMetric(masterLinkDesc, prometheus.GaugeValue, boolToFloat(link == "up"))
	}
	if cluster, err := local.ClusterInfo(ctx).Result(); err == nil {
		sendMetric(clusterStateDesc, prometheus.GaugeValue, boolToFloat(fieldValue(cluster, "cluster_state") == "ok"))
		for _, s := range clusterSeries {
			if value, err := strconv.ParseFloat(fieldValue(cluster, s.field), 64); err == nil {
				sendMetric(prometheus.NewDesc(s.name, s.help, nil, nil), prometheus.GaugeValue, value)
			}
		}
	}
	length, err := local.Do(ctx, "SLOWLOG", "LEN").Int64()
	if err != nil {
		return
	}
	sendMetric(slowLengthDesc, prometheus.GaugeValue, float64(length))
	var lastID, seconds float64
	if last, err := local.SlowLogGet(ctx, 1).Result(); err == nil && len(last) > 0 {
		lastID, seconds = float64(last[0].ID), last[0].Duration.Seconds()
	}
	sendMetric(slowLastIDDesc, prometheus.GaugeValue, lastID)
	sendMetric(slowLastTimeDesc, prometheus.GaugeValue, seconds)
}

// boolToFloat returns 1 for true and 0 for false.
func boolToFloat(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

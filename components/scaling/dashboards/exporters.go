package dashboards

// Exporter is a source of series for Prometheus.
type Exporter int

// The exporters. The first five are in every stack with Prometheus.
const (
	// Services are the platform's services (agents/internal/telemetry and cache).
	Services Exporter = iota
	// Kubelets report the CPU and memory of containers.
	Kubelets
	// Rules are the recorded values and the alerts of package promrules.
	Rules
	// KEDA is the operator of KEDA.
	KEDA
	// Prometheus has series about its targets.
	Prometheus
	// State reports the state of Kubernetes objects under the names of
	// kube-state-metrics.
	State
	// PostgreSQL, Redis and MongoDB are the stores, through an exporter for each.
	PostgreSQL
	Redis
	MongoDB
	// Forecaster is the predictive scaler (agents/forecaster).
	Forecaster
)

// recommendationSeries is the series with the requests that a VPA recommends
// (components/statemetrics).
const recommendationSeries = "kube_verticalpodautoscaler_status_recommendation_containerrecommendations_target"

// isOptional reports whether a stack with Prometheus can lack the exporter.
func (e Exporter) isOptional() bool { return e >= State }

// Series returns the names of the series that panels may read, by exporter. For a
// histogram it has the names of the series, such as _bucket and _sum, not of the histogram.
func Series() map[Exporter][]string {
	return map[Exporter][]string{
		Services: {
			"http_requests_total", "http_request_duration_seconds_bucket", "http_request_duration_seconds_sum", "http_request_duration_seconds_count",
			"agent_coordination_requests_total", "agent_coordination_duration_seconds_bucket", "agent_coordination_duration_seconds_count",
			"agent_coordination_active_sessions", "nutrition_calculations_total", "workout_generations_total",
			"application_cache_hits_total", "application_cache_misses_total", "application_cache_errors_total",
			"process_open_fds", "process_max_fds",
		},
		Kubelets: {"container_cpu_usage_seconds_total", "container_memory_working_set_bytes"},
		Rules: {
			"http_requests_per_second", "http_request_duration_seconds", "agent_coordination_requests_per_second",
			"nutrition_calculations_per_minute", "workout_generations_per_minute", "ALERTS",
		},
		KEDA:       {"keda_scaler_detail_errors_total"},
		Prometheus: {"up", "prometheus_tsdb_head_series"},
		// kubernetes/kube-state-metrics, docs/metrics/workload.
		State: {
			"kube_deployment_status_replicas", "kube_deployment_status_replicas_ready",
			"kube_horizontalpodautoscaler_status_desired_replicas", "kube_pod_container_resource_requests", recommendationSeries,
		},
		// prometheus-community/postgres_exporter, README.md.
		PostgreSQL: {
			"pg_stat_database_tup_returned", "pg_stat_activity_count", "pg_settings_max_connections", "pg_database_size_bytes",
			"pg_stat_database_blk_read_time", "pg_stat_database_blk_write_time", "pg_stat_database_deadlocks",
		},
		// oliver006/redis_exporter, exporter/exporter.go.
		Redis:   {"redis_connected_clients", "redis_keyspace_hits_total", "redis_keyspace_misses_total", "redis_memory_used_bytes"},
		MongoDB: {"mongodb_opcounters_total"},
		Forecaster: {
			"forecast_load", "forecast_present_load", "forecast_published_pods", "gate_state", "gate_overload", "history_days", "candidate",
		},
	}
}

package rules

// Default values of parameters. If a parameter has its default value, AWS returns the
// applyMethod pending-reboot, and ignores the applyMethod of the program
// (pulumi/pulumi-aws#2442). Sources:
// AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Parameters.html and
// PostgreSQL.Concepts.General.SSL.html,
// documentdb/latest/developerguide/cluster_parameter_groups-list_of_parameters.html.
var (
	postgresDefaults = map[string]string{
		"checkpoint_completion_target": "0.9", "autovacuum_vacuum_scale_factor": "0.1", "autovacuum_analyze_scale_factor": "0.05",
		"rds.force_ssl": "1", "shared_preload_libraries": "pg_stat_statements", "rds.logical_replication": "0", "log_statement": "none",
	}
	docdbDefaults = map[string]string{
		"audit_logs": "disabled", "profiler": "disabled", "profiler_sampling_rate": "1.0", "profiler_threshold_ms": "100", "tls": "enabled",
		"ttl_monitor": "enabled", "change_stream_log_retention_duration": "10800",
	}
)

// fillApplyMethods returns a function for a row's Fill. The function sets the applyMethod
// that AWS returns for parameters with their default value.
func fillApplyMethods(defaults map[string]string) func(*Call) error {
	return func(c *Call) error {
		for _, p := range c.Out.Objects("parameters") {
			if value, ok := defaults[p.String("name")]; ok && p.String("value") == value {
				p["applyMethod"] = "pending-reboot"
			}
		}
		return nil
	}
}

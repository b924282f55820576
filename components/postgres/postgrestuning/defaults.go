package postgrestuning

// familyDefaults are the default values in the family postgres17 of those parameters that the
// model sets. Parameters are missing here if their default is a formula, or if RDS leaves it to
// the engine. Source: RDS User Guide, "Working with parameters on your RDS for PostgreSQL DB
// instance" and "Parameters that control autovacuum".
var familyDefaults = map[string]string{
	"checkpoint_completion_target":    "0.9",
	"autovacuum_vacuum_scale_factor":  "0.1",
	"autovacuum_analyze_scale_factor": "0.05",
	"rds.force_ssl":                   "1",
	"shared_preload_libraries":        "pg_stat_statements",
}

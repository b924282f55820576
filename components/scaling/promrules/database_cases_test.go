package promrules

// databaseCases returns the cases of the alerts about PostgreSQL.
func databaseCases() []alertCase {
	seriesList := func(series ...map[string]any) []map[string]any { return series }
	postgresLabels := func(threshold ...string) map[string]string { return labelsFor("postgres", threshold...) }
	const poolThreshold, diskThreshold = "database_tier.connection_pool_utilization", "database_tier.disk_io_threshold"
	const readTime, writeTime = `pg_stat_database_blk_read_time{datname="a"}`, `pg_stat_database_blk_write_time{datname="a"}`
	const activeConnections, idleConnections = `pg_stat_activity_count{datname="a",state="active",usename="web_a"}`, `pg_stat_activity_count{datname="a",state="idle",usename="npa_a"}`
	return []alertCase{
		{"the server is down", "DatabaseDown", postgresLabels(), seriesList(constantSeries(`pg_up{job="postgres-exporter"}`, 0)), "may be down", ""},
		{"the exporter is down", "DatabaseDown", postgresLabels(), nil, "may be down", ""},
		{"the server responds", "DatabaseDown", postgresLabels(), seriesList(constantSeries(`pg_up{job="postgres-exporter"}`, 1)), "", ""},
		{"174 of 200 connections", "DatabaseConnectionsHigh", postgresLabels(poolThreshold), seriesList(constantSeries(activeConnections, 100), constantSeries(idleConnections, 74), constantSeries("pg_settings_max_connections", 200)), "max_connections are open", ""},
		{"168 of 200 connections", "DatabaseConnectionsHigh", postgresLabels(poolThreshold), seriesList(constantSeries(activeConnections, 100), constantSeries(idleConnections, 68), constantSeries("pg_settings_max_connections", 200)), "", ""},
		{"connections wait for 82 % of the time: 8,000 + 4,300 of 15,000 ms", "DatabaseDiskBusy", postgresLabels(diskThreshold), seriesList(counterSeries(readTime, 8000), counterSeries(writeTime, 4300)), "wait for the disk", ""}, // ms in 15 s
		{"connections wait for 78 % of the time: 8,000 + 3,700 of 15,000 ms", "DatabaseDiskBusy", postgresLabels(diskThreshold), seriesList(counterSeries(readTime, 8000), counterSeries(writeTime, 3700)), "", ""},
		{"a deadlock each 15 s", "DatabaseDeadlocks", postgresLabels(), seriesList(newSeries(`pg_stat_database_deadlocks{datname="a"}`, "0+0x60 1+1x60")), "rolled back by a deadlock", ""},
		{"one deadlock", "DatabaseDeadlocks", postgresLabels(), seriesList(newSeries(`pg_stat_database_deadlocks{datname="a"}`, "0x60 1x60")), "", ""},
	}
}

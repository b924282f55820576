package promrules

import (
	"fmt"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
)

// DatabaseJob is the value of the label job of the exporter of PostgreSQL's metrics.
const DatabaseJob = "postgres-exporter"

// DiskBusy is the expression for the mean number of connections that wait for the disk, over 5
// minutes. A disk that serves one request at a time is busy for the same share of the time. A disk
// that serves several requests at a time is less busy. So the share of time in which the disk is
// busy is never higher than this value.
const DiskBusy = `(sum(rate(pg_stat_database_blk_read_time[5m]) + rate(pg_stat_database_blk_write_time[5m])) / 1000)`

// databaseAlerts returns the alerts about the PostgreSQL server as a whole.
func databaseAlerts(in Input, t scaling.Thresholds) []alert {
	if !in.PGExporter {
		return nil
	}
	const service = "postgres"
	return []alert{{
		name: "DatabaseDown", severity: Page, service: service,
		value: fmt.Sprintf("(max(pg_up{job=%q}) or vector(0))", DatabaseJob), compare: "<", limit: 1, forDuration: 2 * time.Minute,
		summary: "the exporter can't read the server's statistics, so the server may be down",
	}, {
		name: "DatabaseConnectionsHigh", severity: Ticket, service: service, threshold: "database_tier.connection_pool_utilization",
		value: "(sum(pg_stat_activity_count) / max(pg_settings_max_connections))", compare: ">", limit: toRatio(t.Database.ConnectionPool), forDuration: 5 * time.Minute,
		summary: fmt.Sprintf("more than %s of max_connections are open", t.Database.ConnectionPool),
	}, {
		name: "DatabaseDiskBusy", severity: Ticket, service: service, threshold: "database_tier.disk_io_threshold",
		value: DiskBusy, compare: ">", limit: toRatio(t.Database.DiskIO), forDuration: sustained,
		summary: fmt.Sprintf("connections wait for the disk for more than %s of the time", t.Database.DiskIO),
	}, {
		name: "DatabaseDeadlocks", severity: Ticket, service: service,
		value: "sum(increase(pg_stat_database_deadlocks[15m]))", compare: ">", limit: scaling.MaxDeadlocks,
		summary: fmt.Sprintf("more than %d transactions in 15 minutes were rolled back by a deadlock", scaling.MaxDeadlocks),
	}}
}

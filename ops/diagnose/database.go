package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/progressive-framework/platform/components/scaling"
)

const (
	// A table lacks an index if the window has at least minScans scans of the whole table, and these
	// scans read on average at least minScanRows rows. From 10,000 rows on, an index is much faster.
	minScans, minScanRows = 100, 10_000
	// minBytes is the smallest table or index, in bytes, that is worth a finding.
	minBytes = 64 << 20
	// minStatisticsAge is how old the statistics must be before an index without a scan counts as
	// unused. A weekly job may need the index.
	minStatisticsAge = 14 * 24 * time.Hour
	// maxDead is the highest share, in percent, of dead rows. Autovacuum starts at 20 %
	// (autovacuum_vacuum_scale_factor). At 40 % it is too slow.
	maxDead = 40
	// maxLockWait is the longest time that a session may wait for a lock.
	maxLockWait = time.Second
	// maxIdleTransaction is the longest time that a transaction may be open without a running
	// statement.
	maxIdleTransaction = time.Minute
	// minCalls is the fewest calls for which a statement is judged. A slow report that a person runs
	// once is not a finding.
	minCalls = 5
)

// The database and the master user of PostgreSQL (components/datastore/storespec).
const databaseName, databaseOwner = "progressive_framework_v5", "platform"

// psqlCommand returns the command that runs a statement as the owner of the database. For
// PostgreSQL in the cluster, the command runs in the pod of PostgreSQL. For RDS, a person runs it
// in the pod of docs/runbooks/restore.md, which can reach RDS.
func (o objects) psqlCommand(statement string) string {
	quoted := "'" + strings.ReplaceAll(statement, "'", `'\''`) + "'"
	if slices.ContainsFunc(o.pods, func(p corev1.Pod) bool { return p.Labels["app"] == postgresApp }) {
		return o.kubectlCommand(`exec ` + postgresApp + `-0 -- sh -c 'psql -h "$SOCKETS" -U "$OWNER" -d "$DATABASE" -xc "$1"' sh ` + quoted)
	}
	return fmt.Sprintf(`psql "host=%s dbname=%s user=%s sslmode=verify-full sslrootcert=/tmp/ca.pem" -W -xc %s`, o.databaseHost, databaseName, databaseOwner, quoted)
}

// postgresFindings judges the metrics of PostgreSQL's exporter. RDS and a server in the cluster
// have the same metrics.
func postgresFindings(o objects, m metrics) (findings []Finding, figures []Figure) {
	for _, p := range m.podsOfApp(exporterApp) {
		next := o.kubectlCommand("logs --since=10m " + p.pod)
		if up, exists := p.value("pg_up"); !exists || up == 0 {
			findings = append(findings, Finding{
				Name: "database-down", Where: "postgres", Evidence: "pod/" + p.pod + " can't read the server's statistics", Cause: "the server is down, or refuses the role exporter",
				Fix: "docs/runbooks/alerts.md#databasedown", Next: next,
			})
			continue
		}
		found, measured := connectionFindings(p, next)
		findings, figures = append(findings, found...), append(figures, measured...)
		found, measured = o.statementFindings(p)
		findings, figures = append(findings, found...), append(figures, measured...)
		findings = append(findings, o.tableFindings(p)...)
		findings = append(findings, o.lockFindings(p)...)
	}
	for i := range findings {
		findings[i].Check = Database
	}
	return findings, figures
}

// connectionFindings judges the number of connections and of deadlocks.
func connectionFindings(p podMetrics, next string) (findings []Finding, figures []Figure) {
	open := p.sum("pg_stat_activity_count", nil)
	maxConnections, _ := p.value("pg_settings_max_connections")
	users := p.sumBy("pg_stat_activity_count", "usename")
	figures = append(figures, Figure{Database, "connections to PostgreSQL", fmt.Sprintf("%.0f of %.0f: %s", open, maxConnections, formatLargest(users, 6))})
	if 100*open > float64(poolLimit())*maxConnections {
		findings = append(findings, Finding{
			Name: "connections-near-limit", Where: "postgres", Evidence: fmt.Sprintf("%.0f of %.0f connections are open: %s", open, maxConnections, formatLargest(users, 4)), Threshold: poolLimit().String() + " of max_connections",
			Cause: "other clients than the services use connections; the services' pools leave a reserve", Fix: "end the sessions of other clients; docs/runbooks/alerts.md#databaseconnectionshigh", Next: next,
		})
	}
	if n := p.sum("pg_stat_database_deadlocks", nil); p.recent && n > scaling.MaxDeadlocks {
		findings = append(findings, Finding{
			Name: "database-deadlocks", Where: "postgres", Evidence: fmt.Sprintf("%.0f transactions %s were rolled back by a deadlock", n, p.period()), Threshold: fmt.Sprint(scaling.MaxDeadlocks),
			Cause: "transactions lock the same rows in different orders", Fix: "docs/runbooks/alerts.md#databasedeadlocks", Next: next,
		})
	}
	return findings, figures
}

// statementFindings judges the mean duration of each statement, as the design document's view
// v_slow_queries does.
func (o objects) statementFindings(p podMetrics) (findings []Finding, figures []Figure) {
	limit := scaling.DesignThresholds().Database.QueryTime
	for _, s := range p.samples {
		if s.name != "pg_stat_statements_calls_total" || s.value < minCalls {
			continue
		}
		seconds := p.sum("pg_stat_statements_seconds_total", func(l map[string]string) bool { return l["queryid"] == s.labels["queryid"] })
		mean := seconds / s.value
		if mean <= limit.Seconds() {
			continue
		}
		evidence := fmt.Sprintf("a mean of %s over %.0f calls %s: %.120s", formatMilliseconds(mean), s.value, p.period(), s.labels["query"])
		figures = append(figures, Figure{Database, "slow statement " + s.labels["queryid"], evidence})
		findings = append(findings, Finding{
			Name: "slow-query", Where: "postgres statement " + s.labels["queryid"], Evidence: evidence, Threshold: limit.String(),
			Cause: "an index is missing, the statement reads too much, or it waits for a lock or the disk", Fix: "see index-missing and lock-held; docs/runbooks/alerts.md#queriesslow",
			Next: o.psqlCommand("SELECT calls, mean_exec_time, rows, shared_blks_read, query FROM pg_stat_statements WHERE queryid = " + s.labels["queryid"]),
		})
	}
	return findings, figures
}

// tableFindings judges tables and indexes: missing and unused indexes, and dead rows.
func (o objects) tableFindings(p podMetrics) (findings []Finding) {
	resetTime, _ := p.value("pg_stat_database_stats_reset")
	age := o.now.Sub(time.Unix(int64(resetTime), 0))
	for _, s := range p.samples {
		table := s.labels["schemaname"] + "." + s.labels["relname"]
		tableSum := func(name string) float64 {
			return p.sum(name, func(l map[string]string) bool {
				return l["schemaname"] == s.labels["schemaname"] && l["relname"] == s.labels["relname"]
			})
		}
		switch s.name {
		case "pg_stat_user_tables_seq_scan":
			if rowsRead := tableSum("pg_stat_user_tables_seq_tup_read"); p.recent && s.value >= minScans && rowsRead/s.value >= minScanRows {
				findings = append(findings, Finding{
					Name: "index-missing", Where: "postgres table " + table, Evidence: fmt.Sprintf("%.0f scans of the whole table %s, of %.0f rows each; %.0f scans of an index", s.value, p.period(), rowsRead/s.value, tableSum("pg_stat_user_tables_idx_scan")),
					Threshold: fmt.Sprintf("%d scans of %d rows", minScans, minScanRows), Cause: "no index has the columns of a frequent statement",
					Fix:  "find the statement in slow-query, and add an index in agents/migrate/pgschema/migrations",
					Next: o.psqlCommand("SELECT calls, mean_exec_time, query FROM pg_stat_statements WHERE query LIKE $$%" + s.labels["relname"] + "%$$ ORDER BY total_exec_time DESC LIMIT 5"),
				})
			}
		case "pg_stat_user_tables_n_dead_tup":
			live, size := tableSum("pg_stat_user_tables_n_live_tup"), tableSum("pg_stat_user_tables_table_size_bytes")
			if share := 100 * s.value / (live + s.value); size >= minBytes && share > maxDead {
				findings = append(findings, Finding{
					Name: "table-bloated", Where: "postgres table " + table, Evidence: fmt.Sprintf("%.0f %% of its rows are dead, in %.0f MiB", share, size/(1<<20)), Threshold: fmt.Sprintf("%d %%", maxDead),
					Cause: "autovacuum is too slow, or an old transaction prevents it from removing the rows", Fix: "see transaction-idle; then run VACUUM (VERBOSE) " + table + " as the owner",
					Next: o.psqlCommand("SELECT n_live_tup, n_dead_tup, last_autovacuum, autovacuum_count FROM pg_stat_user_tables WHERE relid = $$" + table + "$$::regclass"),
				})
			}
		case "pg_stat_user_indexes_idx_scan":
			size := p.sum("pg_stat_user_indexes_size_bytes", func(l map[string]string) bool { return l["indexrelname"] == s.labels["indexrelname"] })
			if s.value == 0 && size >= minBytes && age > minStatisticsAge {
				findings = append(findings, o.unusedIndexFinding(s, size, age))
			}
		}
	}
	return findings
}

// unusedIndexFinding returns the finding for an index without a scan. age is the age of the
// statistics.
func (o objects) unusedIndexFinding(s sample, size float64, age time.Duration) Finding {
	return Finding{
		Name: "index-unused", Where: "postgres index " + s.labels["indexrelname"], Evidence: fmt.Sprintf("no scan in %.0f days, and %.0f MiB", age.Hours()/24, size/(1<<20)),
		Threshold: fmt.Sprintf("a scan in %.0f days", minStatisticsAge.Hours()/24), Cause: "no statement needs the index, and each write has to update it",
		Fix:  "check the statistics of the replicas, then drop the index in a migration",
		Next: o.psqlCommand("SELECT idx_scan, pg_get_indexdef(indexrelid) FROM pg_stat_user_indexes WHERE indexrelname = $$" + s.labels["indexrelname"] + "$$"),
	}
}

// lockFindings judges the sessions that block other sessions, and transactions that stay open.
func (o objects) lockFindings(p podMetrics) (findings []Finding) {
	for _, s := range p.samples {
		switch s.name {
		case "pg_blocking_sessions_wait_seconds":
			if s.value < maxLockWait.Seconds() {
				continue
			}
			isSession := func(l map[string]string) bool { return l["pid"] == s.labels["pid"] }
			findings = append(findings, Finding{
				Name: "lock-held", Where: "postgres session " + s.labels["pid"], Threshold: maxLockWait.String(),
				Evidence: fmt.Sprintf("%s (%s) has a transaction that is %s old, and blocks %.0f sessions, one for %s", s.labels["usename"], s.labels["state"], formatSeconds(p.sum("pg_blocking_sessions_transaction_seconds", isSession)), p.sum("pg_blocking_sessions_waiting", isSession), formatSeconds(s.value)),
				Cause:    "a transaction holds a lock and does not end: a migration, a session of a person, or a program that hangs",
				Fix:      "end the session: SELECT pg_terminate_backend(" + s.labels["pid"] + ")", Next: o.kubectlCommand("logs --since=10m " + p.pod),
			})
		case "pg_stat_activity_max_tx_duration":
			if s.labels["state"] == "idle in transaction" && s.value > maxIdleTransaction.Seconds() {
				findings = append(findings, Finding{
					Name: "transaction-idle", Where: "postgres role " + s.labels["usename"], Evidence: "a transaction is open for " + formatSeconds(s.value) + " and does nothing", Threshold: maxIdleTransaction.String(),
					Cause: "a person's session, or a program that forgot its transaction; vacuum can't remove rows that died since its start", Fix: "end the session with pg_terminate_backend", Next: o.kubectlCommand("logs --since=10m " + p.pod),
				})
			}
		}
	}
	return findings
}

// formatLargest returns the largest values with their names as text, at most limit.
func formatLargest(values map[string]float64, limit int) string {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(values[b], values[a]), cmp.Compare(a, b))
	})
	text := ""
	for _, name := range names[:min(limit, len(names))] {
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%s %.0f", name, values[name])
	}
	return text
}

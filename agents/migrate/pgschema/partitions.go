package pgschema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

// logTable is the design document's partitioned table.
const logTable = "agent_logs_master"

// Partitions defines which monthly partitions of the agents' log must exist.
type Partitions struct {
	// Ahead is the number of future months that have a partition, 1 to 24. PostgreSQL
	// rejects a row without a partition for its month. So migrate must run at least
	// once in this time.
	Ahead int
	// Keep is the number of past months with partitions that are kept, 1 to 120.
	Keep int
	// Now is the current time. Tests set it.
	Now time.Time
}

// validate returns all values that are out of range.
func (p Partitions) validate() error {
	var errs []error
	if p.Ahead < 1 || p.Ahead > 24 {
		errs = append(errs, fmt.Errorf("partitions ahead are %d months, must be 1 to 24", p.Ahead))
	}
	if p.Keep < 1 || p.Keep > 120 {
		errs = append(errs, fmt.Errorf("partitions kept are %d months, must be 1 to 120", p.Keep))
	}
	if p.Now.IsZero() {
		errs = append(errs, errors.New("the current time is not set"))
	}
	return errors.Join(errs...)
}

// month returns the first day of a month. Offset 0 is the current month, 1 the next
// month, and -1 the last month.
func (p Partitions) month(offset int) time.Time {
	now := p.Now.UTC()
	return time.Date(now.Year(), now.Month()+time.Month(offset), 1, 0, 0, 0, 0, time.UTC)
}

// apply creates the partitions of the current month and of the months ahead, and drops
// expired ones. It holds a session lock, so a concurrent run waits.
func (p Partitions) apply(ctx context.Context, db *sql.DB, log *slog.Logger) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(hashtext($1))", logTable); err != nil {
		return fmt.Errorf("lock the partitions of %s; another run may hold the lock, so run again: %w", logTable, err)
	}
	defer func() {
		_, unlockErr := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(hashtext($1))", logTable)
		err = errors.Join(err, unlockErr)
	}()
	for offset := 0; offset <= p.Ahead; offset++ {
		month := p.month(offset)
		if _, err := conn.ExecContext(ctx, "SELECT create_monthly_partition($1, $2)", logTable, month); err != nil {
			return fmt.Errorf("create the partition of %s: %w", month.Format("2006-01"), err)
		}
	}
	return p.dropExpired(ctx, conn, log)
}

// expiredQuery finds the partitions of months before $2. It also finds tables that
// an interrupted run has detached, partly or completely, but not dropped. The names
// sort like their months.
const expiredQuery = `
SELECT c.relname, i.inhrelid IS NOT NULL AS attached, coalesce(i.inhdetachpending, false) AS pending
FROM pg_class c
LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE c.relkind = 'r'
  AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = $1::text::regclass)
  AND c.relname ~ ('^' || $1::text || '_[0-9]{4}_[0-9]{2}$')
  AND c.relname < $1::text || to_char($2::date, '_YYYY_MM')
ORDER BY c.relname`

// partition is an expired partition.
type partition struct {
	name     string
	attached bool // it is still a partition of agent_logs_master
	pending  bool // an interrupted run has begun to detach it
}

// listExpired returns the expired partitions, oldest first.
func (p Partitions) listExpired(ctx context.Context, conn *sql.Conn) (expired []partition, err error) {
	rows, err := conn.QueryContext(ctx, expiredQuery, logTable, p.month(-p.Keep))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var found partition
		if err := rows.Scan(&found.name, &found.attached, &found.pending); err != nil {
			return nil, err
		}
		expired = append(expired, found)
	}
	return expired, rows.Err()
}

// dropExpired detaches expired partitions from the log and drops them.
func (p Partitions) dropExpired(ctx context.Context, conn *sql.Conn, log *slog.Logger) error {
	expired, err := p.listExpired(ctx, conn)
	if err != nil {
		return fmt.Errorf("list the partitions of %s: %w", logTable, err)
	}
	for _, partition := range expired {
		table := pgx.Identifier{partition.name}.Sanitize()
		// DROP of an attached partition would lock the whole log. A concurrent detach does not.
		var statements []string
		switch {
		case partition.pending:
			statements = append(statements, "ALTER TABLE "+logTable+" DETACH PARTITION "+table+" FINALIZE")
		case partition.attached:
			statements = append(statements, "ALTER TABLE "+logTable+" DETACH PARTITION "+table+" CONCURRENTLY")
		}
		statements = append(statements, "DROP TABLE "+table)
		for _, statement := range statements {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("drop the expired partition %s: %w", partition.name, err)
			}
		}
		log.InfoContext(ctx, "dropped expired partition", "partition", partition.name)
	}
	return nil
}

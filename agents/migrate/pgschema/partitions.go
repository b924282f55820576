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

// logTable is the seed's partitioned table.
const logTable = "agent_logs_master"

// Partitions says which months of the agents' log there are.
type Partitions struct {
	// Ahead is how many months after the present one are made, 1 to 24. A row
	// of a month without partition is refused by PostgreSQL, so a job must run
	// more often than this.
	Ahead int
	// Keep is how many months before the present one are kept, 1 to 120.
	Keep int
	// Now is the present; tests choose it.
	Now time.Time
}

func (p Partitions) validate() error {
	var errs []error
	if p.Ahead < 1 || p.Ahead > 24 {
		errs = append(errs, fmt.Errorf("partitions ahead are %d months, must be 1 to 24", p.Ahead))
	}
	if p.Keep < 1 || p.Keep > 120 {
		errs = append(errs, fmt.Errorf("partitions kept are %d months, must be 1 to 120", p.Keep))
	}
	if p.Now.IsZero() {
		errs = append(errs, errors.New("the present is not set"))
	}
	return errors.Join(errs...)
}

func (p Partitions) month(offset int) time.Time {
	now := p.Now.UTC()
	return time.Date(now.Year(), now.Month()+time.Month(offset), 1, 0, 0, 0, 0, time.UTC)
}

// keep makes the months ahead and drops those that are too old. Two runs at
// once are kept apart by a lock of the session's.
func (p Partitions) keep(ctx context.Context, db *sql.DB, log *slog.Logger) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(hashtext($1))", logTable); err != nil {
		return fmt.Errorf("another run keeps the partitions of %s; run again: %w", logTable, err)
	}
	defer func() {
		_, unlock := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(hashtext($1))", logTable)
		err = errors.Join(err, unlock)
	}()
	for month := 0; month <= p.Ahead; month++ {
		if _, err := conn.ExecContext(ctx, "SELECT create_monthly_partition($1, $2)", logTable, p.month(month)); err != nil {
			return fmt.Errorf("make the partition of %s: %w", p.month(month).Format("2006-01"), err)
		}
	}
	return p.drop(ctx, conn, log)
}

// old finds every table that was made as a partition of a month before $2,
// also one that an interrupted run has detached, half or whole, and not
// dropped. Names of months sort as their months do.
const old = `
SELECT c.relname, i.inhrelid IS NOT NULL AS attached, coalesce(i.inhdetachpending, false) AS pending
FROM pg_class c
LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE c.relkind = 'r'
  AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = $1::text::regclass)
  AND c.relname ~ ('^' || $1::text || '_[0-9]{4}_[0-9]{2}$')
  AND c.relname < $1::text || to_char($2::date, '_YYYY_MM')
ORDER BY c.relname`

type partition struct {
	name              string
	attached, pending bool
}

func (p Partitions) expired(ctx context.Context, conn *sql.Conn) (expired []partition, err error) {
	rows, err := conn.QueryContext(ctx, old, logTable, p.month(-p.Keep))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var one partition
		if err := rows.Scan(&one.name, &one.attached, &one.pending); err != nil {
			return nil, err
		}
		expired = append(expired, one)
	}
	return expired, rows.Err()
}

func (p Partitions) drop(ctx context.Context, conn *sql.Conn, log *slog.Logger) error {
	expired, err := p.expired(ctx, conn)
	if err != nil {
		return fmt.Errorf("list the partitions of %s: %w", logTable, err)
	}
	for _, partition := range expired {
		table := pgx.Identifier{partition.name}.Sanitize()
		// A plain drop would lock the whole log; detaching first does not.
		steps := []string{"DROP TABLE " + table}
		if partition.pending {
			steps = append([]string{"ALTER TABLE " + logTable + " DETACH PARTITION " + table + " FINALIZE"}, steps...)
		} else if partition.attached {
			steps = append([]string{"ALTER TABLE " + logTable + " DETACH PARTITION " + table + " CONCURRENTLY"}, steps...)
		}
		for _, step := range steps {
			if _, err := conn.ExecContext(ctx, step); err != nil {
				return fmt.Errorf("drop the old partition %s: %w", partition.name, err)
			}
		}
		log.InfoContext(ctx, "dropped an old partition", "partition", partition.name)
	}
	return nil
}

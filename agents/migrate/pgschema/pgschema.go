// Package pgschema brings a PostgreSQL database to the platform's schema: the
// tables, the seed's indexes and views as docs/divergences.md mends them, and
// the monthly partitions of the agents' log. It owns the schema's history and
// nothing of its content; queries are the store's.
//
// Every step is safe beside running services: locks that would block them are
// given up after LockTimeout, indexes are built concurrently, and of two runs
// at once the second waits for the first and finds nothing to do. A step that
// failed is run again by the next run.
package pgschema

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// LockTimeout is how long a step waits for a lock that blocks others behind
// it, unless the URL sets lock_timeout: services must not queue behind a
// migration that queues behind a report.
const LockTimeout = 5 * time.Second

//go:embed migrations/*.sql
var embedded embed.FS

// Up applies every step that the database lacks, then keeps the partitions.
// The connection needs the rights to create in its schema.
func Up(ctx context.Context, cfg *pgx.ConnConfig, policy Partitions, log *slog.Logger) error {
	steps, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return err
	}
	return up(ctx, cfg, steps, policy, log)
}

func up(ctx context.Context, cfg *pgx.ConnConfig, steps fs.FS, policy Partitions, log *slog.Logger) (err error) {
	if err := policy.validate(); err != nil {
		return err
	}
	cfg = cfg.Copy()
	if _, set := cfg.RuntimeParams["lock_timeout"]; !set {
		cfg.RuntimeParams["lock_timeout"] = fmt.Sprint(LockTimeout.Milliseconds())
	}
	cfg.RuntimeParams["application_name"] = "migrate"
	db := stdlib.OpenDB(*cfg)
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := migrate(ctx, db, steps, log); err != nil {
		return err
	}
	return policy.keep(ctx, db, log)
}

func migrate(ctx context.Context, db *sql.DB, steps fs.FS, log *slog.Logger) error {
	// Asked for every second, for as long as a large index may take.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 1800))
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, steps, goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	results, err := provider.Up(ctx)
	for _, result := range results {
		log.InfoContext(ctx, "migrated", "step", result.Source.Path, "duration", result.Duration.String())
	}
	if err != nil {
		return fmt.Errorf("migrate PostgreSQL (what was done is kept; mend the cause and run again): %w", err)
	}
	return nil
}

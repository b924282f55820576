// Package pgschema migrates a PostgreSQL database to the platform's schema: tables,
// indexes, views, and the monthly partitions of the agents' log. docs/divergences.md
// lists where the schema differs from the design document. This package owns the schema
// and its history. Package database has the queries.
//
// Each step is safe while services run: it waits for a lock at most LockTimeout, and it
// builds indexes concurrently. If two runs overlap, the second one waits for the first
// and then has nothing to do. After a failed step, the next run repeats that step.
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

// LockTimeout bounds the wait for a lock, unless the URL sets lock_timeout. While a
// migration waits for the end of a long query, it blocks all later queries of the table.
const LockTimeout = 5 * time.Second

//go:embed migrations/*.sql
var embedded embed.FS

// Up applies every missing step, then updates the partitions. The connection
// needs the permission to create objects in its schema.
func Up(ctx context.Context, cfg *pgx.ConnConfig, policy Partitions, log *slog.Logger) error {
	steps, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return err
	}
	return up(ctx, cfg, steps, policy, log)
}

// up applies the missing steps of the folder steps, and then updates the partitions.
func up(ctx context.Context, cfg *pgx.ConnConfig, steps fs.FS, policy Partitions, log *slog.Logger) (err error) {
	if err := policy.validate(); err != nil {
		return err
	}
	cfg = cfg.Copy()
	if _, ok := cfg.RuntimeParams["lock_timeout"]; !ok {
		cfg.RuntimeParams["lock_timeout"] = fmt.Sprint(LockTimeout.Milliseconds())
	}
	cfg.RuntimeParams["application_name"] = "migrate"
	db := stdlib.OpenDB(*cfg)
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := migrate(ctx, db, steps, log); err != nil {
		return err
	}
	return policy.apply(ctx, db, log)
}

// migrate applies every missing step.
func migrate(ctx context.Context, db *sql.DB, steps fs.FS, log *slog.Logger) error {
	// Try to get the lock every second, at most 1,800 times. Another run may need half an
	// hour to create a large index.
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
		return fmt.Errorf("migrate PostgreSQL (completed steps are kept; fix the cause and run again): %w", err)
	}
	return nil
}

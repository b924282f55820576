// Package database gives the services access to PostgreSQL: a bounded pool, typed
// queries, errors that handlers can act on, safe retries, and background writes. It
// owns the SQL of the services. agents/migrate owns the schema, and each service owns
// the content of its JSON columns.
package database

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Store reads and writes the services' tables. It is safe for concurrent use.
type Store struct {
	pool *pgxpool.Pool
	// timeout ends a query on the client's side, because a hung server does not
	// enforce its own statement timeout.
	timeout time.Duration
	tracer  *queryTracer
}

// Open creates the pool and opens no connection. So a service can start while its
// database is unavailable. Ping reports whether the database is available.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	tracer := newQueryTracer()
	pool, err := OpenPool(ctx, cfg, tracer)
	if err != nil {
		return nil, err
	}
	return &Store{pool, cfg.ConnectTimeout + cfg.StatementTimeout, tracer}, nil
}

// OpenPool creates the pool without a Store, for a process that has its own SQL. tracer
// may be nil.
func OpenPool(ctx context.Context, cfg Config, tracer pgx.QueryTracer) (*pgxpool.Pool, error) {
	poolCfg, err := cfg.poolConfig()
	if err != nil {
		return nil, err
	}
	poolCfg.ConnConfig.Tracer = tracer
	pool, err := pgxpool.NewWithConfig(ctx, poolCfg)
	if err != nil {
		return nil, fmt.Errorf("open the pool of PostgreSQL connections: %w", err)
	}
	return pool, nil
}

// Close waits until all connections are returned, and closes them.
func (s *Store) Close() { s.pool.Close() }

// Ping returns an error if the database does not respond.
func (s *Store) Ping(ctx context.Context) error {
	return wrapError("ping PostgreSQL", s.pool.Ping(ctx))
}

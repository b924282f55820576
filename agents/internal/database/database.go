// Package database is the services' way to PostgreSQL: a bounded pool, typed
// queries, errors that a handler can act on, retries where they are safe, and
// writes in the background that no request waits for.
// It owns the SQL that the services send; the schema is agents/migrate's, and
// what the JSON columns hold is each service's.
package database

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Store is safe for use by several goroutines.
type Store struct {
	pool *pgxpool.Pool
	// limit ends a query that the server is silent about: its own statement
	// timeout can't be relied on then.
	limit time.Duration
}

// Open makes the pool. No connection is made yet, so that a service starts and
// says that it is not ready while its database is away; Ping tells.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	poolCfg, err := cfg.pool()
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, poolCfg)
	if err != nil {
		return nil, fmt.Errorf("open the pool of PostgreSQL connections: %w", err)
	}
	return &Store{pool, cfg.ConnectTimeout + cfg.StatementTimeout}, nil
}

// Close waits until every connection is given back and closes it.
func (s *Store) Close() { s.pool.Close() }

// Ping asks the database for a sign of life, for readiness.
func (s *Store) Ping(ctx context.Context) error { return wrap("ping PostgreSQL", s.pool.Ping(ctx)) }

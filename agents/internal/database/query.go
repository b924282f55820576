package database

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// exec executes a write that returns no rows.
func (s *Store) exec(ctx context.Context, i idempotency, operation, statement string, args ...any) error {
	_, err := runWithRetries(ctx, s.timeout, i, operation, func(ctx context.Context) (struct{}, error) {
		_, err := s.pool.Exec(ctx, statement, args...)
		return struct{}{}, err
	})
	return err
}

// collect reads rows into structs by their db tags.
func collect[T any](ctx context.Context, s *Store, operation, query string, args ...any) ([]T, error) {
	return runWithRetries(ctx, s.timeout, idempotent, operation, func(ctx context.Context) ([]T, error) {
		rows, err := s.pool.Query(ctx, query, args...)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowToStructByName[T])
	})
}

// columnValues returns one field of each row, as the array for one parameter of a statement that
// inserts many rows. The statement converts the arrays back to rows with unnest; see
// QuerySaveCoordinations.
func columnValues[R, V any](rows []R, field func(R) V) []V {
	values := make([]V, len(rows))
	for i, row := range rows {
		values[i] = field(row)
	}
	return values
}

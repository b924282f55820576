package database

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// exec sends a write that answers nothing.
func (s *Store) exec(ctx context.Context, e effect, doing, statement string, args ...any) error {
	_, err := run(ctx, s.limit, e, doing, func(ctx context.Context) (struct{}, error) {
		_, err := s.pool.Exec(ctx, statement, args...)
		return struct{}{}, err
	})
	return err
}

// collect reads rows into a struct by its db tags.
func collect[T any](ctx context.Context, s *Store, doing, query string, args ...any) ([]T, error) {
	return run(ctx, s.limit, repeatable, doing, func(ctx context.Context) ([]T, error) {
		rows, err := s.pool.Query(ctx, query, args...)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowToStructByName[T])
	})
}

// column is one field of all rows, for unnest.
func column[R, V any](rows []R, field func(R) V) []V {
	values := make([]V, len(rows))
	for i, row := range rows {
		values[i] = field(row)
	}
	return values
}

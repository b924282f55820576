package database

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
)

// User is a row of users. Profile and Preferences are JSON objects.
type User struct {
	ID          string          `db:"id"`
	Email       *string         `db:"email"`
	DisplayName string          `db:"display_name"`
	Active      bool            `db:"active"`
	Profile     json.RawMessage `db:"profile"`
	Preferences json.RawMessage `db:"preferences"`
	CreatedAt   time.Time       `db:"created_at"`
	UpdatedAt   time.Time       `db:"updated_at"`
}

const userColumns = "id, email, display_name, active, profile, preferences, created_at, updated_at"

// Statements for users.
const (
	QueryUser       = "SELECT " + userColumns + " FROM users WHERE id = $1"
	QueryUserActive = "SELECT EXISTS (SELECT FROM users WHERE id = $1 AND active)"
	// ON CONFLICT updates the row without a change, because RETURNING returns only rows
	// that were inserted or updated.
	QueryEnsureUser = "INSERT INTO users (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING " + userColumns
	// Keys that are not in the request keep their values.
	QuerySavePreferences = `
INSERT INTO users (id, preferences) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET preferences = users.preferences || excluded.preferences, updated_at = now()
RETURNING ` + userColumns
	querySaveProfile = `
INSERT INTO users (id, display_name, profile) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET display_name = excluded.display_name, profile = excluded.profile, updated_at = now()
RETURNING ` + userColumns
)

// User returns a user, or ErrNotFound.
func (s *Store) User(ctx context.Context, id string) (User, error) {
	return s.queryUser(ctx, idempotent, "read user", QueryUser, id)
}

// IsUserActive reports whether the user exists and is not deactivated.
func (s *Store) IsUserActive(ctx context.Context, id string) (bool, error) {
	return runWithRetries(ctx, s.timeout, idempotent, "find active user", func(ctx context.Context) (active bool, err error) {
		err = s.pool.QueryRow(ctx, QueryUserActive, id).Scan(&active)
		return active, err
	})
}

// EnsureUser returns a user, and creates the user if there is none. The first request
// with a valid token creates its user.
func (s *Store) EnsureUser(ctx context.Context, id string) (User, error) {
	return s.queryUser(ctx, idempotent, "ensure user", QueryEnsureUser, id)
}

// SavePreferences merges the keys of a JSON object into the user's preferences
// and returns the user.
func (s *Store) SavePreferences(ctx context.Context, id string, preferences json.RawMessage) (User, error) {
	return s.queryUser(ctx, notIdempotent, "save preferences", QuerySavePreferences, id, preferences)
}

// SaveProfile replaces the user's name and profile and returns the user.
func (s *Store) SaveProfile(ctx context.Context, id, displayName string, profile json.RawMessage) (User, error) {
	return s.queryUser(ctx, notIdempotent, "save profile", querySaveProfile, id, displayName, profile)
}

// queryUser executes a statement that returns one user. Without a row it returns ErrNotFound.
func (s *Store) queryUser(ctx context.Context, i idempotency, operation, query string, args ...any) (User, error) {
	return runWithRetries(ctx, s.timeout, i, operation, func(ctx context.Context) (User, error) {
		rows, err := s.pool.Query(ctx, query, args...)
		if err != nil {
			return User{}, err
		}
		return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[User])
	})
}

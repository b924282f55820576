package database

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
)

// User is one row of users. Profile and Preferences are JSON objects.
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

// The statements on users.
const (
	QueryUser       = "SELECT " + userColumns + " FROM users WHERE id = $1"
	QueryUserActive = "SELECT EXISTS (SELECT FROM users WHERE id = $1 AND active)"
	// The update that changes nothing makes the row visible to RETURNING.
	QueryEnsureUser = "INSERT INTO users (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING " + userColumns
	// Keys that are not sent stay as they are.
	QuerySavePreferences = `
INSERT INTO users (id, preferences) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET preferences = users.preferences || excluded.preferences, updated_at = now()
RETURNING ` + userColumns
	saveProfile = `
INSERT INTO users (id, display_name, profile) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET display_name = excluded.display_name, profile = excluded.profile, updated_at = now()
RETURNING ` + userColumns
)

// User returns a user, or ErrNotFound.
func (s *Store) User(ctx context.Context, id string) (User, error) {
	return s.user(ctx, repeatable, "read user", QueryUser, id)
}

// UserActive reports whether there is such a user and they are not shut out.
func (s *Store) UserActive(ctx context.Context, id string) (bool, error) {
	return run(ctx, s.limit, repeatable, "look for active user", func(ctx context.Context) (active bool, err error) {
		err = s.pool.QueryRow(ctx, QueryUserActive, id).Scan(&active)
		return active, err
	})
}

// EnsureUser returns a user and makes them first where they are new: a valid
// token of somebody who was never here is no error.
func (s *Store) EnsureUser(ctx context.Context, id string) (User, error) {
	return s.user(ctx, repeatable, "ensure user", QueryEnsureUser, id)
}

// SavePreferences lays the keys of a JSON object over the user's preferences
// and returns the user.
func (s *Store) SavePreferences(ctx context.Context, id string, preferences json.RawMessage) (User, error) {
	return s.user(ctx, once, "save preferences", QuerySavePreferences, id, preferences)
}

// SaveProfile replaces the user's name and profile and returns the user.
func (s *Store) SaveProfile(ctx context.Context, id, displayName string, profile json.RawMessage) (User, error) {
	return s.user(ctx, once, "save profile", saveProfile, id, displayName, profile)
}

func (s *Store) user(ctx context.Context, e effect, doing, query string, args ...any) (User, error) {
	return run(ctx, s.limit, e, doing, func(ctx context.Context) (User, error) {
		rows, err := s.pool.Query(ctx, query, args...)
		if err != nil {
			return User{}, err
		}
		return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[User])
	})
}

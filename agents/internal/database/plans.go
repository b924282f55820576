package database

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// PlanKind is a table of plans.
type PlanKind string

// The kinds of plan.
const (
	Nutrition PlanKind = "nutrition_plans"
	Workout   PlanKind = "workout_plans"
)

// Plan is one plan that was made for a user; Body is a JSON value.
type Plan struct {
	ID        uuid.UUID       `db:"id"`
	UserID    string          `db:"user_id"`
	Body      json.RawMessage `db:"plan"`
	CreatedAt time.Time       `db:"created_at"`
}

// QuerySavePlan is the statement that keeps a plan and, where needed, its user.
// A plan that is there already stays: its id makes the write repeatable.
func (k PlanKind) QuerySavePlan() string {
	return `
WITH owner AS (INSERT INTO users (id) VALUES ($2) ON CONFLICT (id) DO NOTHING)
INSERT INTO ` + string(k) + ` (id, user_id, plan) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING`
}

// QueryRecentPlans is the statement that finds a user's latest plans.
func (k PlanKind) QueryRecentPlans() string {
	return "SELECT id, user_id, plan, created_at FROM " + string(k) + " WHERE user_id = $1 ORDER BY created_at DESC LIMIT $2"
}

// SavePlan keeps a plan under an id of the caller's (uuid.NewV7 suits the
// index). Saving the same id again changes nothing.
func (s *Store) SavePlan(ctx context.Context, kind PlanKind, id uuid.UUID, userID string, body json.RawMessage) error {
	return s.exec(ctx, repeatable, "save a plan", kind.QuerySavePlan(), id, userID, body)
}

// RecentPlans returns a user's plans, the latest first, at most limit.
func (s *Store) RecentPlans(ctx context.Context, kind PlanKind, userID string, limit int) ([]Plan, error) {
	return collect[Plan](ctx, s, "list plans", kind.QueryRecentPlans(), userID, limit)
}

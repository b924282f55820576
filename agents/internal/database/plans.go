package database

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// PlanKind is a kind of plan. Its value is the name of the table.
type PlanKind string

// The kinds of plan.
const (
	Nutrition PlanKind = "nutrition_plans"
	Workout   PlanKind = "workout_plans"
)

// Plan is a saved plan of a user. Body is a JSON value.
type Plan struct {
	ID        uuid.UUID       `db:"id"`
	UserID    string          `db:"user_id"`
	Body      json.RawMessage `db:"plan"`
	CreatedAt time.Time       `db:"created_at"`
}

// QuerySavePlan returns the statement that saves a plan and, if new, its user.
// An existing plan is not changed, so the statement is idempotent by its id.
func (k PlanKind) QuerySavePlan() string {
	return `
WITH owner AS (INSERT INTO users (id) VALUES ($2) ON CONFLICT (id) DO NOTHING)
INSERT INTO ` + string(k) + ` (id, user_id, plan) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING`
}

// QueryRecentPlans returns the statement for a user's latest plans.
func (k PlanKind) QueryRecentPlans() string {
	return "SELECT id, user_id, plan, created_at FROM " + string(k) + " WHERE user_id = $1 ORDER BY created_at DESC LIMIT $2"
}

// SavePlan saves a plan with an id that the caller has chosen. Use uuid.NewV7,
// because new rows are then next to each other in the index. Saving the same id
// again changes nothing.
func (s *Store) SavePlan(ctx context.Context, kind PlanKind, id uuid.UUID, userID string, body json.RawMessage) error {
	return s.exec(ctx, idempotent, "save a plan", kind.QuerySavePlan(), id, userID, body)
}

// RecentPlans returns at most limit plans of a user, latest first.
func (s *Store) RecentPlans(ctx context.Context, kind PlanKind, userID string, limit int) ([]Plan, error) {
	return collect[Plan](ctx, s, "list plans", kind.QueryRecentPlans(), userID, limit)
}

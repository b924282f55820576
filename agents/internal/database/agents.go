package database

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// The states of an agent's process.
const (
	StatusActive   = "active"
	StatusDraining = "draining"
	StatusStopped  = "stopped"
)

// AgentState is the state that one process of an agent reports. Instance is the
// pod's name. State is a JSON object.
type AgentState struct {
	AgentID   string          `db:"agent_id"`
	Instance  string          `db:"instance"`
	Status    string          `db:"status"`
	State     json.RawMessage `db:"state"`
	UpdatedAt time.Time       `db:"updated_at"`
}

// The outcomes of a coordination.
const (
	CoordinationComplete = "complete"
	CoordinationPartial  = "partial"
	CoordinationFailed   = "failed"
)

// Coordination is a request that the MCA has completed.
type Coordination struct {
	ID         uuid.UUID       `db:"id"`
	AgentID    string          `db:"agent_id"`
	UserID     string          `db:"user_id"`
	Task       string          `db:"task"`
	Status     string          `db:"status"`
	DurationMS int             `db:"duration_ms"`
	Result     json.RawMessage `db:"result"`
	CreatedAt  time.Time       `db:"created_at"`
}

// Statements for agents.
const (
	QueryActiveAgents = `
SELECT agent_id, instance, status, state, updated_at FROM agent_states
WHERE agent_id = $1 AND status = 'active' AND updated_at > $2`
	QueryRecentCoordinations = `
SELECT id, agent_id, user_id, task, status, duration_ms, result, created_at FROM agent_coordination
WHERE agent_id = $1 AND created_at > $2 ORDER BY created_at DESC LIMIT $3`
	QuerySaveAgentState = `
INSERT INTO agent_states (agent_id, instance, status, state) VALUES ($1, $2, $3, $4)
ON CONFLICT (agent_id, instance) DO UPDATE SET status = excluded.status, state = excluded.state, updated_at = now()`
	// JSON is passed as text, because a jsonb array would be parsed twice.
	QuerySaveCoordinations = `
INSERT INTO agent_coordination (id, agent_id, user_id, task, status, duration_ms, result)
SELECT id, agent_id, user_id, task, status, duration_ms, result::jsonb
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[])
  AS row (id, agent_id, user_id, task, status, duration_ms, result)
ON CONFLICT (id) DO NOTHING`
)

// SaveAgentState saves the latest state of one process.
func (s *Store) SaveAgentState(ctx context.Context, state AgentState) error {
	return s.exec(ctx, notIdempotent, "save an agent's state", QuerySaveAgentState, state.AgentID, state.Instance, state.Status, state.State)
}

// ActiveAgents returns the states of those processes of an agent that have
// reported the status active since the given time.
func (s *Store) ActiveAgents(ctx context.Context, agentID string, since time.Time) ([]AgentState, error) {
	return collect[AgentState](ctx, s, "list active agents", QueryActiveAgents, agentID, since)
}

// SaveCoordinations saves the rows in one statement, all or none. Saving the
// same ids again changes nothing. The database sets CreatedAt.
func (s *Store) SaveCoordinations(ctx context.Context, rows []Coordination) error {
	return s.exec(ctx, idempotent, "save coordinations", QuerySaveCoordinations,
		columnValues(rows, func(c Coordination) uuid.UUID { return c.ID }),
		columnValues(rows, func(c Coordination) string { return c.AgentID }),
		columnValues(rows, func(c Coordination) string { return c.UserID }),
		columnValues(rows, func(c Coordination) string { return c.Task }),
		columnValues(rows, func(c Coordination) string { return c.Status }),
		columnValues(rows, func(c Coordination) int { return c.DurationMS }),
		columnValues(rows, func(c Coordination) string { return string(c.Result) }))
}

// RecentCoordinations returns at most limit rows of an agent that were created
// after since, the latest first. It uses the index
// idx_agent_coordination_recent.
func (s *Store) RecentCoordinations(ctx context.Context, agentID string, since time.Time, limit int) ([]Coordination, error) {
	return collect[Coordination](ctx, s, "list coordinations", QueryRecentCoordinations, agentID, since, limit)
}

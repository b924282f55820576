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

// AgentState is what one process of an agent says of itself. Instance is the
// pod's name, State a JSON object.
type AgentState struct {
	AgentID   string          `db:"agent_id"`
	Instance  string          `db:"instance"`
	Status    string          `db:"status"`
	State     json.RawMessage `db:"state"`
	UpdatedAt time.Time       `db:"updated_at"`
}

// The outcomes of a coordination.
const (
	Complete = "complete"
	Partial  = "partial"
	Failed   = "failed"
)

// Coordination is one request that the MCA has answered.
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

// The statements on agents.
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
	// JSON goes as text: an array of jsonb would be parsed twice.
	QuerySaveCoordinations = `
INSERT INTO agent_coordination (id, agent_id, user_id, task, status, duration_ms, result)
SELECT id, agent_id, user_id, task, status, duration_ms, result::jsonb
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[])
  AS row (id, agent_id, user_id, task, status, duration_ms, result)
ON CONFLICT (id) DO NOTHING`
)

// SaveAgentState keeps the latest word of one process.
func (s *Store) SaveAgentState(ctx context.Context, state AgentState) error {
	return s.exec(ctx, once, "save an agent's state", QuerySaveAgentState, state.AgentID, state.Instance, state.Status, state.State)
}

// ActiveAgents returns the processes of an agent that were active since then.
func (s *Store) ActiveAgents(ctx context.Context, agentID string, since time.Time) ([]AgentState, error) {
	return collect[AgentState](ctx, s, "list active agents", QueryActiveAgents, agentID, since)
}

// SaveCoordinations keeps outcomes in one statement, all or none. Saving the
// same ids again changes nothing. CreatedAt is the database's.
func (s *Store) SaveCoordinations(ctx context.Context, all []Coordination) error {
	return s.exec(ctx, repeatable, "save coordinations", QuerySaveCoordinations,
		column(all, func(c Coordination) uuid.UUID { return c.ID }),
		column(all, func(c Coordination) string { return c.AgentID }),
		column(all, func(c Coordination) string { return c.UserID }),
		column(all, func(c Coordination) string { return c.Task }),
		column(all, func(c Coordination) string { return c.Status }),
		column(all, func(c Coordination) int { return c.DurationMS }),
		column(all, func(c Coordination) string { return string(c.Result) }))
}

// RecentCoordinations returns an agent's outcomes since then, the latest first,
// at most limit. The seed's index is of the last hour's.
func (s *Store) RecentCoordinations(ctx context.Context, agentID string, since time.Time, limit int) ([]Coordination, error) {
	return collect[Coordination](ctx, s, "list coordinations", QueryRecentCoordinations, agentID, since, limit)
}

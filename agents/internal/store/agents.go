package store

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
	QuerySaveCoordination = `
INSERT INTO agent_coordination (id, agent_id, user_id, task, status, duration_ms, result) VALUES ($1, $2, $3, $4, $5, $6, $7)
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

// SaveCoordination keeps an outcome. Saving the same id again changes nothing.
// CreatedAt is the database's.
func (s *Store) SaveCoordination(ctx context.Context, c Coordination) error {
	return s.exec(ctx, repeatable, "save a coordination", QuerySaveCoordination,
		c.ID, c.AgentID, c.UserID, c.Task, c.Status, c.DurationMS, c.Result)
}

// RecentCoordinations returns an agent's outcomes since then, the latest first,
// at most limit. The seed's index is of the last hour's.
func (s *Store) RecentCoordinations(ctx context.Context, agentID string, since time.Time, limit int) ([]Coordination, error) {
	return collect[Coordination](ctx, s, "list coordinations", QueryRecentCoordinations, agentID, since, limit)
}

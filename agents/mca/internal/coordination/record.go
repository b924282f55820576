package coordination

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/progressive-framework/platform/agents/internal/database"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

// stateEvery is how often the process records its own state.
const stateEvery = 15 * time.Second

// stateTimeout bounds the writing of it.
const stateTimeout = time.Second

// recorder keeps coordinations and the state of this process in PostgreSQL, as
// well as that goes: no request waits for it.
type recorder struct {
	store *database.Store
	phase *httpserver.State
	state func() (instance string, state json.RawMessage)
	log   *slog.Logger
	rows  *database.Writer[database.Coordination]
	stop  context.CancelFunc
	beats sync.WaitGroup
}

func newRecorder(ctx context.Context, s *database.Store, phase *httpserver.State, state func() (string, json.RawMessage), log *slog.Logger) *recorder {
	rows := database.NewWriter(ctx, "recording coordinations", s.SaveCoordinations, log)
	return &recorder{store: s, phase: phase, state: state, log: log, rows: rows}
}

// start begins to record the state of this process.
func (r *recorder) start(ctx context.Context) {
	ctx, r.stop = context.WithCancel(ctx)
	r.beats.Go(func() { r.beat(ctx) })
}

func (r *recorder) add(ask *CoordinateRequest, answer Coordination, took time.Duration) {
	result, err := json.Marshal(struct {
		Agents   []AgentReport `json:"agents"`
		Priority string        `json:"priority"`
	}{answer.Agents, ask.Priority})
	if err != nil {
		r.log.Error("a coordination can't be recorded", "error", err)
		return
	}
	r.rows.Do(database.Coordination{
		ID: answer.ID, AgentID: Name, UserID: answer.UserID, Task: answer.Task, Status: answer.Status,
		DurationMS: int(took.Milliseconds()), Result: result,
	})
}

// beat records the state at the beginning and then again and again.
func (r *recorder) beat(ctx context.Context) {
	tick := time.NewTicker(stateEvery)
	defer tick.Stop()
	for {
		status := database.StatusActive
		if r.phase.Phase() == httpserver.Draining {
			status = database.StatusDraining
		}
		r.saveState(ctx, status)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (r *recorder) saveState(ctx context.Context, status string) {
	ctx, cancel := context.WithTimeout(ctx, stateTimeout)
	defer cancel()
	instance, state := r.state()
	err := r.store.SaveAgentState(ctx, database.AgentState{AgentID: Name, Instance: instance, Status: status, State: state})
	if err != nil && !errors.Is(err, context.Canceled) {
		r.log.WarnContext(ctx, "recording the state of this process failed", "error", err)
	}
}

// close records what still waits and that the process ends, each for a second
// at most.
func (r *recorder) close(ctx context.Context) {
	r.stop()
	r.beats.Wait()
	r.rows.Close(ctx)
	r.saveState(ctx, database.StatusStopped)
}

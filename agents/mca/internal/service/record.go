package service

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/progressive-framework/platform/agents/internal/besteffort"
	"github.com/progressive-framework/platform/agents/internal/health"
	"github.com/progressive-framework/platform/agents/internal/store"
)

// stateEvery is how often the process records its own state.
const stateEvery = 15 * time.Second

// recorder keeps coordinations and the state of this process in PostgreSQL, as
// well as that goes: no request waits for it.
type recorder struct {
	store *store.Store
	phase *health.State
	state func() (instance string, state json.RawMessage)
	jobs  *besteffort.Worker
	stop  context.CancelFunc
	beats sync.WaitGroup
}

func newRecorder(ctx context.Context, s *store.Store, phase *health.State, state func() (string, json.RawMessage), log *slog.Logger) *recorder {
	return &recorder{store: s, phase: phase, state: state, jobs: besteffort.New(ctx, "recording a coordination", log)}
}

// start begins to record the state of this process.
func (r *recorder) start(ctx context.Context) {
	ctx, r.stop = context.WithCancel(ctx)
	r.beats.Go(func() { r.beat(ctx) })
}

func (r *recorder) add(ask *CoordinateRequest, answer Coordination, took time.Duration) {
	r.jobs.Do(func(ctx context.Context) error {
		result, err := json.Marshal(map[string]any{"priority": ask.Priority, "agents": answer.Agents})
		if err != nil {
			return err
		}
		return r.store.SaveCoordination(ctx, store.Coordination{
			ID: answer.ID, AgentID: Name, UserID: answer.UserID, Task: answer.Task, Status: answer.Status,
			DurationMS: int(took.Milliseconds()), Result: result,
		})
	})
}

// beat records the state at the beginning and then again and again.
func (r *recorder) beat(ctx context.Context) {
	tick := time.NewTicker(stateEvery)
	defer tick.Stop()
	for {
		status := store.StatusActive
		if r.phase.Phase() == health.Draining {
			status = store.StatusDraining
		}
		r.saveState(status)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (r *recorder) saveState(status string) {
	r.jobs.Do(func(ctx context.Context) error {
		instance, state := r.state()
		return r.store.SaveAgentState(ctx, store.AgentState{AgentID: Name, Instance: instance, Status: status, State: state})
	})
}

// close records that the process ends, and what still waits, for a second at
// most.
func (r *recorder) close(ctx context.Context) {
	r.stop()
	r.beats.Wait()
	r.saveState(store.StatusStopped)
	r.jobs.Close(ctx)
}

package service

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/progressive-framework/platform/agents/internal/health"
	"github.com/progressive-framework/platform/agents/internal/store"
)

const (
	// recordDepth bounds the coordinations that wait to be recorded; beyond it
	// they are counted as dropped. No request ever waits for its record.
	recordDepth = 256
	// recordTimeout bounds one write, and the last ones when the process ends.
	recordTimeout = time.Second
	// stateEvery is how often the process records its own state.
	stateEvery = 15 * time.Second
)

// recorder keeps coordinations and the state of this process in PostgreSQL, as
// well as that goes.
type recorder struct {
	store *store.Store
	phase *health.State
	state func() (instance string, state json.RawMessage)
	log   *slog.Logger

	waiting                  chan store.Coordination
	closing, closed          chan struct{}
	written, dropped, failed atomic.Uint64
}

func newRecorder(s *store.Store, phase *health.State, state func() (string, json.RawMessage), log *slog.Logger) *recorder {
	return &recorder{
		store: s, phase: phase, state: state, log: log,
		waiting: make(chan store.Coordination, recordDepth), closing: make(chan struct{}), closed: make(chan struct{}),
	}
}

func (r *recorder) add(ask *CoordinateRequest, answer Coordination, took time.Duration) {
	result, err := json.Marshal(map[string]any{"priority": ask.Priority, "agents": answer.Agents})
	if err != nil {
		r.failed.Add(1)
		return
	}
	select {
	case r.waiting <- store.Coordination{
		ID: answer.ID, AgentID: Name, UserID: answer.UserID, Task: answer.Task, Status: answer.Status,
		DurationMS: int(took.Milliseconds()), Result: result,
	}:
	default:
		r.dropped.Add(1)
	}
}

// run writes until close.
func (r *recorder) run(ctx context.Context) {
	defer close(r.closed)
	tick := time.NewTicker(stateEvery)
	defer tick.Stop()
	r.saveState(ctx)
	for {
		select {
		case c := <-r.waiting:
			r.save(ctx, c)
		case <-tick.C:
			r.saveState(ctx)
		case <-r.closing:
			r.last(ctx)
			return
		}
	}
}

// last writes what waits and that this process has ended.
func (r *recorder) last(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	r.saveState(ctx)
	for {
		select {
		case c := <-r.waiting:
			r.save(ctx, c)
		default:
			return
		}
	}
}

func (r *recorder) save(ctx context.Context, c store.Coordination) {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	if err := r.store.SaveCoordination(ctx, c); err != nil {
		r.failed.Add(1)
		r.log.WarnContext(ctx, "a coordination is not recorded", "id", c.ID, "error", err)
		return
	}
	r.written.Add(1)
}

// statuses of a process in the database, by its phase.
var statuses = map[health.Phase]string{
	health.Starting: store.StatusActive, health.Serving: store.StatusActive, health.Draining: store.StatusDraining,
}

func (r *recorder) saveState(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	instance, state := r.state()
	status := statuses[r.phase.Phase()]
	select {
	case <-r.closing:
		status = store.StatusStopped
	default:
	}
	if err := r.store.SaveAgentState(ctx, store.AgentState{AgentID: Name, Instance: instance, Status: status, State: state}); err != nil {
		r.log.WarnContext(ctx, "the state of this process is not recorded", "error", err)
	}
}

func (r *recorder) close() {
	close(r.closing)
	<-r.closed
}

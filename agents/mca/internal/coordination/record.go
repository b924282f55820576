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

// stateInterval is the period at which the process saves its own state.
const stateInterval = 15 * time.Second

// stateTimeout bounds the writing of the state.
const stateTimeout = time.Second

// recorder saves coordinations and the state of this process in PostgreSQL. No request waits
// for the recorder, and a record that cannot be saved is lost.
type recorder struct {
	store *database.Store
	phase *httpserver.State
	state func() (instance string, state json.RawMessage)
	log   *slog.Logger
	rows  *database.Writer[database.Coordination]
	stop  context.CancelFunc
	wg    sync.WaitGroup
}

// newRecorder returns a recorder that saves coordinations. It saves the state of the process
// only after start. state returns that state.
func newRecorder(ctx context.Context, s *database.Store, phase *httpserver.State, state func() (string, json.RawMessage), log *slog.Logger) *recorder {
	rows := database.NewWriter(ctx, "save coordinations", s.SaveCoordinations, log)
	return &recorder{store: s, phase: phase, state: state, log: log, rows: rows}
}

// start starts recording the state of this process.
func (r *recorder) start(ctx context.Context) {
	ctx, r.stop = context.WithCancel(ctx)
	r.wg.Go(func() { r.recordState(ctx) })
}

// add queues the record of a coordination for writing.
func (r *recorder) add(request *CoordinateRequest, response Coordination, duration time.Duration) {
	result, err := json.Marshal(struct {
		Agents   []AgentReport `json:"agents"`
		Priority string        `json:"priority"`
	}{response.Agents, request.Priority})
	if err != nil {
		r.log.Error("encode a coordination for its record", "error", err)
		return
	}
	r.rows.Enqueue(database.Coordination{
		ID: response.ID, AgentID: Name, UserID: response.UserID, Task: response.Task, Status: response.Status,
		DurationMS: int(duration.Milliseconds()), Result: result,
	})
}

// recordState records the state at the start and then periodically.
func (r *recorder) recordState(ctx context.Context) {
	tick := time.NewTicker(stateInterval)
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

// saveState saves the state of this process. A failure is only logged.
func (r *recorder) saveState(ctx context.Context, status string) {
	ctx, cancel := context.WithTimeout(ctx, stateTimeout)
	defer cancel()
	instance, state := r.state()
	err := r.store.SaveAgentState(ctx, database.AgentState{AgentID: Name, Instance: instance, Status: status, State: state})
	if err != nil && !errors.Is(err, context.Canceled) {
		r.log.WarnContext(ctx, "save agent state failed", "error", err)
	}
}

// close writes queued records and the state "stopped", each within a second.
func (r *recorder) close(ctx context.Context) {
	r.stop()
	r.wg.Wait()
	r.rows.Close(ctx)
	r.saveState(ctx, database.StatusStopped)
}

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

// stateTimeout is the timeout of saving the state.
const stateTimeout = time.Second

// recorder saves coordinations and the state of this process in PostgreSQL. No request waits
// for the recorder, and a record that cannot be saved is lost.
type recorder struct {
	store *database.Store
	// serverState has the phase of the process, which is saved as its status.
	serverState *httpserver.State
	// readState returns the pod's name and the state to save.
	readState func() (instance string, state json.RawMessage)
	log       *slog.Logger
	// writer writes the records of coordinations.
	writer *database.Writer[database.Coordination]
	stop   context.CancelFunc
	wg     sync.WaitGroup
}

// newRecorder returns a recorder that saves coordinations. After a call of start, the recorder
// also saves the state of the process. readState returns this state.
func newRecorder(ctx context.Context, s *database.Store, serverState *httpserver.State, readState func() (string, json.RawMessage), log *slog.Logger) *recorder {
	writer := database.NewWriter(ctx, "save coordinations", s.SaveCoordinations, log)
	return &recorder{store: s, serverState: serverState, readState: readState, log: log, writer: writer}
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
	r.writer.Enqueue(database.Coordination{
		ID: response.ID, AgentID: Name, UserID: response.UserID, Task: response.Task, Status: response.Status,
		DurationMS: int(duration.Milliseconds()), Result: result,
	})
}

// recordState saves the state of this process immediately and then periodically, until ctx
// ends.
func (r *recorder) recordState(ctx context.Context) {
	tick := time.NewTicker(stateInterval)
	defer tick.Stop()
	for {
		status := database.StatusActive
		if r.serverState.Phase() == httpserver.Draining {
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
	instance, state := r.readState()
	err := r.store.SaveAgentState(ctx, database.AgentState{AgentID: Name, Instance: instance, Status: status, State: state})
	if err != nil && !errors.Is(err, context.Canceled) {
		r.log.WarnContext(ctx, "save agent state failed", "error", err)
	}
}

// close writes queued records and the state "stopped", each within a second.
func (r *recorder) close(ctx context.Context) {
	r.stop()
	r.wg.Wait()
	r.writer.Close(ctx)
	r.saveState(ctx, database.StatusStopped)
}

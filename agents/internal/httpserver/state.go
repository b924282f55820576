package httpserver

import (
	"net/http"
	"sync/atomic"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// Phase is the phase of a process' life. It only moves forward.
type Phase int32

// The phases in their order.
const (
	Starting Phase = iota // not listening yet
	Serving               // ready for traffic
	Draining              // still serves, but load balancers must send no new requests
)

// String is the phase's name in responses.
func (p Phase) String() string {
	switch p {
	case Starting:
		return "starting"
	case Serving:
		return "serving"
	default:
		return "draining"
	}
}

// State is the phase of one process. Its zero value is Starting. It is safe for
// concurrent use.
type State struct{ phase atomic.Int32 }

// Phase returns the current phase.
func (s *State) Phase() Phase { return Phase(s.phase.Load()) }

// Advance moves to a later phase and reports whether it moved. A drain is never
// reverted.
func (s *State) Advance(to Phase) bool {
	for {
		current := s.phase.Load()
		if int32(to) <= current {
			return false
		}
		if s.phase.CompareAndSwap(current, int32(to)) {
			return true
		}
	}
}

// status is the body of a response to a health check.
type status struct {
	Status string `json:"status"`
	Phase  string `json:"phase"`
}

// ServeLiveness responds 200 in every phase. Kubernetes restarts a process that responds
// otherwise, and a draining process must not be restarted.
func (s *State) ServeLiveness(w http.ResponseWriter, _ *http.Request) {
	httpapi.SendJSON(w, http.StatusOK, status{"ok", s.Phase().String()})
}

// ServeReadiness responds 200 while Serving, else 503.
func (s *State) ServeReadiness(w http.ResponseWriter, _ *http.Request) {
	if phase := s.Phase(); phase != Serving {
		httpapi.SendJSON(w, http.StatusServiceUnavailable, status{"unavailable", phase.String()})
		return
	}
	httpapi.SendJSON(w, http.StatusOK, status{"ok", Serving.String()})
}

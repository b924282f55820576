package httpserver

import (
	"net/http"
	"sync/atomic"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// Phase is where in its life a process is. It only ever moves forward.
type Phase int32

// The phases in their order.
const (
	Starting Phase = iota // not listening yet
	Serving               // wants traffic
	Draining              // still answers, wants no new traffic
)

// String is the phase's name as the answers show it.
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

// State is the phase of one process. Its zero value is Starting; it is safe
// for use by several goroutines.
type State struct{ phase atomic.Int32 }

// Phase returns the current phase.
func (s *State) Phase() Phase { return Phase(s.phase.Load()) }

// Advance moves to a later phase and reports whether it moved: a drain that
// has begun is never taken back.
func (s *State) Advance(to Phase) bool {
	for {
		now := s.phase.Load()
		if int32(to) <= now {
			return false
		}
		if s.phase.CompareAndSwap(now, int32(to)) {
			return true
		}
	}
}

type status struct {
	Status string `json:"status"`
	Phase  string `json:"phase"`
}

// Live answers 200 in every phase: a process that drains must not be
// restarted for it.
func (s *State) Live(w http.ResponseWriter, _ *http.Request) {
	httpapi.JSON(w, http.StatusOK, status{"ok", s.Phase().String()})
}

// Ready answers 200 while Serving, else 503.
func (s *State) Ready(w http.ResponseWriter, _ *http.Request) {
	if phase := s.Phase(); phase != Serving {
		httpapi.JSON(w, http.StatusServiceUnavailable, status{"unavailable", phase.String()})
		return
	}
	httpapi.JSON(w, http.StatusOK, status{"ok", Serving.String()})
}

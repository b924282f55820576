package coordination

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/progressive-framework/platform/agents/internal/database"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/mca/internal/queue"
)

// rootResponse is the body of GET /.
type rootResponse struct {
	Service   string `json:"service"`
	Greeting  string `json:"greeting"`
	AgentType string `json:"agentType"`
	Hostname  string `json:"hostname"`
	Build     Build  `json:"build"`
}

// serveRoot responds with the build, and with the pod that served the request. An operator
// can watch a rollout with it.
func (s *Service) serveRoot(w http.ResponseWriter, _ *http.Request) {
	httpapi.SendJSON(w, http.StatusOK, rootResponse{Name, s.greeting, s.cfg.AgentType, s.hostname, s.build})
}

// stateByBreaker has the state of an agent for each state of its circuit breaker.
var stateByBreaker = map[string]string{
	"closed":    "up",
	"open":      "failing", // the breaker sends no requests
	"half-open": "probed",  // the breaker sends a few requests
}

// agentStates returns the state of each agent, by its name.
func (s *Service) agentStates() map[string]string {
	states := map[string]string{Name: "up"}
	for name, client := range s.agents {
		states[name] = stateByBreaker[client.Upstream().BreakerState()]
	}
	return states
}

// healthResponse is the body of GET /health/coordination.
type healthResponse struct {
	Status              string            `json:"status"`
	CoordinationMode    string            `json:"coordinationMode"`
	ActiveSessions      int               `json:"activeSessions"`
	MaxConcurrentAgents int               `json:"maxConcurrentAgents"`
	Agents              map[string]string `json:"agents"`
}

// serveCoordinationHealth responds to the design document's liveness probe, always with 200. The
// counts are only information: a full queue or a failing agent must not restart the
// process.
func (s *Service) serveCoordinationHealth(w http.ResponseWriter, _ *http.Request) {
	counts := s.queue.Counts()
	httpapi.SendJSON(w, http.StatusOK, healthResponse{"ok", s.cfg.CoordinationMode, counts.Active, counts.Limit, s.agentStates()})
}

// statusResponse is the body of GET /status.
type statusResponse struct {
	AgentType           string                `json:"agentType"`
	CoordinationMode    string                `json:"coordinationMode"`
	MaxConcurrentAgents int                   `json:"maxConcurrentAgents"`
	ActiveSessions      int                   `json:"activeSessions"`
	Queue               queue.Counts          `json:"queue"`
	Agents              map[string]string     `json:"agents"`
	Records             database.WriterCounts `json:"records"`
	Phase               string                `json:"phase"`
	Hostname            string                `json:"hostname"`
	Started             time.Time             `json:"started"`
	UptimeSeconds       float64               `json:"uptimeSeconds"`
}

// currentStatus returns the status of this process.
func (s *Service) currentStatus() statusResponse {
	counts := s.queue.Counts()
	return statusResponse{
		AgentType:           s.cfg.AgentType,
		CoordinationMode:    s.cfg.CoordinationMode,
		MaxConcurrentAgents: counts.Limit,
		ActiveSessions:      counts.Active,
		Queue:               counts,
		Agents:              s.agentStates(),
		Records:             s.recorder.writer.Counts(),
		Phase:               s.state.Phase().String(),
		Hostname:            s.hostname,
		Started:             s.started.UTC(),
		UptimeSeconds:       time.Since(s.started).Seconds(),
	}
}

// serveStatus responds to GET /status.
func (s *Service) serveStatus(w http.ResponseWriter, _ *http.Request) {
	httpapi.SendJSON(w, http.StatusOK, s.currentStatus())
}

// agentState returns the pod's name, and the state that the recorder saves for this process.
func (s *Service) agentState() (instance string, state json.RawMessage) {
	encoded, _ := json.Marshal(s.currentStatus()) // numbers and strings always encode
	return s.hostname, encoded
}

package coordination

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/progressive-framework/platform/agents/internal/database"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/mca/internal/queue"
)

type rootAnswer struct {
	Service   string `json:"service"`
	Greeting  string `json:"greeting"`
	AgentType string `json:"agentType"`
	Hostname  string `json:"hostname"`
	Build     Build  `json:"build"`
}

// root says which build in which pod answered, so that a rollout can be
// watched from outside.
func (s *Service) root(w http.ResponseWriter, _ *http.Request) {
	httpapi.JSON(w, http.StatusOK, rootAnswer{Name, s.greeting, s.cfg.AgentType, s.hostname, s.build})
}

// agentStates are the states of an agent as this one sees it, by its breaker.
var agentStates = map[string]string{
	"closed":    "up",
	"open":      "failing", // too often, and not asked just now
	"half-open": "probed",  // a few requests try whether it is back
}

func (s *Service) agentStates() map[string]string {
	states := map[string]string{Name: "up"}
	for name, agent := range s.agents {
		states[name] = agentStates[agent.Upstream().Breaker()]
	}
	return states
}

type coordinationAnswer struct {
	Status              string            `json:"status"`
	CoordinationMode    string            `json:"coordinationMode"`
	ActiveSessions      int               `json:"activeSessions"`
	MaxConcurrentAgents int               `json:"maxConcurrentAgents"`
	Agents              map[string]string `json:"agents"`
}

// coordination is the seed's liveness probe. A full house or a failing agent is
// no reason to be restarted, so the counts inform and do not decide.
func (s *Service) coordination(w http.ResponseWriter, _ *http.Request) {
	counts := s.queue.Counts()
	httpapi.JSON(w, http.StatusOK, coordinationAnswer{"ok", s.cfg.CoordinationMode, counts.Active, counts.Limit, s.agentStates()})
}

type statusAnswer struct {
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

func (s *Service) statusNow() statusAnswer {
	counts := s.queue.Counts()
	return statusAnswer{
		AgentType:           s.cfg.AgentType,
		CoordinationMode:    s.cfg.CoordinationMode,
		MaxConcurrentAgents: counts.Limit,
		ActiveSessions:      counts.Active,
		Queue:               counts,
		Agents:              s.agentStates(),
		Records:             s.records.rows.Counts(),
		Phase:               s.state.Phase().String(),
		Hostname:            s.hostname,
		Started:             s.started.UTC(),
		UptimeSeconds:       time.Since(s.started).Seconds(),
	}
}

func (s *Service) status(w http.ResponseWriter, _ *http.Request) {
	httpapi.JSON(w, http.StatusOK, s.statusNow())
}

// agentState is what this process records of itself.
func (s *Service) agentState() (instance string, state json.RawMessage) {
	line, _ := json.Marshal(s.statusNow()) // numbers and strings always encode
	return s.hostname, line
}

// Package service is the MCA itself: its configuration, its routes and its
// count of coordination sessions. It owns no socket and no signal; the process
// is main's, the server httpserver's.
package service

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/progressive-framework/platform/agents/internal/health"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/reply"
)

// Name is the service's name in logs and answers, and in its paths.
const Name = "mca"

// apiPath is what every public path of this agent begins with.
const apiPath = "/api/v1/agents/" + Name

// healthPaths are those that probes ask every few seconds.
var healthPaths = []string{"/health", "/health/ready", "/health/coordination", apiPath + "/health"}

// Service answers for one MCA process.
type Service struct {
	cfg      Config
	greeting string
	hostname string
	build    Build
	started  time.Time
	state    *health.State
	sessions *Sessions
}

// New returns a Service that counts its uptime from now.
func New(cfg Config, greeting string) (*Service, error) {
	// In a pod the hostname is the pod's name.
	hostname, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("ask for the hostname: %w", err)
	}
	return &Service{
		cfg: cfg, greeting: greeting, hostname: hostname, build: readBuild(),
		started: time.Now(), state: &health.State{}, sessions: NewSessions(cfg.MaxConcurrentAgents),
	}, nil
}

// State is the phase that the readiness answer follows.
func (s *Service) State() *health.State { return s.state }

// Handler serves every route of the service.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /{$}":                   s.root,
		"GET /health":                s.state.Live,
		"GET /health/ready":          s.state.Ready,
		"GET /health/coordination":   s.coordination,
		"GET " + apiPath + "/health": s.state.Live,
		"GET " + apiPath + "/status": s.status,
	} {
		mux.HandleFunc(pattern, handle)
	}
	return httpserver.Routes(mux)
}

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
	reply.JSON(w, http.StatusOK, rootAnswer{Name, s.greeting, s.cfg.AgentType, s.hostname, s.build})
}

type coordinationAnswer struct {
	Status              string `json:"status"`
	CoordinationMode    string `json:"coordinationMode"`
	ActiveSessions      int    `json:"activeSessions"`
	MaxConcurrentAgents int    `json:"maxConcurrentAgents"`
}

// coordination is the seed's liveness probe. A full house is no reason to be
// restarted, so the counts inform and do not decide.
func (s *Service) coordination(w http.ResponseWriter, _ *http.Request) {
	reply.JSON(w, http.StatusOK, coordinationAnswer{"ok", s.cfg.CoordinationMode, s.sessions.Active(), s.sessions.Limit()})
}

type statusAnswer struct {
	AgentType           string    `json:"agentType"`
	CoordinationMode    string    `json:"coordinationMode"`
	MaxConcurrentAgents int       `json:"maxConcurrentAgents"`
	ActiveSessions      int       `json:"activeSessions"`
	Phase               string    `json:"phase"`
	Hostname            string    `json:"hostname"`
	Started             time.Time `json:"started"`
	UptimeSeconds       float64   `json:"uptimeSeconds"`
}

func (s *Service) status(w http.ResponseWriter, _ *http.Request) {
	reply.JSON(w, http.StatusOK, statusAnswer{
		AgentType:           s.cfg.AgentType,
		CoordinationMode:    s.cfg.CoordinationMode,
		MaxConcurrentAgents: s.sessions.Limit(),
		ActiveSessions:      s.sessions.Active(),
		Phase:               s.state.Phase().String(),
		Hostname:            s.hostname,
		Started:             s.started.UTC(),
		UptimeSeconds:       time.Since(s.started).Seconds(),
	})
}

// Package service is the WPA itself: its configuration, its routes and the
// form of what they take and answer. It owns no training, which is in
// training's packages, and no socket or signal.
package service

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/progressive-framework/platform/agents/internal/decode"
	"github.com/progressive-framework/platform/agents/internal/desk"
	"github.com/progressive-framework/platform/agents/internal/health"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/openapi"
	"github.com/progressive-framework/platform/agents/internal/reply"
	"github.com/progressive-framework/platform/agents/wpa/internal/training/program"
)

// Name is the service's name in logs and answers, and in its paths.
const Name = "wpa"

// apiPath is what every public path of this agent begins with.
const apiPath = "/api/v1/agents/" + Name

// healthPaths are those that probes ask every few seconds.
var healthPaths = []string{"/health", "/health/ready", "/metrics", apiPath + "/health"}

// Maker makes training weeks; *program.Maker does, and what keeps weeks may
// stand before it.
type Maker interface {
	Week(ctx context.Context, r program.Request) (program.Week, error)
}

// Service answers for one WPA process.
type Service struct {
	cfg      Config
	state    *health.State
	maker    Maker
	desk     desk.Desk
	log      *slog.Logger
	document http.HandlerFunc
}

//go:embed openapi.yaml
var document []byte

// New returns a Service whose weeks m makes, and which answers at the desk.
func New(cfg Config, m Maker, d desk.Desk, log *slog.Logger) (*Service, error) {
	serve, err := openapi.Handler(document)
	if err != nil {
		return nil, err
	}
	return &Service{
		cfg: cfg, state: &health.State{}, maker: m, desk: d, log: log, document: serve,
	}, nil
}

// State is the phase that the readiness answer follows.
func (s *Service) State() *health.State { return s.state }

// Handler serves every route of the service.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /health":                s.state.Live,
		"GET /health/ready":          s.state.Ready,
		"GET /openapi.json":          s.document,
		"GET " + apiPath + "/health": s.state.Live,
	} {
		mux.HandleFunc(pattern, handle)
	}
	mux.Handle("POST "+apiPath+"/generate", s.desk.Guard(s.generate))
	s.desk.Routes(mux.Handle)
	return httpserver.Routes(mux)
}

// asked is a request that was read: what anyone could ask, and who wishes it.
type asked struct {
	anyones GenerateRequest
	wish    desk.Wish
}

func newAsked(ask GenerateRequest) asked {
	user := ask.UserID
	ask.UserID = ""
	return asked{ask, desk.NewWish(user, ask)}
}

func (s *Service) generate(w http.ResponseWriter, r *http.Request) {
	var body GenerateRequest
	if !decode.Body(w, r, maxBody, &body) {
		return
	}
	ask := newAsked(body)
	err := s.desk.Answer(w, r, ask.wish, func(ctx context.Context) (any, error) {
		ctx, cancel := context.WithTimeout(ctx, s.cfg.GenerationTimeout)
		defer cancel()
		request := ask.anyones.program()
		week, err := s.maker.Week(ctx, request)
		if err != nil {
			return nil, err
		}
		return answer(&ask.anyones, request.Minutes, week), nil
	})
	switch {
	case err == nil:
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		w.Header().Set("Retry-After", "1")
		reply.Error(w, http.StatusServiceUnavailable, reply.CodeOutOfTime,
			fmt.Sprintf("no sessions were made in %s; ask for fewer days or try again", s.cfg.GenerationTimeout))
	default:
		s.log.ErrorContext(r.Context(), "generation failed", "request_id", httpserver.RequestID(r.Context()), "error", err)
		reply.Error(w, http.StatusInternalServerError, reply.CodeInternal, "the service failed on this request")
	}
}

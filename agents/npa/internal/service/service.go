// Package service is the NPA itself: its configuration, its routes and the
// form of what they take and answer. It owns no nutrition, which is in
// nutrition's packages, and no socket or signal.
package service

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"github.com/progressive-framework/platform/agents/internal/decode"
	"github.com/progressive-framework/platform/agents/internal/desk"
	"github.com/progressive-framework/platform/agents/internal/health"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/openapi"
	"github.com/progressive-framework/platform/agents/internal/reply"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/planner"
)

// Name is the service's name in logs and answers, and in its paths.
const Name = "npa"

// apiPath is what every public path of this agent begins with.
const apiPath = "/api/v1/agents/" + Name

// healthPaths are those that probes ask every few seconds.
var healthPaths = []string{"/health", "/health/ready", "/metrics", apiPath + "/health"}

// Planner makes meal plans; *planner.Planner does, and what keeps plans may
// stand before it.
type Planner interface {
	Plan(ctx context.Context, r planner.Request) (planner.Plan, error)
}

// Service answers for one NPA process.
type Service struct {
	cfg      Config
	state    *health.State
	planner  Planner
	desk     desk.Desk
	log      *slog.Logger
	document http.HandlerFunc
}

//go:embed openapi.yaml
var document []byte

// New returns a Service that plans with p and answers at the desk.
func New(cfg Config, p Planner, d desk.Desk, log *slog.Logger) (*Service, error) {
	serve, err := openapi.Handler(document)
	if err != nil {
		return nil, err
	}
	return &Service{
		cfg: cfg, state: &health.State{}, planner: p, desk: d, log: log, document: serve,
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
	mux.Handle("POST "+apiPath+"/plan", s.desk.Guard(s.plan))
	s.desk.Routes(mux.Handle)
	return httpserver.Routes(mux)
}

// asked is a request that was read: what anyone could ask, and who wishes it.
type asked struct {
	anyones PlanRequest
	wish    desk.Wish
}

func newAsked(ask PlanRequest) asked {
	user := ask.UserID
	ask.UserID = ""
	return asked{ask, desk.NewWish(user, ask)}
}

func (s *Service) plan(w http.ResponseWriter, r *http.Request) {
	var body PlanRequest
	if !decode.Body(w, r, maxBody, &body) {
		return
	}
	ask := newAsked(body)
	err := s.desk.Answer(w, r, ask.wish, func(ctx context.Context) (any, error) {
		ctx, cancel := context.WithTimeout(ctx, s.cfg.CalculationTimeout)
		defer cancel()
		request, assumed := ask.anyones.plan()
		plan, err := s.planner.Plan(ctx, request)
		if err != nil {
			return nil, err
		}
		return answer(&ask.anyones, assumed, plan), nil
	})
	if err != nil {
		s.refuse(w, r, &ask.anyones, err)
	}
}

func (s *Service) refuse(w http.ResponseWriter, r *http.Request, ask *PlanRequest, err error) {
	if infeasible, is := errors.AsType[*planner.Infeasible](err); is {
		var parts []reply.FieldError
		for _, c := range infeasible.Conflicts {
			parts = append(parts, conflict(ask, c))
		}
		reply.Error(w, http.StatusUnprocessableEntity, reply.CodeInfeasible, infeasible.Error(), parts...)
		return
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		w.Header().Set("Retry-After", "1")
		reply.Error(w, http.StatusServiceUnavailable, reply.CodeOutOfTime,
			fmt.Sprintf("no plan was found in %s; ask for fewer days or try again", s.cfg.CalculationTimeout))
		return
	}
	s.log.ErrorContext(r.Context(), "planning failed", "request_id", httpserver.RequestID(r.Context()), "error", err)
	reply.Error(w, http.StatusInternalServerError, reply.CodeInternal, "the service failed on this request")
}

// conflict points at the part of the request that stands in the way.
func conflict(ask *PlanRequest, c planner.Conflict) reply.FieldError {
	without := func(pointer, what string) reply.FieldError {
		return reply.FieldError{Pointer: pointer, Detail: "without " + what + " there is a plan"}
	}
	switch c.Part {
	case planner.Allergy:
		if i := slices.Index(ask.Allergies, c.Name); i >= 0 {
			return without(fmt.Sprintf("#/allergies/%d", i), "the allergy to "+c.Name)
		}
		return without("#/preferences", "avoiding "+c.Name)
	case planner.Diet:
		return without("#/preferences", "the diet")
	default:
		if c.Name == foods.Sodium.String() {
			return without("#/preferences", "the limit of sodium")
		}
		return without("#/goals", "the bounds of "+c.Name)
	}
}

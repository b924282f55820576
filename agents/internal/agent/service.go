package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/http/httpguts"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/cache"
	"github.com/progressive-framework/platform/agents/internal/dependencies"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/telemetry"
)

// Service serves one agent.
//
// Its readiness checks no dependency, because the agent works without them:
// without PostgreSQL it saves no plans, and without Redis it computes plans
// again.
type Service[R Request] struct {
	spec         Spec[R]
	cfg          Config
	log          *slog.Logger
	state        httpserver.State
	dependencies *dependencies.Set
	planner      Planner[R]
	planCounter  *prometheus.CounterVec
	planCache    *cache.Namespace[requestKey, []byte]
	plans        *savedPlans
	handler      http.Handler
}

// New opens the agent's dependencies. It does not wait until they are available. Close
// closes them.
func New[R Request](ctx context.Context, spec Spec[R], cfg Config, log *slog.Logger) (_ *Service[R], err error) {
	s := &Service[R]{spec: spec, cfg: cfg, log: log}
	if s.planner, err = spec.NewPlanner(); err != nil {
		return nil, err
	}
	if s.dependencies, err = dependencies.Open(ctx, cfg.Dependencies, spec.Name, log); err != nil {
		return nil, err
	}
	s.planCounter = spec.NewCounter(s.dependencies.Metrics, spec.Name)
	s.planCache, err = cache.NewNamespace[requestKey, []byte](s.dependencies.Cache, spec.Strategy, spec.KeyPrefix, cfg.CacheBytes)
	if err != nil {
		return nil, err
	}
	s.plans = newSavedPlans(ctx, s.dependencies.Store, spec.PlanKind, log)
	s.handler, err = s.newHandler()
	return s, err
}

// State returns the phase of the agent. The readiness response depends on it.
func (s *Service[R]) State() *httpserver.State { return &s.state }

// Handler serves every route of the agent.
func (s *Service[R]) Handler() http.Handler { return s.handler }

// Configure makes the server count and trace its requests.
func (s *Service[R]) Configure(cfg *httpserver.Config) { s.dependencies.Instrument(cfg) }

// Close saves the queued plans, for at most a second, and closes all
// connections.
func (s *Service[R]) Close(ctx context.Context) error {
	s.plans.close(ctx)
	return s.dependencies.Close(ctx)
}

// newHandler returns the handler of all routes. Probes and the OpenAPI document need no
// token.
func (s *Service[R]) newHandler() (http.Handler, error) {
	documentHandler, err := httpapi.DocumentHandler(s.spec.Document)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /health":                            s.state.ServeLiveness,
		"GET /health/ready":                      s.state.ServeReadiness,
		"GET /openapi.json":                      documentHandler,
		"GET " + s.spec.pathPrefix() + "/health": s.state.ServeLiveness,
	} {
		mux.HandleFunc(pattern, handle)
	}
	mux.Handle("POST "+s.spec.pathPrefix()+"/"+s.spec.Action, s.dependencies.Tokens.Require(auth.ScopeAgentsRun, http.HandlerFunc(s.servePlan)))
	return httpserver.HandleUnknownRoutes(mux), nil
}

// servePlan responds to a request for a plan. The user must be the token's subject.
func (s *Service[R]) servePlan(w http.ResponseWriter, r *http.Request) {
	request := s.spec.NewRequest()
	if !httpapi.ReadBody(w, r, s.spec.MaxBody, request) {
		return
	}
	userID := request.TakeUserID()
	if principal, ok := auth.PrincipalFromContext(r.Context()); !ok || principal.Subject != userID {
		httpapi.SendError(w, http.StatusForbidden, httpapi.CodeForbidden, "userId is not the token's subject")
		return
	}
	key := newRequestKey(request)
	compressed, err := s.planCache.Load(r.Context(), key, func(ctx context.Context) ([]byte, error) { return s.computePlan(ctx, request) })
	if err != nil {
		s.sendError(w, r, err)
		return
	}
	s.plans.save(planKey{key, userID}, compressed)
	s.sendPlan(w, r, compressed)
}

// sendPlan sends the plan compressed to a client that lists gzip without a quality value, as
// browsers do. To other clients it sends the plan uncompressed, which every client accepts.
func (s *Service[R]) sendPlan(w http.ResponseWriter, r *http.Request, compressed []byte) {
	w.Header().Set("Vary", "Accept-Encoding")
	if httpguts.HeaderValuesContainsToken(r.Header["Accept-Encoding"], "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		httpapi.SendLine(w, http.StatusOK, compressed)
		return
	}
	line, err := decompressPlan(compressed)
	if err != nil {
		s.sendError(w, r, err)
		return
	}
	httpapi.SendLine(w, http.StatusOK, line)
}

// computePlan computes the plan for a request and returns the compressed plan. All users
// with equal requests share the plan.
func (s *Service[R]) computePlan(ctx context.Context, request R) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	plan, err := s.planner(ctx, request)
	if err != nil {
		s.planCounter.WithLabelValues(telemetry.OutcomeFailed).Inc()
		return nil, err
	}
	s.planCounter.WithLabelValues(telemetry.OutcomeOK).Inc()
	return compressPlan(plan)
}

// sendError responds 422 if no plan can fulfil the request. It responds 503 if the planner
// exceeded its timeout or the client disconnected, and 500 to any other error.
func (s *Service[R]) sendError(w http.ResponseWriter, r *http.Request, err error) {
	infeasible, isInfeasible := errors.AsType[*Infeasible](err)
	switch {
	case isInfeasible:
		httpapi.SendError(w, http.StatusUnprocessableEntity, httpapi.CodeInfeasible, infeasible.Detail, infeasible.Errors...)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		w.Header().Set("Retry-After", "1")
		httpapi.SendError(w, http.StatusServiceUnavailable, httpapi.CodeOutOfTime, fmt.Sprintf(s.spec.TimeoutDetail, s.cfg.Timeout))
	default:
		s.log.ErrorContext(r.Context(), "planning failed", "error", err)
		httpapi.SendError(w, http.StatusInternalServerError, httpapi.CodeInternal, "the service failed on this request")
	}
}

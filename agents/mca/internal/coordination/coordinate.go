package coordination

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/database"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/internal/telemetry"
	"github.com/progressive-framework/platform/agents/mca/internal/queue"
	"github.com/progressive-framework/platform/agents/mca/internal/week"
)

// Coordination is the body of a 200 response to POST /coordinate.
type Coordination struct {
	ID     uuid.UUID `json:"id"`
	UserID string    `json:"userId"`
	Task   string    `json:"task"`
	// Status is complete, or partial if an agent failed. The week of a partial
	// coordination has no meals or no sessions.
	Status    string        `json:"status"`
	CreatedAt time.Time     `json:"createdAt"`
	Agents    []AgentReport `json:"agents"`
	Week      week.Week     `json:"week"`
}

// CodeAgentsUnavailable is the error code of the 503 response if no agent responded.
const CodeAgentsUnavailable = "agents_unavailable"

// partialError contains a partial response. It is an error, because the cache does
// not store errors. So the next request may get a complete response.
type partialError struct{ encoded []byte }

func (partialError) Error() string { return "an agent failed" }

// rejectedError means that an agent rejected the request. It has the agents' field
// errors.
type rejectedError struct{ errors []httpapi.FieldError }

func (rejectedError) Error() string { return "an agent rejected the request" }

var errNoAgent = errors.New("no agent responded")

// coordinate responds to POST /coordinate. Equal requests of a user share a
// cached response.
func (s *Service) coordinate(w http.ResponseWriter, r *http.Request) {
	start, outcome := time.Now(), telemetry.OutcomeRefused
	defer func() {
		s.metrics.Requests.WithLabelValues(outcome).Inc()
		s.metrics.Duration.Observe(time.Since(start).Seconds())
	}()
	var request CoordinateRequest
	if !httpapi.ReadBody(w, r, maxBody, &request) {
		return
	}
	principal, _ := auth.PrincipalFromContext(r.Context())
	if request.UserID != "" && request.UserID != principal.Subject {
		httpapi.SendError(w, http.StatusForbidden, httpapi.CodeForbidden, "userId is not the token's subject; omit it or send the subject")
		return
	}
	request.normalize(principal.Subject)
	header := http.Header{}
	header.Set("Authorization", r.Header.Get("Authorization"))

	encoded, err := s.responseCache.Load(r.Context(), request.cacheKey(), func(ctx context.Context) ([]byte, error) {
		return s.compute(ctx, &request, header)
	})
	partial, isPartial := errors.AsType[partialError](err)
	switch {
	case isPartial:
		outcome = telemetry.OutcomePartial
		httpapi.SendLine(w, http.StatusOK, partial.encoded)
	case err != nil:
		outcome = s.sendError(w, r, err)
	default:
		outcome = telemetry.OutcomeOK
		httpapi.SendLine(w, http.StatusOK, encoded)
	}
}

// compute waits in the queue for a slot, calls the agents, and returns their merged
// responses. If only some agents failed, it returns the response as a partialError.
func (s *Service) compute(ctx context.Context, request *CoordinateRequest, header http.Header) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.CoordinationTimeout)
	defer cancel()
	leave, err := s.queue.Enter(ctx, queue.Priorities[request.Priority])
	if err != nil {
		return nil, err
	}
	defer leave()
	s.metrics.Active.Inc()
	defer s.metrics.Active.Dec()
	start := time.Now()
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("create an id: %w", err)
	}
	// Both tries of a hedge have the same id, so that an agent saves its plan
	// once. The header also allows net/http to send the request again on a new
	// connection.
	header.Set("Idempotency-Key", id.String())
	response := Coordination{ID: id, UserID: request.UserID, Task: request.Task, CreatedAt: start.UTC().Truncate(time.Millisecond)}
	response.Status, response.Week, response.Agents, err = s.merge(ctx, request, s.callAgents(ctx, header, request.agentRequests()))
	s.recorder.add(request, response, time.Since(start))
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(response)
	if err != nil {
		return nil, fmt.Errorf("encode the coordination: %w", err)
	}
	encoded = append(encoded, '\n')
	if response.Status == database.CoordinationPartial {
		return nil, partialError{encoded}
	}
	return encoded, nil
}

// merge merges the agents' outcomes into one week, and returns a report for each
// agent. The error is a rejectedError or errNoAgent.
func (s *Service) merge(ctx context.Context, request *CoordinateRequest, outcomes []agentOutcome) (status string, merged week.Week, reports []AgentReport, err error) {
	var (
		nutrition *week.Nutrition
		training  *week.Training
		rejected  []httpapi.FieldError
		succeeded int
	)
	for _, outcome := range outcomes {
		if outcome.err == nil {
			switch outcome.report.Agent {
			case npa:
				nutrition, outcome.err = decodeResponse[week.Nutrition](outcome.body)
			case wpa:
				training, outcome.err = decodeResponse[week.Training](outcome.body)
			}
			if outcome.err != nil {
				outcome.report.Status, outcome.report.Reason = agentFailed, malformed
			}
		}
		if outcome.err == nil {
			succeeded++
		}
		s.reportOutcome(ctx, request.UserID, outcome)
		rejected = append(rejected, outcome.fieldErrors...)
		reports = append(reports, outcome.report)
	}
	switch {
	case len(rejected) > 0:
		return database.CoordinationFailed, merged, reports, rejectedError{rejected}
	case succeeded == 0:
		return database.CoordinationFailed, merged, reports, errNoAgent
	}
	status = database.CoordinationComplete
	if succeeded < len(outcomes) {
		status = database.CoordinationPartial
	}
	return status, week.Merge(nutrition, training, request.weightKg()), reports, nil
}

// reportOutcome counts the outcome of one agent in the metrics, and logs a failure.
func (s *Service) reportOutcome(ctx context.Context, user string, o agentOutcome) {
	agent, reason := o.report.Agent, o.report.Reason
	if o.err != nil {
		s.log.WarnContext(ctx, "an agent failed", "agent", agent, "reason", reason, "user", user, "error", o.err)
		s.metrics.Failures.WithLabelValues(agent, reason).Inc()
	}
	if o.report.Hedged {
		s.metrics.Hedges.WithLabelValues(agent).Inc()
	}
}

// decodeResponse decodes and checks an agent's response. It uses encoding/json/v2,
// which takes half the time of encoding/json and rejects duplicate names. A is the type of
// the response. P is *A, which has the method Check.
func decodeResponse[A any, P interface {
	*A
	Check() error
}](body []byte) (response P, err error) {
	if err := jsonv2.Unmarshal(body, &response); err != nil {
		return nil, err
	}
	if err := response.Check(); err != nil {
		return nil, err
	}
	return response, nil
}

// sendError sends an error response for the error of compute, and returns the outcome
// for the metrics.
func (s *Service) sendError(w http.ResponseWriter, r *http.Request, err error) (outcome string) {
	sendRetryable := func(status int, code, detail string) {
		w.Header().Set("Retry-After", "1")
		httpapi.SendError(w, status, code, detail)
	}
	rejected, isRejected := errors.AsType[rejectedError](err)
	switch {
	case isRejected:
		httpapi.SendError(w, http.StatusUnprocessableEntity, httpapi.CodeInvalid, "an agent rejected its part of the request; see errors", rejected.errors...)
		return telemetry.OutcomeRefused
	case errors.Is(err, queue.ErrFull):
		sendRetryable(http.StatusTooManyRequests, httpapi.CodeTooManyRequests,
			fmt.Sprintf("queue full: %d coordinations active, %d requests waiting; try again", s.cfg.MaxConcurrentAgents, queueDepth))
		return telemetry.OutcomeRefused
	case errors.Is(err, errNoAgent):
		sendRetryable(http.StatusServiceUnavailable, CodeAgentsUnavailable, "no agent responded; try again")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		sendRetryable(http.StatusServiceUnavailable, httpapi.CodeOutOfTime,
			fmt.Sprintf("queue timeout after %s: %d requests waiting; try again", s.cfg.CoordinationTimeout, s.queue.Counts().Queued))
	default:
		s.log.ErrorContext(r.Context(), "coordination failed", "error", err)
		httpapi.SendError(w, http.StatusInternalServerError, httpapi.CodeInternal, "the service failed on this request")
	}
	return telemetry.OutcomeFailed
}

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

// Coordination is the body of a 200 of POST /coordinate.
type Coordination struct {
	ID     uuid.UUID `json:"id"`
	UserID string    `json:"userId"`
	Task   string    `json:"task"`
	// Status is complete, or partial when an agent failed and its part is
	// absent.
	Status    string        `json:"status"`
	CreatedAt time.Time     `json:"createdAt"`
	Agents    []AgentReport `json:"agents"`
	Week      week.Week     `json:"week"`
}

// CodeAgents is the code of the 503 when no agent answered.
const CodeAgents = "agents_unavailable"

// partial is an answer that must not be cached: the next may be whole.
type partial struct{ line []byte }

func (partial) Error() string { return "an agent failed" }

// refused is what the agents found wrong with the request.
type refused struct{ wrong []httpapi.FieldError }

func (refused) Error() string { return "an agent refuses the request" }

var errNoAgent = errors.New("no agent answered")

func (s *Service) coordinate(w http.ResponseWriter, r *http.Request) {
	began, outcome := time.Now(), telemetry.OutcomeRefused
	defer func() {
		s.meters.Requests.WithLabelValues(outcome).Inc()
		s.meters.Duration.Observe(time.Since(began).Seconds())
	}()
	var ask CoordinateRequest
	if !httpapi.ReadBody(w, r, maxBody, &ask) {
		return
	}
	principal, _ := auth.PrincipalOf(r.Context())
	if ask.UserID != "" && ask.UserID != principal.Subject {
		httpapi.Error(w, http.StatusForbidden, httpapi.CodeForbidden, "userId is not the token's subject; leave it out or send that")
		return
	}
	ask.complete(principal.Subject)
	header := http.Header{}
	header.Set("Authorization", r.Header.Get("Authorization"))

	line, err := s.answers.Load(r.Context(), ask.key(), func(ctx context.Context) ([]byte, error) {
		return s.fresh(ctx, &ask, header)
	})
	part, isPartial := errors.AsType[partial](err)
	switch {
	case isPartial:
		outcome = telemetry.OutcomePartial
		httpapi.Line(w, http.StatusOK, part.line)
	case err != nil:
		outcome = s.refuse(w, r, err)
	default:
		outcome = telemetry.OutcomeOK
		httpapi.Line(w, http.StatusOK, line)
	}
}

// fresh waits for a place in the queue, asks the agents and merges their answers.
// Its error is partial where an agent failed.
func (s *Service) fresh(ctx context.Context, ask *CoordinateRequest, header http.Header) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.CoordinationTimeout)
	defer cancel()
	leave, err := s.queue.Enter(ctx, queue.Priorities[ask.Priority])
	if err != nil {
		return nil, err
	}
	defer leave()
	s.meters.Active.Inc()
	defer s.meters.Active.Dec()
	began := time.Now()
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("make an id: %w", err)
	}
	// One id for both tries of a hedge lets an agent keep its plan once. It also
	// tells net/http that the request may be sent again on a new connection.
	header.Set("Idempotency-Key", id.String())
	answer := Coordination{ID: id, UserID: ask.UserID, Task: ask.Task, CreatedAt: began.UTC().Truncate(time.Millisecond)}
	answer.Status, answer.Week, answer.Agents, err = s.merge(ask, s.fanOut(ctx, header, ask.questions()))
	s.records.add(ask, answer, time.Since(began))
	if err != nil {
		return nil, err
	}
	line, err := json.Marshal(answer)
	if err != nil {
		return nil, fmt.Errorf("encode a coordination: %w", err)
	}
	line = append(line, '\n')
	if answer.Status == database.Partial {
		return nil, partial{line}
	}
	return line, nil
}

// merge makes one week of the outcomes.
func (s *Service) merge(ask *CoordinateRequest, outcomes []outcome) (status string, merged week.Week, reports []AgentReport, err error) {
	var (
		nutrition *week.Nutrition
		training  *week.Training
		wrong     []httpapi.FieldError
		good      int
	)
	for _, o := range outcomes {
		if o.err == nil {
			switch o.report.Agent {
			case npa:
				nutrition, o.err = read[week.Nutrition](o.body)
			case wpa:
				training, o.err = read[week.Training](o.body)
			}
			if o.err != nil {
				o.report.Status, o.report.Reason = agentFailed, "malformed"
			}
		}
		if o.err != nil {
			s.log.Warn("an agent failed", "agent", o.report.Agent, "reason", o.report.Reason, "user", ask.UserID, "error", o.err)
		} else {
			good++
		}
		wrong = append(wrong, o.wrong...)
		reports = append(reports, o.report)
	}
	switch {
	case len(wrong) > 0:
		return database.Failed, merged, reports, refused{wrong}
	case good == 0:
		return database.Failed, merged, reports, errNoAgent
	}
	status = database.Complete
	if good < len(outcomes) {
		status = database.Partial
	}
	return status, week.Merge(nutrition, training, ask.weightKg()), reports, nil
}

// read decodes an agent's answer, nil unless it is one that can be merged. What
// is to be Go's next encoding/json takes half as long, and refuses names that
// occur twice.
func read[A any, P interface {
	*A
	Check() error
}](body []byte) (answer P, err error) {
	if err := jsonv2.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	if err := answer.Check(); err != nil {
		return nil, err
	}
	return answer, nil
}

func (s *Service) refuse(w http.ResponseWriter, r *http.Request, err error) (outcome string) {
	again := func(status int, code, detail string) {
		w.Header().Set("Retry-After", "1")
		httpapi.Error(w, status, code, detail)
	}
	rules, isRefused := errors.AsType[refused](err)
	switch {
	case isRefused:
		httpapi.Error(w, http.StatusUnprocessableEntity, httpapi.CodeInvalid, "an agent refuses its part of the request; see errors", rules.wrong...)
		return telemetry.OutcomeRefused
	case errors.Is(err, queue.ErrFull):
		again(http.StatusTooManyRequests, httpapi.CodeTooManyRequests,
			fmt.Sprintf("queue full: %d coordinations active, %d requests waiting; try again", s.cfg.MaxConcurrentAgents, queueDepth))
		return telemetry.OutcomeRefused
	case errors.Is(err, errNoAgent):
		again(http.StatusServiceUnavailable, CodeAgents, "no agent answered; try again")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		again(http.StatusServiceUnavailable, httpapi.CodeOutOfTime,
			fmt.Sprintf("queue timeout after %s: %d requests waiting; try again", s.cfg.CoordinationTimeout, s.queue.Counts().Queued))
	default:
		s.log.ErrorContext(r.Context(), "coordination failed", "error", err)
		httpapi.Error(w, http.StatusInternalServerError, httpapi.CodeInternal, "the service failed on this request")
	}
	return telemetry.OutcomeFailed
}

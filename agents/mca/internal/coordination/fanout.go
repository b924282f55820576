package coordination

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/internal/upstream"
)

// AgentReport is how one agent did in a coordination.
type AgentReport struct {
	Agent  string `json:"agent"`
	Status string `json:"status"` // ok or failed
	// Reason is why it failed: timeout, circuit_open, unreachable, refused or
	// malformed.
	Reason     string `json:"reason,omitempty"`
	DurationMS int64  `json:"durationMs"`
	// Hedged is whether it was asked twice because it was late or failed.
	Hedged bool `json:"hedged"`
}

// The words of AgentReport.Status.
const (
	agentOK     = "ok"
	agentFailed = "failed"
)

// outcome is one agent's answer.
type outcome struct {
	report AgentReport
	body   []byte
	// wrong is what the agent found wrong with its part of the request.
	wrong []httpapi.FieldError
	err   error
}

// fanOut asks all at once, each for at most AgentTimeout.
func (s *Service) fanOut(ctx context.Context, header http.Header, questions []question) []outcome {
	outcomes := make([]outcome, len(questions))
	var all sync.WaitGroup
	for i, q := range questions[1:] {
		all.Go(func() { outcomes[i+1] = s.ask(ctx, header, q) })
	}
	outcomes[0] = s.ask(ctx, header, questions[0])
	all.Wait()
	return outcomes
}

func (s *Service) ask(ctx context.Context, header http.Header, q question) outcome {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.AgentTimeout)
	defer cancel()
	body, err := json.Marshal(q.body)
	if err != nil {
		return failure(q, upstream.Answer{}, 0, "malformed", err)
	}
	began := time.Now()
	answer, err := s.agents[q.agent].Post(ctx, agentsPath+q.agent+q.path, header, body)
	took := time.Since(began)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return failure(q, answer, took, "timeout", err)
	case errors.Is(err, upstream.ErrOpen):
		return failure(q, answer, took, "circuit_open", err)
	case err != nil:
		return failure(q, answer, took, "unreachable", err)
	case answer.Status == http.StatusUnprocessableEntity:
		o := failure(q, answer, took, "refused", errors.New("it refuses its part of the request"))
		o.wrong = rooted(q.part, answer.Body)
		return o
	case answer.Status != http.StatusOK:
		return failure(q, answer, took, "refused", fmt.Errorf("it answered %d", answer.Status))
	}
	return outcome{report: AgentReport{q.agent, agentOK, "", took.Milliseconds(), answer.Hedged}, body: answer.Body}
}

func failure(q question, answer upstream.Answer, took time.Duration, reason string, err error) outcome {
	return outcome{report: AgentReport{q.agent, agentFailed, reason, took.Milliseconds(), answer.Hedged}, err: err}
}

// mostRefusals is how many errors of one agent are passed on; our services send
// no more.
const mostRefusals = 20

// rooted turns the errors of an agent's problem into errors of our request.
func rooted(part string, body []byte) []httpapi.FieldError {
	var problem httpapi.Problem
	if err := json.Unmarshal(body, &problem); err != nil || len(problem.Errors) == 0 {
		return []httpapi.FieldError{{Pointer: "#/" + part, Detail: "is refused: " + problem.Detail}}
	}
	wrong := problem.Errors[:min(len(problem.Errors), mostRefusals)]
	for i, one := range wrong {
		wrong[i] = httpapi.FieldError{Pointer: "#/" + part, Detail: cmp.Or(one.Detail, "is refused")}
		if below, ok := strings.CutPrefix(one.Pointer, "#/"); ok {
			wrong[i].Pointer += "/" + below
		}
	}
	return wrong
}

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

// AgentReport is the result of one agent in a coordination.
type AgentReport struct {
	Agent  string `json:"agent"`
	Status string `json:"status"` // ok or failed
	// Reason is one of failureReasons if the agent failed, and else empty.
	Reason     string `json:"reason,omitempty"`
	DurationMS int64  `json:"durationMs"`
	// Hedged is true if the request was sent twice, because the first attempt was
	// slow or failed.
	Hedged bool `json:"hedged"`
}

// Values of AgentReport.Status.
const (
	agentOK     = "ok"
	agentFailed = "failed"
)

// Values of AgentReport.Reason.
const (
	timedOut    = "timeout"
	circuitOpen = "circuit_open"
	unreachable = "unreachable"
	refused     = "refused"
	malformed   = "malformed"
)

var failureReasons = []string{timedOut, circuitOpen, unreachable, refused, malformed}

// agentOutcome is the result of calling one agent.
type agentOutcome struct {
	report AgentReport
	body   []byte
	// fieldErrors are the agent's errors for the fields of its request.
	fieldErrors []httpapi.FieldError
	err         error
}

// callAgents sends all requests concurrently, each with AgentTimeout. It returns their
// outcomes in the order of the requests, of which there must be at least one. It sends the
// first request in the caller's goroutine, which saves one goroutine.
func (s *Service) callAgents(ctx context.Context, header http.Header, requests []agentRequest) []agentOutcome {
	outcomes := make([]agentOutcome, len(requests))
	var wg sync.WaitGroup
	for i, r := range requests[1:] {
		wg.Go(func() { outcomes[i+1] = s.callAgent(ctx, header, r) })
	}
	outcomes[0] = s.callAgent(ctx, header, requests[0])
	wg.Wait()
	return outcomes
}

// callAgent calls one agent and classifies its response.
func (s *Service) callAgent(ctx context.Context, header http.Header, r agentRequest) agentOutcome {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.AgentTimeout)
	defer cancel()
	body, err := json.Marshal(r.body)
	if err != nil {
		return failedOutcome(r, upstream.Response{}, 0, malformed, err)
	}
	start := time.Now()
	response, err := s.agents[r.agent].Post(ctx, agentsPath+r.agent+r.path, header, body)
	duration := time.Since(start)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return failedOutcome(r, response, duration, timedOut, err)
	case errors.Is(err, upstream.ErrOpen):
		return failedOutcome(r, response, duration, circuitOpen, err)
	case err != nil:
		return failedOutcome(r, response, duration, unreachable, err)
	case response.Status == http.StatusUnprocessableEntity:
		o := failedOutcome(r, response, duration, refused, errors.New("the agent rejected its request: status 422"))
		o.fieldErrors = prefixErrors(r.field, response.Body)
		return o
	case response.Status != http.StatusOK:
		return failedOutcome(r, response, duration, refused, fmt.Errorf("the agent responded %d", response.Status))
	}
	s.metrics.AgentRequests.WithLabelValues(r.agent).Observe(duration.Seconds())
	return agentOutcome{report: AgentReport{r.agent, agentOK, "", duration.Milliseconds(), response.Hedged}, body: response.Body}
}

// failedOutcome returns the outcome of an agent that failed.
func failedOutcome(r agentRequest, response upstream.Response, duration time.Duration, reason string, err error) agentOutcome {
	return agentOutcome{report: AgentReport{r.agent, agentFailed, reason, duration.Milliseconds(), response.Hedged}, err: err}
}

// maxAgentErrors is the maximum number of field errors that a response contains for
// one agent. An agent sends at most 20 (package httpapi).
const maxAgentErrors = 20

// prefixErrors returns the field errors of an agent's error response for the client of the MCA. The
// client's request contains the agent's request as the value of a field, such as "nutrition". So
// prefixErrors changes the pointer #/goals to #/nutrition/goals. If the response has no field errors,
// prefixErrors returns one error for the whole field.
func prefixErrors(field string, body []byte) []httpapi.FieldError {
	var problem httpapi.Problem
	if err := json.Unmarshal(body, &problem); err != nil || len(problem.Errors) == 0 {
		return []httpapi.FieldError{{Pointer: "#/" + field, Detail: "is rejected: " + problem.Detail}}
	}
	fieldErrors := problem.Errors[:min(len(problem.Errors), maxAgentErrors)]
	for i, e := range fieldErrors {
		fieldErrors[i] = httpapi.FieldError{Pointer: "#/" + field, Detail: cmp.Or(e.Detail, "is rejected")}
		if path, ok := strings.CutPrefix(e.Pointer, "#/"); ok {
			fieldErrors[i].Pointer += "/" + path
		}
	}
	return fieldErrors
}

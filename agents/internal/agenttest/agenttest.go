// Package agenttest has the tests of configuration and API that npa and wpa share. It
// is separate from package servicetest, because servicetest cannot import package agent:
// the tests of package agent import servicetest. Fuzz tests must not import
// this package, because it links the validator of OpenAPI documents.
package agenttest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/agent"
	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/internal/openapitest"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
)

// Agent is npa or wpa with the names and defaults that a test expects. The test repeats
// these values, so that a wrong value in the Spec fails the test.
type Agent[R agent.Request] struct {
	Spec agent.Spec[R]
	// Type is the value of AGENT_TYPE.
	Type                           string
	TimeoutVariable, CacheVariable string
	DefaultTimeout                 time.Duration
	DefaultCacheBytes              uint64
	// Path and Body are the request of the design document's load test.
	Path, Body string
}

// CheckConfig checks the defaults, and that every invalid variable is reported.
func (a Agent[R]) CheckConfig(t *testing.T) {
	t.Helper()
	cfg, err := a.Spec.ReadConfig(servicetest.New(t).Lookup(map[string]string{"LISTEN_ADDRESS": ":8000"}))
	require.NoError(t, err)
	require.Equal(t, a.Type, cfg.AgentType)
	require.Equal(t, a.DefaultTimeout, cfg.Timeout, "the timeout of the design document")
	require.Equal(t, a.DefaultCacheBytes, cfg.CacheBytes, "the cache size of the design document")
	require.Equal(t, ":8000", cfg.HTTP.Address)
	require.Less(t, cfg.Timeout, cfg.HTTP.WriteTimeout, "a plan that takes the whole timeout can still be sent")

	invalid := map[string]string{
		"AGENT_TYPE": "MCA", a.TimeoutVariable: "1h", a.CacheVariable: "big", "LISTEN_ADDRESS": "8000",
		"DRAIN_DELAY": "6m", "SHUTDOWN_TIMEOUT": "0s", "LOG_LEVEL": "loud",
	}
	_, err = a.Spec.ReadConfig(servicetest.New(t).Lookup(invalid))
	problems, ok := errors.AsType[envconfig.Problems](err)
	require.True(t, ok)
	reported := map[string]string{}
	for _, p := range problems {
		reported[p.Variable] = p.Value
	}
	require.Equal(t, invalid, reported)
}

// NewChecker creates the agent and returns a checker of its API. The checker sends a token
// of the user. If planner is nil, the agent uses its own planner.
func (a Agent[R]) NewChecker(t *testing.T, user string, planner agent.Planner[R], timeout time.Duration) *openapitest.Checker {
	t.Helper()
	spec := a.Spec
	if planner != nil {
		spec.NewPlanner = func() (agent.Planner[R], error) { return planner, nil }
	}
	env := servicetest.New(t)
	cfg, err := spec.ReadConfig(env.Lookup(map[string]string{a.TimeoutVariable: timeout.String()}))
	require.NoError(t, err)
	s, err := agent.New(t.Context(), spec, cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.WithoutCancel(t.Context()))) })
	api := openapitest.New(t, spec.Document, s.Handler())
	api.Token = env.Token(t, user)
	return api
}

// SendLoadTestRequest creates the agent twice, sends the load test's request to both, and
// returns the first response. Equal requests must get equal plans.
func (a Agent[R]) SendLoadTestRequest(t *testing.T) *httptest.ResponseRecorder {
	t.Helper()
	send := func() *httptest.ResponseRecorder {
		return a.NewChecker(t, servicetest.User, nil, 10*time.Second).Send(t, http.MethodPost, a.Path, a.Body)
	}
	w := send()
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, w.Body.String(), send().Body.String(), "equal requests get equal plans")
	return w
}

// Row is a request body with its expected status and field errors. It is an alias, so
// that other packages can write its values without field names.
type Row = struct {
	Reason, Body string
	Status       int
	Pointers     []string
}

// CheckRequests sends the body of each row as user "u", and bodies that every agent
// rejects.
func (a Agent[R]) CheckRequests(t *testing.T, rows []Row) {
	t.Helper()
	api := a.NewChecker(t, "u", nil, 10*time.Second)
	for _, row := range append(rows,
		Row{"not JSON", `{`, 400, nil},
		Row{"too large", `{"userId":"` + strings.Repeat("a", 200<<10) + `"}`, 413, nil},
	) {
		t.Run(row.Reason, func(t *testing.T) {
			w := api.Send(t, http.MethodPost, a.Path, row.Body)
			require.Equal(t, row.Status, w.Code, w.Body)
			if row.Status == http.StatusOK {
				return
			}
			require.Equal(t, row.Pointers, errorPointers(servicetest.Decode[httpapi.Problem](t, w)))
		})
	}
}

// Failure is an error of the planner with its expected response.
type Failure struct {
	Reason   string
	Err      error // nil: the planner waits until its timeout
	Status   int
	Code     string
	Pointers []string
}

// CheckFailures sends the body once for each failure, and checks the response. The
// failures are the rows and two failures that every agent handles. newPlanner returns
// a planner that fails with the error.
func (a Agent[R]) CheckFailures(t *testing.T, user, body string, newPlanner func(err error) agent.Planner[R], rows ...Failure) {
	t.Helper()
	for _, row := range append(rows,
		Failure{"out of time", nil, 503, httpapi.CodeOutOfTime, nil},
		Failure{"the text of an unexpected error is not sent", errors.New("secret"), 500, httpapi.CodeInternal, nil},
	) {
		t.Run(row.Reason, func(t *testing.T) {
			w := a.NewChecker(t, user, newPlanner(row.Err), time.Millisecond).Send(t, http.MethodPost, a.Path, body)
			require.Equal(t, row.Status, w.Code)
			require.NotContains(t, w.Body.String(), "secret")
			problem := servicetest.Decode[httpapi.Problem](t, w)
			require.Equal(t, row.Code, problem.Code)
			require.Equal(t, row.Pointers, errorPointers(problem))
		})
	}
}

// Fail returns err. If err is nil, it waits until ctx ends and returns ctx's error.
func Fail[T any](ctx context.Context, err error) (zero T, _ error) {
	if err == nil {
		<-ctx.Done()
		err = ctx.Err()
	}
	return zero, err
}

// CheckHealth checks the public health path.
func (a Agent[R]) CheckHealth(t *testing.T) {
	t.Helper()
	w := a.NewChecker(t, "u", nil, time.Second).Send(t, http.MethodGet, "/api/v1/agents/"+a.Spec.Name+"/health", "")
	require.Equal(t, http.StatusOK, w.Code)
}

// errorPointers returns the pointers of the problem's field errors.
func errorPointers(problem httpapi.Problem) (pointers []string) {
	for _, e := range problem.Errors {
		pointers = append(pointers, e.Pointer)
	}
	return pointers
}

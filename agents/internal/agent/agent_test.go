package agent

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/cache"
	"github.com/progressive-framework/platform/agents/internal/database"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/internal/telemetry"
	"github.com/progressive-framework/platform/agents/internal/testservers"
)

var postgres *testservers.Postgres

func TestMain(m *testing.M) {
	os.Exit(testservers.Main(m, func(ctx context.Context) (_ testservers.Server, err error) {
		postgres, err = testservers.StartPostgres(ctx, nil)
		return postgres, err
	}))
}

// request is the request type of the test's agent.
type request struct {
	UserID string `json:"userId"`
	Plan   string `json:"plan"`
}

func (*request) Validate() []httpapi.FieldError { return nil }

func (r *request) TakeUserID() string {
	id := r.UserID
	r.UserID = ""
	return id
}

// plan is the response type of the test's agent.
type plan struct {
	Number int64  `json:"number"`
	Text   string `json:"text,omitempty"`
}

// testAgent is an agent with its own database. Its planner counts its plans,
// unless a test sets another planner.
type testAgent struct {
	*Service[*request]
	env     *servicetest.Environment
	planned atomic.Int64
	planner Planner[*request]
}

// openTestAgent returns an agent that the test must close. changes are the variables that
// differ from servicetest's environment.
func openTestAgent(t *testing.T, changes map[string]string) *testAgent {
	t.Helper()
	a := &testAgent{env: servicetest.New(t)}
	a.planner = func(context.Context, *request) (any, error) { return plan{Number: a.planned.Add(1)}, nil }
	spec := Spec[*request]{
		Name: "npa", Action: "plan", Document: []byte("openapi: 3.1.0"), MaxBody: 1 << 10,
		TimeoutVariable: "CALCULATION_TIMEOUT", DefaultTimeout: 10 * time.Second,
		CacheVariable: "NUTRITION_DB_CACHE_SIZE", DefaultCache: "1MiB",
		Strategy: cache.NutritionData, KeyPrefix: "npa:plan:", PlanKind: database.Nutrition, NewCounter: telemetry.NewNutritionCalculations,
		NewRequest: func() *request { return &request{} },
		NewPlanner: func() (Planner[*request], error) {
			return func(ctx context.Context, r *request) (any, error) { return a.planner(ctx, r) }, nil
		},
		TimeoutDetail: "no plan in %s",
	}
	cfg, err := spec.ReadConfig(a.env.Lookup(changes))
	require.NoError(t, err)
	a.Service, err = New(t.Context(), spec, cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return a
}

// newTestAgent returns an agent that is closed when the test ends.
func newTestAgent(t *testing.T, changes map[string]string) *testAgent {
	t.Helper()
	a := openTestAgent(t, changes)
	t.Cleanup(func() { require.NoError(t, a.Close(context.WithoutCancel(t.Context()))) })
	return a
}

// newDatabaseEnv creates a database and returns the environment variables for it.
func newDatabaseEnv(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"DATABASE_URL": servicetest.CreateDatabase(t, postgres), "DATABASE_STATEMENT_TIMEOUT": "10s"}
}

// send sends a user's request. The principal is the same user.
func (a *testAgent) send(t *testing.T, user, plan string) *httptest.ResponseRecorder {
	t.Helper()
	return a.sendAs(auth.WithPrincipal(t.Context(), auth.Principal{Subject: user}), t, user, plan)
}

// sendAs sends a user's request. ctx has the principal of the token, or no principal.
func (a *testAgent) sendAs(ctx context.Context, t *testing.T, user, plan string) *httptest.ResponseRecorder {
	t.Helper()
	body, err := json.Marshal(request{user, plan})
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	a.servePlan(w, r)
	return w
}

// requestPlan requests a plan and returns the response's body. The status must be 200.
func (a *testAgent) requestPlan(t *testing.T, user, plan string) string {
	t.Helper()
	w := a.send(t, user, plan)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	return w.Body.String()
}

// waitForPlans waits until count plans of the user are saved, and returns them.
func (a *testAgent) waitForPlans(t *testing.T, user string, count int) []database.Plan {
	t.Helper()
	var plans []database.Plan
	require.Eventually(t, func() bool {
		var err error
		plans, err = a.dependencies.Store.RecentPlans(t.Context(), database.Nutrition, user, 10)
		return err == nil && len(plans) == count
	}, testservers.StartTimeout, time.Millisecond)
	return plans
}

func TestEqualRequestsArePlannedOnceAndSavedForEachUser(t *testing.T) {
	a := newTestAgent(t, newDatabaseEnv(t))
	for range 3 {
		require.Equal(t, `{"number":1}`+"\n", a.requestPlan(t, "ada", "week"))
		require.Equal(t, `{"number":1}`+"\n", a.requestPlan(t, "bob", "week"), "another user gets the shared plan")
	}
	require.Equal(t, `{"number":2}`+"\n", a.requestPlan(t, "ada", "month"), "another request")
	require.JSONEq(t, `{"number":1}`, string(a.waitForPlans(t, "bob", 1)[0].Body), "one row for each request, also after several responses")
	a.waitForPlans(t, "ada", 2)
	require.EqualValues(t, 2, testutil.ToFloat64(a.planCounter.WithLabelValues(telemetry.OutcomeOK)), "the counter counts computed plans, not responses")
}

func TestAnotherUsersPlanIsForbidden(t *testing.T) {
	a := newTestAgent(t, nil)
	a.planner = func(context.Context, *request) (any, error) { panic("nothing is planned") }
	for reason, ctx := range map[string]context.Context{
		"another user's token": auth.WithPrincipal(t.Context(), auth.Principal{Subject: "bob"}),
		"no token":             t.Context(),
	} {
		require.Equal(t, http.StatusForbidden, a.sendAs(ctx, t, "ada", "week").Code, reason)
	}
}

func TestFailuresAreNotCached(t *testing.T) {
	a := newTestAgent(t, nil)
	countingPlanner := a.planner
	for _, row := range []struct {
		reason string
		plan   any
		err    error
		status int
		detail string
	}{
		{"the text of an internal error is not sent", nil, errors.New("secret"), 500, "the service failed on this request"},
		{"timeout", nil, context.DeadlineExceeded, 503, "no plan in 10s"},
		{"a conflict", nil, &Infeasible{Detail: "conflict", Errors: []httpapi.FieldError{{Pointer: "#/plan"}}}, 422, "conflict"},
		{"a plan that has no JSON", make(chan int), nil, 500, "the service failed on this request"},
	} {
		a.planner = func(context.Context, *request) (any, error) { return row.plan, row.err }
		w := a.send(t, "ada", "week")
		require.Equal(t, row.status, w.Code, row.reason)
		var problem httpapi.Problem
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &problem))
		require.Equal(t, row.detail, problem.Detail, row.reason)
	}
	a.planner = countingPlanner
	require.Contains(t, a.requestPlan(t, "ada", "week"), `"number":1`)
	require.EqualValues(t, 3, testutil.ToFloat64(a.planCounter.WithLabelValues(telemetry.OutcomeFailed)), "the planner succeeded for the plan that has no JSON")
}

// TestRequestsGetPlansWhileTheDatabaseIsDown also checks that an unsaved plan is
// saved at its next request.
func TestRequestsGetPlansWhileTheDatabaseIsDown(t *testing.T) {
	server, err := testservers.StartPostgres(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	a := newTestAgent(t, map[string]string{"DATABASE_URL": servicetest.CreateDatabase(t, server), "DATABASE_STATEMENT_TIMEOUT": "10s"})
	a.requestPlan(t, "ada", "before")
	a.waitForPlans(t, "ada", 1)
	require.NoError(t, server.Stop())
	const requests = 20
	for i := range requests {
		a.requestPlan(t, "ada", fmt.Sprint("during ", i)) // fails the test if the status is not 200
	}
	require.Eventually(t, func() bool { return a.plans.writer.Counts().Failed == requests }, testservers.StartTimeout, time.Millisecond)
	require.NoError(t, server.Start(t.Context()))
	a.requestPlan(t, "ada", "during 7")
	saved := a.waitForPlans(t, "ada", 2)
	t.Logf("%d requests while the database was down, 0 failed; %d plans saved before, 0 lost", requests, len(saved)-1)
}

// TestDroppedPlanIsSavedAtTheNextRequest fills the queue of the writer, so that the
// writer drops a plan. A dropped plan must not count as saved.
func TestDroppedPlanIsSavedAtTheNextRequest(t *testing.T) {
	a := newTestAgent(t, newDatabaseEnv(t))
	started, release := make(chan struct{}), make(chan struct{})
	var firstWrite sync.Once
	a.plans.writer.Close(t.Context())
	a.plans.writer = database.NewWriter(context.WithoutCancel(t.Context()), "save plans", func(ctx context.Context, plans []savedPlan) error {
		firstWrite.Do(func() { close(started); <-release })
		return a.plans.write(ctx, plans)
	}, slog.New(slog.DiscardHandler))
	compressed, err := compressPlan(plan{})
	require.NoError(t, err)
	filler := savedPlan{planKey{"filler", "bob"}, compressed}
	require.True(t, a.plans.writer.Enqueue(filler))
	<-started
	for a.plans.writer.Enqueue(filler) { // until the queue is full
	}
	a.requestPlan(t, "ada", "week")
	close(release)
	require.Eventually(t, func() bool {
		a.requestPlan(t, "ada", "week")
		plans, err := a.dependencies.Store.RecentPlans(t.Context(), database.Nutrition, "ada", 10)
		return err == nil && len(plans) == 1
	}, testservers.StartTimeout, time.Millisecond)
}

func TestCloseSavesQueuedPlans(t *testing.T) {
	env := newDatabaseEnv(t)
	a := openTestAgent(t, env)
	a.requestPlan(t, "ada", "week")
	require.NoError(t, a.Close(t.Context()))
	newTestAgent(t, env).waitForPlans(t, "ada", 1)
}

func TestRoutesDependOnTokenAndPhase(t *testing.T) {
	const planPath = "/api/v1/agents/npa/plan"
	a := newTestAgent(t, nil)
	runToken, readToken := a.env.Token(t, "ada", auth.ScopeAgentsRun), a.env.Token(t, "ada", auth.ScopeAgentsRead)
	rows := []struct {
		reason, method, path, token   string
		servingStatus, drainingStatus int
	}{
		{"liveness", http.MethodGet, "/health", "", 200, 200},
		{"readiness follows the phase", http.MethodGet, "/health/ready", "", 200, 503},
		{"the public health path", http.MethodGet, "/api/v1/agents/npa/health", "", 200, 200},
		{"the OpenAPI document", http.MethodGet, "/openapi.json", "", 200, 200},
		{"wrong method", http.MethodGet, planPath, "", 405, 405},
		{"unknown path", http.MethodGet, "/api/v1/agents/npa", "", 404, 404},
		{"a plan without a token", http.MethodPost, planPath, "", 401, 401},
		{"a plan without the scope", http.MethodPost, planPath, readToken, 403, 403},
		{"a plan", http.MethodPost, planPath, runToken, 200, 200},
		{"a longer path does not bypass authentication", http.MethodPost, planPath + "/x", "", 404, 404},
		{"an escaped path does not bypass authentication", http.MethodPost, "/api/v1/agents/npa/%70lan", "", 401, 401},
		{"metrics have a port of their own", http.MethodGet, "/metrics", runToken, 404, 404},
	}
	for _, phase := range []httpserver.Phase{httpserver.Serving, httpserver.Draining} {
		a.State().Advance(phase)
		for _, row := range rows {
			t.Run(fmt.Sprint(row.reason, " while ", phase), func(t *testing.T) {
				r := httptest.NewRequest(row.method, row.path, strings.NewReader(`{"userId":"ada"}`))
				r.Header.Set("Content-Type", "application/json")
				if row.token != "" {
					r.Header.Set("Authorization", "Bearer "+row.token)
				}
				w := httptest.NewRecorder()
				a.Handler().ServeHTTP(w, r)
				wantStatus := row.servingStatus
				if phase == httpserver.Draining {
					wantStatus = row.drainingStatus
				}
				require.Equal(t, wantStatus, w.Code)
				require.True(t, json.Valid(w.Body.Bytes()))
			})
		}
	}
	var cfg httpserver.Config
	a.Configure(&cfg)
	require.NotNil(t, cfg.RequestHook, "requests are counted")
	require.NotNil(t, cfg.Metrics, "metrics are served")
}

func TestClientsWithGzipGetTheCompressedPlan(t *testing.T) {
	a := newTestAgent(t, nil)
	a.planner = func(context.Context, *request) (any, error) { return plan{Text: strings.Repeat("a", 10_000)}, nil }
	for _, row := range []struct {
		reason     string
		encodings  []string // values of Accept-Encoding
		compressed bool
	}{
		{"a browser", []string{"gzip, deflate, br"}, true},
		{"CloudFront", []string{"br,gzip"}, true},
		{"two header lines", []string{"br", "GZIP"}, true},
		{"no header", nil, false},
		{"no compression", []string{"identity"}, false},
		{"gzip is refused", []string{"gzip;q=0, identity"}, false},
		{"another compression", []string{"br"}, false},
	} {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/agents/npa/plan", strings.NewReader(`{"userId":"ada","plan":"week"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header["Accept-Encoding"] = row.encodings
		r.Header.Set("Authorization", "Bearer "+a.env.Token(t, "ada"))
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		require.Equal(t, http.StatusOK, w.Code, row.reason)
		require.Equal(t, "Accept-Encoding", w.Header().Get("Vary"), row.reason)
		require.Equal(t, strconv.Itoa(w.Body.Len()), w.Header().Get("Content-Length"), row.reason)
		body := io.Reader(w.Body)
		if row.compressed {
			require.Equal(t, "gzip", w.Header().Get("Content-Encoding"), row.reason)
			require.Less(t, w.Body.Len(), 200, row.reason)
			var err error
			body, err = gzip.NewReader(w.Body)
			require.NoError(t, err)
		} else {
			require.Empty(t, w.Header().Get("Content-Encoding"), row.reason)
		}
		plain, err := io.ReadAll(body)
		require.NoError(t, err)
		require.Equal(t, `{"number":0,"text":"`+strings.Repeat("a", 10_000)+`"}`+"\n", string(plain), row.reason)
	}
}

func TestInvalidCachedPlanIsAnError(t *testing.T) {
	tooLarge, err := compressPlan(plan{Text: strings.Repeat("a", maxPlanBytes)})
	require.NoError(t, err)
	truncated, err := compressPlan(plan{})
	require.NoError(t, err)
	for reason, compressed := range map[string][]byte{
		"not gzip": []byte(`{"number":1}`), "empty": nil, "truncated": truncated[:len(truncated)-4], "too large": tooLarge,
	} {
		_, err := decompressPlan(compressed)
		require.Error(t, err, reason)
	}
}

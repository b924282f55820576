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

type answer struct {
	UserID string `json:"userId"`
	Number int64  `json:"number"`
	Text   string `json:"text,omitempty"`
}

// testAgent is an agent with a database of its own, whose planner counts its
// plans unless a test sets another.
type testAgent struct {
	*Service[*request]
	world   *servicetest.World
	planned atomic.Int64
	planner Planner[*request]
}

func open(t *testing.T, changes map[string]string) *testAgent {
	t.Helper()
	a := &testAgent{world: servicetest.New(t)}
	a.planner = func(context.Context, *request) (any, error) { return answer{Number: a.planned.Add(1)}, nil }
	spec := Spec[*request]{
		Name: "npa", Action: "plan", Document: []byte("openapi: 3.1.0"), MaxBody: 1 << 10,
		TimeoutVariable: "CALCULATION_TIMEOUT", DefaultTimeout: 10 * time.Second,
		CacheVariable: "NUTRITION_DB_CACHE_SIZE", DefaultCache: "1MiB",
		Strategy: cache.NutritionData, KeyPrefix: "npa:plan:", Table: database.Nutrition, NewCounter: telemetry.NewNutritionCalculations,
		NewRequest: func() *request { return &request{} },
		NewPlanner: func() (Planner[*request], error) {
			return func(ctx context.Context, r *request) (any, error) { return a.planner(ctx, r) }, nil
		},
		TimeoutDetail: "no plan in %s",
	}
	cfg, err := spec.ReadConfig(a.world.Lookup(changes))
	require.NoError(t, err)
	a.Service, err = New(t.Context(), spec, cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return a
}

// opened is an agent that is closed when the test ends.
func opened(t *testing.T, changes map[string]string) *testAgent {
	t.Helper()
	a := open(t, changes)
	t.Cleanup(func() { require.NoError(t, a.Close(context.WithoutCancel(t.Context()))) })
	return a
}

func onDatabase(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"DATABASE_URL": servicetest.Database(t, postgres), "DATABASE_STATEMENT_TIMEOUT": "10s"}
}

// send sends a user's request with that user's token.
func (a *testAgent) send(t *testing.T, user, plan string) *httptest.ResponseRecorder {
	t.Helper()
	return a.sendAs(auth.WithPrincipal(t.Context(), auth.Principal{Subject: user}), t, user, plan)
}

func (a *testAgent) sendAs(ctx context.Context, t *testing.T, user, plan string) *httptest.ResponseRecorder {
	t.Helper()
	body, err := json.Marshal(request{user, plan})
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	a.plan(w, r)
	return w
}

// body is the body of an answer that must be a 200.
func (a *testAgent) body(t *testing.T, user, plan string) string {
	t.Helper()
	w := a.send(t, user, plan)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	return w.Body.String()
}

// savedFor waits until that many plans of the user are saved, and returns them.
func (a *testAgent) savedFor(t *testing.T, user string, count int) []database.Plan {
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
	a := opened(t, onDatabase(t))
	for range 3 {
		require.Equal(t, `{"userId":"ada","number":1}`+"\n", a.body(t, "ada", "week"))
		require.Equal(t, `{"userId":"bob","number":1}`+"\n", a.body(t, "bob", "week"), "everybody's answer, with their own id")
	}
	require.Equal(t, `{"userId":"ada","number":2}`+"\n", a.body(t, "ada", "month"), "another request")
	require.Equal(t, `{"userId":"a\"b","number":1}`+"\n", a.body(t, `a"b`, "week"), "any id is encoded as JSON")
	for user, body := range map[string]string{"bob": `{"userId":"bob","number":1}`, `a"b`: `{"userId":"a\"b","number":1}`} {
		require.JSONEq(t, body, string(a.savedFor(t, user, 1)[0].Body), "one row for each request, however often it is answered")
	}
	a.savedFor(t, "ada", 2)
	require.EqualValues(t, 2, testutil.ToFloat64(a.computed.WithLabelValues(telemetry.OutcomeOK)), "computed plans are counted, not answers")
}

func TestAnotherUsersPlanIsForbidden(t *testing.T) {
	a := opened(t, nil)
	a.planner = func(context.Context, *request) (any, error) { panic("nothing is planned") }
	for reason, ctx := range map[string]context.Context{
		"another's token": auth.WithPrincipal(t.Context(), auth.Principal{Subject: "bob"}),
		"no token":        t.Context(),
	} {
		require.Equal(t, http.StatusForbidden, a.sendAs(ctx, t, "ada", "week").Code, reason)
	}
}

func TestFailuresAreNotCached(t *testing.T) {
	a := opened(t, nil)
	good := a.planner
	for _, row := range []struct {
		reason string
		answer any
		err    error
		status int
		detail string
	}{
		{"a fault of the planner stays inside", nil, errors.New("secret"), 500, "the service failed on this request"},
		{"no time", nil, context.DeadlineExceeded, 503, "no plan in 10s"},
		{"a conflict", nil, &Infeasible{Detail: "conflict", Errors: []httpapi.FieldError{{Pointer: "#/plan"}}}, 422, "conflict"},
		{"an answer that names a user can't be shared", answer{UserID: "ada"}, nil, 500, "the service failed on this request"},
	} {
		a.planner = func(context.Context, *request) (any, error) { return row.answer, row.err }
		w := a.send(t, "ada", "week")
		require.Equal(t, row.status, w.Code, row.reason)
		var problem httpapi.Problem
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &problem))
		require.Equal(t, row.detail, problem.Detail, row.reason)
	}
	a.planner = good
	require.Contains(t, a.body(t, "ada", "week"), `"number":1`)
	require.EqualValues(t, 3, testutil.ToFloat64(a.computed.WithLabelValues(telemetry.OutcomeFailed)))
}

// TestPlansSurviveTheDatabase: while it is away every request is answered; a
// plan that could not be saved is saved when it is answered again.
func TestPlansSurviveTheDatabase(t *testing.T) {
	own, err := testservers.StartPostgres(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, own.Close()) })
	a := opened(t, map[string]string{"DATABASE_URL": servicetest.Database(t, own), "DATABASE_STATEMENT_TIMEOUT": "10s"})
	a.body(t, "ada", "before")
	a.savedFor(t, "ada", 1)
	require.NoError(t, own.Stop())
	const requests = 20
	for i := range requests {
		a.body(t, "ada", fmt.Sprint("during ", i)) // fails the test unless it is a 200
	}
	require.Eventually(t, func() bool { return a.plans.writer.Counts().Failed == requests }, testservers.StartTimeout, time.Millisecond)
	require.NoError(t, own.Start(t.Context()))
	a.body(t, "ada", "during 7")
	saved := a.savedFor(t, "ada", 2)
	t.Logf("%d requests while the database was away, 0 failed; %d plans saved before, 0 lost", requests, len(saved)-1)
}

// TestADroppedPlanIsSavedAtItsNextAnswer: the writer drops what it can't hold,
// and the next answer must not take it for saved.
func TestADroppedPlanIsSavedAtItsNextAnswer(t *testing.T) {
	a := opened(t, onDatabase(t))
	begun, release := make(chan struct{}), make(chan struct{})
	var first sync.Once
	a.plans.writer.Close(t.Context())
	a.plans.writer = database.NewWriter(context.WithoutCancel(t.Context()), "saving plans", func(ctx context.Context, plans []savedPlan) error {
		first.Do(func() { close(begun); <-release })
		return a.plans.write(ctx, plans)
	}, slog.New(slog.DiscardHandler))
	another := savedPlan{planKey{"another", "bob"}, []byte(`{}`)}
	require.True(t, a.plans.writer.Do(another))
	<-begun
	for a.plans.writer.Do(another) { // until it is full
	}
	a.body(t, "ada", "week")
	close(release)
	require.Eventually(t, func() bool {
		a.body(t, "ada", "week")
		plans, err := a.dependencies.Store.RecentPlans(t.Context(), database.Nutrition, "ada", 10)
		return err == nil && len(plans) == 1
	}, testservers.StartTimeout, time.Millisecond)
}

func TestCloseSavesThePlansThatWait(t *testing.T) {
	env := onDatabase(t)
	a := open(t, env)
	a.body(t, "ada", "week")
	require.NoError(t, a.Close(t.Context()))
	opened(t, env).savedFor(t, "ada", 1)
}

func TestRoutes(t *testing.T) {
	const plan = "/api/v1/agents/npa/plan"
	a := opened(t, nil)
	runs, reads := a.world.Token(t, "ada", auth.ScopeAgentsRun), a.world.Token(t, "ada", auth.ScopeAgentsRead)
	rows := []struct {
		reason, method, path, token, forwarded string
		serving, draining                      int
	}{
		{"alive", http.MethodGet, "/health", "", "", 200, 200},
		{"readiness alone follows the phase", http.MethodGet, "/health/ready", "", "", 200, 503},
		{"the agent's health from outside", http.MethodGet, "/api/v1/agents/npa/health", "", "", 200, 200},
		{"the document", http.MethodGet, "/openapi.json", "", "", 200, 200},
		{"method", http.MethodGet, plan, "", "", 405, 405},
		{"path", http.MethodGet, "/api/v1/agents/npa", "", "", 404, 404},
		{"a plan without a token", http.MethodPost, plan, "", "", 401, 401},
		{"a plan without the scope", http.MethodPost, plan, reads, "", 403, 403},
		{"a plan", http.MethodPost, plan, runs, "", 200, 200},
		{"no way around by a longer path", http.MethodPost, plan + "/x", "", "", 404, 404},
		{"nor by an escaped one", http.MethodPost, "/api/v1/agents/npa/%70lan", "", "", 401, 401},
		{"metrics are for direct clients", http.MethodGet, "/metrics", "", "", 200, 200},
		{"and for nobody else", http.MethodGet, "/metrics", runs, "203.0.113.9", 404, 404},
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
				if row.forwarded != "" {
					r.Header.Set("X-Forwarded-For", row.forwarded)
				}
				w := httptest.NewRecorder()
				a.Handler().ServeHTTP(w, r)
				require.Equal(t, map[httpserver.Phase]int{httpserver.Serving: row.serving, httpserver.Draining: row.draining}[phase], w.Code)
				require.True(t, row.path == "/metrics" || json.Valid(w.Body.Bytes()))
			})
		}
	}
	var cfg httpserver.Config
	a.Adjust(&cfg)
	require.NotNil(t, cfg.Observe, "requests are counted")
}

func TestOnlyLargeAnswersAreCompressed(t *testing.T) {
	a := opened(t, nil)
	a.planner = func(_ context.Context, r *request) (any, error) {
		return answer{Text: r.Plan + strings.Repeat("a", 20_000)}, nil
	}
	small := answer{Text: strings.Repeat("a", 10_000)}
	for _, row := range []struct {
		reason, plan, encodings string
		compressed              bool
	}{
		{"a month", "large", "gzip, deflate, br", true},
		{"a month, for a client that takes no gzip", "large", "identity", false},
		{"a week arrives in TCP's first window", "small", "gzip, deflate, br", false},
	} {
		if row.plan == "small" {
			a.planner = func(context.Context, *request) (any, error) { return small, nil }
		}
		r := httptest.NewRequest(http.MethodPost, "/api/v1/agents/npa/plan", strings.NewReader(`{"userId":"ada","plan":"`+row.plan+`"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept-Encoding", row.encodings)
		r.Header.Set("Authorization", "Bearer "+a.world.Token(t, "ada"))
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		require.Equal(t, http.StatusOK, w.Code, row.reason)
		require.Equal(t, "Accept-Encoding", w.Header().Get("Vary"), row.reason)
		body := io.Reader(w.Body)
		if row.compressed {
			require.Equal(t, "gzip", w.Header().Get("Content-Encoding"), row.reason)
			require.Less(t, w.Body.Len(), 10_000, row.reason)
			var err error
			body, err = gzip.NewReader(w.Body)
			require.NoError(t, err)
		} else {
			require.Empty(t, w.Header().Get("Content-Encoding"), row.reason)
		}
		plain, err := io.ReadAll(body)
		require.NoError(t, err)
		require.Equal(t, a.body(t, "ada", row.plan), string(plain), row.reason)
	}
}

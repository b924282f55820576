package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/backing"
	"github.com/progressive-framework/platform/agents/internal/besteffort"
	"github.com/progressive-framework/platform/agents/internal/cache"
	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/internal/store"
	"github.com/progressive-framework/platform/agents/internal/telemetry"
	"github.com/progressive-framework/platform/agents/internal/testservers"
)

var database *testservers.Postgres

func TestMain(m *testing.M) {
	os.Exit(testservers.Main(m, func(ctx context.Context) (_ testservers.Server, err error) {
		database, err = testservers.StartPostgres(ctx, nil)
		return database, err
	}))
}

// office is a desk on a database of its own, and what it was asked to work on.
type office struct {
	*Front
	world  *servicetest.World
	worked atomic.Int64
}

func open(t *testing.T, changes map[string]string) *office {
	t.Helper()
	o := &office{world: servicetest.New(t)}
	env := envconfig.New(o.world.Lookup(changes))
	cfg := backing.ReadConfig(env)
	_ = env.Err() // what is wrong with it, Open says
	log := slog.New(slog.DiscardHandler)
	services, err := backing.Open(t.Context(), cfg, "npa", log)
	require.NoError(t, err)
	o.Front, err = New(t.Context(), services, Config{
		Strategy: cache.NutritionData, Prefix: "npa:plan:", Bytes: 1 << 20, Kind: store.Nutrition,
		Count: telemetry.NewNutritionCalculations(services.Metrics, "npa"),
	}, log)
	require.NoError(t, err)
	return o
}

// closed opens a desk that ends with the test.
func closed(t *testing.T, changes map[string]string) *office {
	t.Helper()
	o := open(t, changes)
	t.Cleanup(func() { require.NoError(t, o.Close(context.WithoutCancel(t.Context()))) })
	return o
}

func onDatabase(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"DATABASE_URL": servicetest.Database(t, database), "DATABASE_STATEMENT_TIMEOUT": "10s"}
}

type answer struct {
	UserID string `json:"userId"`
	Number int64  `json:"number"`
}

// ask has a user wish for something; work that no test gives counts itself.
func (o *office) ask(user, wish string, work Work) (*httptest.ResponseRecorder, error) {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r = r.WithContext(auth.WithPrincipal(r.Context(), auth.Principal{Subject: user}))
	w := httptest.NewRecorder()
	if work == nil {
		work = func(context.Context) (any, error) { return answer{Number: o.worked.Add(1)}, nil }
	}
	return w, o.Answer(w, r, NewWish(user, map[string]string{"wish": wish}), work)
}

// says is the body of an answer that must be good.
func (o *office) says(t *testing.T, user, wish string) string {
	t.Helper()
	w, err := o.ask(user, wish, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, w.Code)
	return w.Body.String()
}

// plans waits until so many plans of the user are kept, and returns them.
func (o *office) plans(t *testing.T, user string, count int) []store.Plan {
	t.Helper()
	var plans []store.Plan
	require.Eventually(t, func() bool {
		var err error
		plans, err = o.backing.Store.RecentPlans(t.Context(), store.Nutrition, user, 10)
		return err == nil && len(plans) == count
	}, testservers.StartTimeout, time.Millisecond)
	return plans
}

func TestOneWishIsWorkedOnOnceAndKeptForEachUser(t *testing.T) {
	o := closed(t, onDatabase(t))
	for range 3 {
		require.Equal(t, `{"userId":"ada","number":1}`+"\n", o.says(t, "ada", "week"))
		require.Equal(t, `{"userId":"bob","number":1}`+"\n", o.says(t, "bob", "week"), "everybody's answer, with their own id")
	}
	require.Equal(t, `{"userId":"ada","number":2}`+"\n", o.says(t, "ada", "month"), "another wish")
	require.Equal(t, `{"userId":"a\"b","number":1}`+"\n", o.says(t, `a"b`, "week"), "whatever an id holds is JSON")
	for user, body := range map[string]string{"bob": `{"userId":"bob","number":1}`, `a"b`: `{"userId":"a\"b","number":1}`} {
		require.JSONEq(t, body, string(o.plans(t, user, 1)[0].Body), "one row for each wish, however often it is answered")
	}
	o.plans(t, "ada", 2)
	require.EqualValues(t, 2, testutil.ToFloat64(o.cfg.Count.WithLabelValues(telemetry.OutcomeOK)), "work is counted, not answers")
}

func TestNobodyAsksForAnother(t *testing.T) {
	o := closed(t, nil)
	for reason, principal := range map[string]context.Context{
		"another's token": auth.WithPrincipal(t.Context(), auth.Principal{Subject: "bob"}),
		"no token":        t.Context(),
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(principal, http.MethodPost, "/", nil)
		require.NoError(t, o.Answer(w, r, NewWish("ada", nil), func(context.Context) (any, error) { panic("nobody works") }), reason)
		require.Equal(t, http.StatusForbidden, w.Code, reason)
	}
}

// TestAFailureIsItsOwnOnly: it is told to who asked, and not kept in any way.
func TestAFailureIsItsOwnOnly(t *testing.T) {
	o := closed(t, nil)
	oh := errors.New("oh")
	w, err := o.ask("ada", "week", func(context.Context) (any, error) { return nil, oh })
	require.ErrorIs(t, err, oh)
	require.Zero(t, w.Body.Len(), "the caller answers")
	_, err = o.ask("ada", "week", func(context.Context) (any, error) { return struct{ UserID string }{"ada"}, nil })
	require.ErrorContains(t, err, "must begin with", "an answer that names somebody is nobody else's")
	require.Contains(t, o.says(t, "ada", "week"), `"number":1`)
	require.EqualValues(t, 1, testutil.ToFloat64(o.cfg.Count.WithLabelValues(telemetry.OutcomeFailed)))
}

// TestPlansSurviveTheDatabase: while it is away every request is answered; a
// plan that could not be kept is kept when it is answered again.
func TestPlansSurviveTheDatabase(t *testing.T) {
	own, err := testservers.StartPostgres(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, own.Close()) })
	o := closed(t, map[string]string{"DATABASE_URL": servicetest.Database(t, own), "DATABASE_STATEMENT_TIMEOUT": "10s"})
	o.says(t, "ada", "before")
	o.plans(t, "ada", 1)
	require.NoError(t, own.Stop())
	const asked = 20
	for i := range asked {
		o.says(t, "ada", fmt.Sprint("during ", i)) // fails the test unless it is a 200
	}
	require.Eventually(t, func() bool { return o.keeper.Counts().Failed == asked }, testservers.StartTimeout, time.Millisecond)
	require.NoError(t, own.Start(t.Context()))
	o.says(t, "ada", "during 7")
	kept := o.plans(t, "ada", 2)
	t.Logf("%d requests while the database was away, 0 failed; %d plans kept before, 0 lost", asked, len(kept)-1)
}

// TestAPlanThatFoundNoPlaceIsTriedAgain: the keeper drops what it can't hold,
// and the next answer must not take it for kept.
func TestAPlanThatFoundNoPlaceIsTriedAgain(t *testing.T) {
	o := closed(t, onDatabase(t))
	begun, release := make(chan struct{}), make(chan struct{})
	var first sync.Once
	o.keeper.Close(t.Context())
	o.keeper = besteffort.New(context.WithoutCancel(t.Context()), "keeping plans", func(ctx context.Context, plans []plan) error {
		first.Do(func() { close(begun); <-release })
		return o.save(ctx, plans)
	}, slog.New(slog.DiscardHandler))
	another := plan{uuid.New(), "bob", []byte(`{}`)}
	require.True(t, o.keeper.Do(another))
	<-begun
	for o.keeper.Do(another) { // until it is full
	}
	o.says(t, "ada", "week")
	close(release)
	require.Eventually(t, func() bool {
		o.says(t, "ada", "week")
		plans, err := o.backing.Store.RecentPlans(t.Context(), store.Nutrition, "ada", 10)
		return err == nil && len(plans) == 1
	}, testservers.StartTimeout, time.Millisecond)
}

func TestTheEndKeepsWhatWaits(t *testing.T) {
	env := onDatabase(t)
	o := open(t, env)
	o.says(t, "ada", "week")
	require.NoError(t, o.Close(t.Context()))
	closed(t, env).plans(t, "ada", 1)
}

func TestPlainAnswersWithTheWorkAlone(t *testing.T) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(""))
	require.NoError(t, Plain{}.Answer(w, r, NewWish("ada", nil), func(context.Context) (any, error) { return answer{Number: 3}, nil }))
	require.Equal(t, `{"userId":"ada","number":3}`+"\n", w.Body.String())
}

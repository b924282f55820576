// Package api_test checks the service against its OpenAPI document. It is
// separate so that the fuzz tests do not link the validator.
package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/agent"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/internal/openapitest"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/wpa/internal/training/program"
	"github.com/progressive-framework/platform/agents/wpa/internal/trainingapi"
)

const apiPath = "/api/v1/agents/wpa"

// serve returns a checker for the API with tokens of the user. A nil planner
// means the agent's own.
func serve(t *testing.T, user string, p trainingapi.WeekPlanner, timeout time.Duration) *openapitest.Checker {
	t.Helper()
	spec := trainingapi.Spec
	if p != nil {
		spec.NewPlanner = func() (agent.Planner[*trainingapi.GenerateRequest], error) { return trainingapi.PlanWith(p), nil }
	}
	env := servicetest.New(t)
	cfg, err := spec.ReadConfig(env.Lookup(map[string]string{"GENERATION_TIMEOUT": timeout.String()}))
	require.NoError(t, err)
	s, err := agent.New(t.Context(), spec, cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.WithoutCancel(t.Context()))) })
	document, err := os.ReadFile("../openapi.yaml")
	require.NoError(t, err)
	api := openapitest.New(t, document, s.Handler())
	api.Token = env.Token(t, user)
	return api
}

// loadTestBody is the body of the design document's load test.
const loadTestBody = `{"userId":"test-user-123","fitnessLevel":"intermediate","equipment":["dumbbells","resistance_bands"],"duration":45}`

const generatePath = apiPath + "/generate"

func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var value T
	decoder := json.NewDecoder(w.Body)
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&value))
	return value
}

func TestLoadTestRequestGetsASession(t *testing.T) {
	api := serve(t, servicetest.User, nil, 10*time.Second)
	w := api.Send(t, http.MethodPost, generatePath, loadTestBody)
	require.Equal(t, http.StatusOK, w.Code)
	first := w.Body.String()
	week := decode[trainingapi.WeekResponse](t, w)
	require.Equal(t, "test-user-123", week.UserID)
	require.Len(t, week.Sessions, 1)
	s := week.Sessions[0]
	require.LessOrEqual(t, s.TotalSeconds, 45*60)
	require.Equal(t, s.TotalSeconds, s.WarmUpSeconds+s.WorkSeconds+s.RestSeconds+s.CoolDownSeconds, "the parts sum to the total")
	require.Equal(t, first, serve(t, servicetest.User, nil, 10*time.Second).Send(t, http.MethodPost, generatePath, loadTestBody).Body.String(), "equal requests get equal sessions")
}

func TestHistoryRaisesTheWeight(t *testing.T) {
	api := serve(t, "u", nil, 10*time.Second)
	w := api.Send(t, http.MethodPost, generatePath, `{"userId":"u","fitnessLevel":"beginner","equipment":["dumbbells"],"history":[
		{"date":"2026-11-02","exerciseId":"goblet-squat","sets":[{"reps":12,"weightKg":20,"rpe":8},{"reps":12,"weightKg":20}]}]}`)
	require.Equal(t, http.StatusOK, w.Code)
	for _, item := range decode[trainingapi.WeekResponse](t, w).Sessions[0].Exercises {
		if item.ExerciseID == "goblet-squat" {
			require.Equal(t, 21.0, item.WeightKg)
			require.Contains(t, item.Why, "more weight")
			return
		}
	}
	require.Fail(t, "the session must contain the exercise of the history")
}

func TestRequests(t *testing.T) {
	api := serve(t, "u", nil, 10*time.Second)
	for _, row := range []struct {
		reason, body string
		status       int
		pointers     []string
	}{
		{"user id and level are enough", `{"userId":"u","fitnessLevel":"beginner"}`, 200, nil},
		{"every field", `{"userId":"u","fitnessLevel":"advanced","equipment":["bodyweight","barbell","rack"],"duration":90,"daysPerWeek":7,
			"goals":["strength","endurance"],"history":[{"date":"2026-01-31","exerciseId":"unknown","sets":[{"reps":5}]},{"date":"2026-01-30","exerciseId":"plank"}]}`, 200, nil},
		{"null means absent", `{"userId":"u","fitnessLevel":"beginner","equipment":null,"goals":null,"history":null,"duration":null}`, 200, nil},
		{"every error is reported at once", `{"userId":"","fitnessLevel":"elite","equipment":["sofa"],"duration":9,"daysPerWeek":8,"goals":["fly"],"days":1,
			"history":[{"date":"31.1.2026","exerciseId":"","sets":[{"reps":-1,"weightKg":2000,"rpe":11}]}]}`, 422, []string{"#/days", "#/userId", "#/fitnessLevel",
			"#/equipment/0", "#/duration", "#/daysPerWeek", "#/goals/0", "#/history/0/date", "#/history/0/exerciseId",
			"#/history/0/sets/0/reps", "#/history/0/sets/0/weightKg", "#/history/0/sets/0/rpe"}},
		{"a history that is too long", `{"userId":"u","fitnessLevel":"beginner","history":[` +
			strings.Repeat(`{"date":"2026-01-31","exerciseId":"plank"},`, 500) + `{"date":"2026-01-31","exerciseId":"plank"}]}`, 422, []string{"#/history"}},
		{"a wrong type", `{"userId":"u","fitnessLevel":1}`, 422, []string{"#/fitnessLevel"}},
		{"not JSON", `{`, 400, nil},
		{"too large", `{"userId":"` + strings.Repeat("a", 200<<10) + `"}`, 413, nil},
	} {
		t.Run(row.reason, func(t *testing.T) {
			w := api.Send(t, http.MethodPost, generatePath, row.body)
			require.Equal(t, row.status, w.Code, w.Body)
			if row.status == http.StatusOK {
				return
			}
			var pointers []string
			for _, e := range decode[httpapi.Problem](t, w).Errors {
				pointers = append(pointers, e.Pointer)
			}
			require.Equal(t, row.pointers, pointers)
		})
	}
}

// failingPlanner returns its error, or waits for the context if the error is
// nil.
type failingPlanner struct{ err error }

func (f failingPlanner) Week(ctx context.Context, _ program.Request) (program.Week, error) {
	if f.err != nil {
		return program.Week{}, f.err
	}
	<-ctx.Done()
	return program.Week{}, ctx.Err()
}

func TestFailures(t *testing.T) {
	for _, row := range []struct {
		reason string
		err    error
		status int
		code   string
	}{
		{"out of time", nil, 503, httpapi.CodeOutOfTime},
		{"the text of an unexpected error is not sent", errors.New("secret"), 500, httpapi.CodeInternal},
	} {
		t.Run(row.reason, func(t *testing.T) {
			w := serve(t, servicetest.User, failingPlanner{row.err}, time.Millisecond).Send(t, http.MethodPost, generatePath, loadTestBody)
			require.Equal(t, row.status, w.Code)
			require.NotContains(t, w.Body.String(), "secret")
			require.Equal(t, row.code, decode[httpapi.Problem](t, w).Code)
		})
	}
}

func TestHealthMatchesTheDocument(t *testing.T) {
	w := serve(t, "u", nil, time.Second).Send(t, http.MethodGet, apiPath+"/health", "")
	require.Equal(t, http.StatusOK, w.Code)
}

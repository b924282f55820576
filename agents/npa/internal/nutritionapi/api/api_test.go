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
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/planner"
	"github.com/progressive-framework/platform/agents/npa/internal/nutritionapi"
)

const apiPath = "/api/v1/agents/npa"

// serve returns a checker for the API with tokens of the user. A nil planner
// means the agent's own.
func serve(t *testing.T, user string, p nutritionapi.MealPlanner, timeout time.Duration) *openapitest.Checker {
	t.Helper()
	spec := nutritionapi.Spec
	if p != nil {
		spec.NewPlanner = func() (agent.Planner[*nutritionapi.PlanRequest], error) { return nutritionapi.PlanWith(p), nil }
	}
	env := servicetest.New(t)
	cfg, err := spec.ReadConfig(env.Lookup(map[string]string{"CALCULATION_TIMEOUT": timeout.String()}))
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
const loadTestBody = `{"userId":"test-user-123","goals":["weight_loss","muscle_gain"],"preferences":["vegetarian"],"duration":7}`

const planPath = apiPath + "/plan"

func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var value T
	decoder := json.NewDecoder(w.Body)
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&value))
	return value
}

func TestLoadTestRequestGetsAPlan(t *testing.T) {
	api := serve(t, servicetest.User, nil, 10*time.Second)
	w := api.Send(t, http.MethodPost, planPath, loadTestBody)
	require.Equal(t, http.StatusOK, w.Code)
	first := w.Body.String()
	plan := decode[nutritionapi.PlanResponse](t, w)
	require.Equal(t, "test-user-123", plan.UserID)
	require.Len(t, plan.Days, 7)
	require.Equal(t, []string{"activityLevel", "age", "heightCm", "sex", "weightKg"}, plan.Assumed, "the request describes no person")
	require.InDelta(t, 0.9*2277.7, (plan.Targets.EnergyKcal.Min+plan.Targets.EnergyKcal.Max)/2, 1, "recomposition of the reference adult")
	for _, day := range plan.Days {
		require.True(t, plan.Targets.ProteinG.Holds(day.Totals.ProteinG))
		sum := 0.0
		for _, meal := range day.Meals {
			for _, item := range meal.Items {
				sum += item.Kcal
			}
		}
		require.InDelta(t, day.Totals.EnergyKcal, sum, 2, "the totals are the sum of the items")
	}
	require.Equal(t, first, serve(t, servicetest.User, nil, 10*time.Second).Send(t, http.MethodPost, planPath, loadTestBody).Body.String(), "equal requests get equal plans")
}

func TestRequests(t *testing.T) {
	api := serve(t, "u", nil, 10*time.Second)
	for _, row := range []struct {
		reason, body string
		status       int
		pointers     []string
	}{
		{"the user's id is enough", `{"userId":"u"}`, 200, nil},
		{"every field", `{"userId":"u","goals":["endurance"],"preferences":["vegan","gluten_free","low_sodium"],"duration":1,"allergies":["soy"],
			"age":44,"sex":"female","heightCm":168.5,"weightKg":61,"activityLevel":"active"}`, 200, nil},
		{"null means absent", `{"userId":"u","goals":null,"age":null,"sex":null,"duration":null}`, 200, nil},
		{"a month", `{"userId":"u","duration":31}`, 200, nil},
		{"every error is reported at once", `{"userId":"","goals":["fly"],"preferences":["vegan","raw"],"duration":0,"allergies":["dust"],"age":17,"sex":"x",
			"heightCm":1.7,"weightKg":900,"activityLevel":"lazy","diet":1}`, 422, []string{"#/diet", "#/userId", "#/goals/0", "#/preferences/1",
			"#/allergies/0", "#/duration", "#/age", "#/heightCm", "#/weightKg", "#/sex", "#/activityLevel"}},
		{"a list longer than the allowed values", `{"userId":"u","goals":["endurance","endurance","endurance","endurance","endurance","endurance"]}`, 422, []string{"#/goals"}},
		{"a wrong type", `{"userId":7}`, 422, []string{"#/userId"}},
		{"not an object", `[]`, 422, []string{"#"}},
		{"not JSON", `{`, 400, nil},
		{"too large", `{"userId":"` + strings.Repeat("a", 200<<10) + `"}`, 413, nil},
	} {
		t.Run(row.reason, func(t *testing.T) {
			w := api.Send(t, http.MethodPost, planPath, row.body)
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

func (f failingPlanner) Plan(ctx context.Context, _ planner.Request) (planner.Plan, error) {
	if f.err != nil {
		return planner.Plan{}, f.err
	}
	<-ctx.Done()
	return planner.Plan{}, ctx.Err()
}

func TestFailures(t *testing.T) {
	conflict := func(part planner.Part, name string) planner.Conflict { return planner.Conflict{Part: part, Name: name} }
	for _, row := range []struct {
		reason   string
		err      error
		status   int
		code     string
		pointers []string
	}{
		{"conflicts point at request fields", &planner.Infeasible{Conflicts: []planner.Conflict{
			conflict(planner.Diet, ""), conflict(planner.Allergy, "soy"), conflict(planner.Allergy, "nuts"), conflict(planner.Target, "protein"), conflict(planner.Target, "sodium"),
		}}, 422, httpapi.CodeInfeasible, []string{"#/preferences", "#/allergies/0", "#/preferences", "#/goals", "#/preferences"}},
		{"out of time", nil, 503, httpapi.CodeOutOfTime, nil},
		{"the text of an unexpected error is not sent", errors.New("secret"), 500, httpapi.CodeInternal, nil},
	} {
		t.Run(row.reason, func(t *testing.T) {
			w := serve(t, "u", failingPlanner{row.err}, time.Millisecond).Send(t, http.MethodPost, planPath,
				`{"userId":"u","preferences":["vegan","nut_free"],"allergies":["soy"]}`)
			require.Equal(t, row.status, w.Code)
			require.NotContains(t, w.Body.String(), "secret")
			problem := decode[httpapi.Problem](t, w)
			require.Equal(t, row.code, problem.Code)
			var pointers []string
			for _, e := range problem.Errors {
				pointers = append(pointers, e.Pointer)
			}
			require.Equal(t, row.pointers, pointers)
		})
	}
}

func TestHealthMatchesTheDocument(t *testing.T) {
	w := serve(t, "u", nil, time.Second).Send(t, http.MethodGet, apiPath+"/health", "")
	require.Equal(t, http.StatusOK, w.Code)
}

// Package api_test holds the service to its OpenAPI document. It lies apart from
// the service so that the fuzz tests there do not link the validator.
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

	"github.com/progressive-framework/platform/agents/internal/desk"
	"github.com/progressive-framework/platform/agents/internal/health"
	"github.com/progressive-framework/platform/agents/internal/openapi/openapitest"
	"github.com/progressive-framework/platform/agents/internal/reply"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/planner"
	"github.com/progressive-framework/platform/agents/npa/internal/service"
)

const apiPath = "/api/v1/agents/npa"

// serving is the service as it runs, with little time for each request.
func serving(t *testing.T, p service.Planner, timeout time.Duration) *service.Service {
	t.Helper()
	s, err := service.New(service.Config{CalculationTimeout: timeout}, p, desk.Plain{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	s.State().Advance(health.Serving)
	return s
}

// checked is the service's API, held to its document.
func checked(t *testing.T, s *service.Service) *openapitest.Checker {
	t.Helper()
	document, err := os.ReadFile("../openapi.yaml")
	require.NoError(t, err)
	api := openapitest.New(t, document, s.Handler())
	api.Token = "the desk's to judge" // and there is a plain one here
	return api
}

// tabled works on the embedded table.
func tabled(t *testing.T) service.Planner {
	t.Helper()
	table, err := foods.Load()
	require.NoError(t, err)
	return planner.New(table)
}

// seeds is the body of the seed's load test.
const seeds = `{"userId":"test-user-123","goals":["weight_loss","muscle_gain"],"preferences":["vegetarian"],"duration":7}`

const planPath = apiPath + "/plan"

func decoded[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var answer T
	decoder := json.NewDecoder(w.Body)
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&answer))
	return answer
}

func TestThePlanOfTheSeedsLoadTest(t *testing.T) {
	api := checked(t, serving(t, tabled(t), time.Minute))
	w := api.Send(t, http.MethodPost, planPath, seeds)
	require.Equal(t, http.StatusOK, w.Code)
	first := w.Body.String()
	plan := decoded[service.PlanAnswer](t, w)
	require.Equal(t, "test-user-123", plan.UserID)
	require.Len(t, plan.Days, 7)
	require.Equal(t, []string{"activityLevel", "age", "heightCm", "sex", "weightKg"}, plan.Assumed, "nothing was said of the person")
	require.InDelta(t, 0.9*2277.7, (plan.Targets.EnergyKcal.Min+plan.Targets.EnergyKcal.Max)/2, 1, "recomposition of the reference adult")
	for _, day := range plan.Days {
		require.True(t, plan.Targets.ProteinG.Holds(day.Totals.ProteinG))
		sum := 0.0
		for _, meal := range day.Meals {
			for _, item := range meal.Items {
				sum += item.Kcal
			}
		}
		require.InDelta(t, day.Totals.EnergyKcal, sum, 2, "the items are what the totals count")
	}
	require.Equal(t, first, api.Send(t, http.MethodPost, planPath, seeds).Body.String(), "the same request, the same plan")
}

func TestRequests(t *testing.T) {
	api := checked(t, serving(t, tabled(t), time.Minute))
	for _, row := range []struct {
		reason, body string
		status       int
		pointers     []string
	}{
		{"a name alone will do", `{"userId":"u"}`, 200, nil},
		{"all about a person", `{"userId":"u","goals":["endurance"],"preferences":["vegan","gluten_free","low_sodium"],"duration":1,"allergies":["soy"],
			"age":44,"sex":"female","heightCm":168.5,"weightKg":61,"activityLevel":"active"}`, 200, nil},
		{"null is as good as absent", `{"userId":"u","goals":null,"age":null,"sex":null,"duration":null}`, 200, nil},
		{"a month", `{"userId":"u","duration":31}`, 200, nil},
		{"every mistake at once", `{"userId":"","goals":["fly"],"preferences":["vegan","raw"],"duration":0,"allergies":["dust"],"age":17,"sex":"x",
			"heightCm":1.7,"weightKg":900,"activityLevel":"lazy","diet":1}`, 422, []string{"#/diet", "#/userId", "#/goals/0", "#/preferences/1",
			"#/allergies/0", "#/duration", "#/age", "#/heightCm", "#/weightKg", "#/sex", "#/activityLevel"}},
		{"a list beyond what there is", `{"userId":"u","goals":["endurance","endurance","endurance","endurance","endurance","endurance"]}`, 422, []string{"#/goals"}},
		{"a wrong type", `{"userId":7}`, 422, []string{"#/userId"}},
		{"no object", `[]`, 422, []string{"#"}},
		{"no JSON", `{`, 400, nil},
		{"too large", `{"userId":"` + strings.Repeat("a", 200<<10) + `"}`, 413, nil},
	} {
		t.Run(row.reason, func(t *testing.T) {
			w := api.Send(t, http.MethodPost, planPath, row.body)
			require.Equal(t, row.status, w.Code, w.Body)
			if row.status == http.StatusOK {
				return
			}
			var pointers []string
			for _, e := range decoded[reply.Problem](t, w).Errors {
				pointers = append(pointers, e.Pointer)
			}
			require.Equal(t, row.pointers, pointers)
		})
	}
}

// fails is a Planner that answers with its error, or waits for the context.
type fails struct{ err error }

func (f fails) Plan(ctx context.Context, _ planner.Request) (planner.Plan, error) {
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
		{"conflicts point at the request", &planner.Infeasible{Conflicts: []planner.Conflict{
			conflict(planner.Diet, ""), conflict(planner.Allergy, "soy"), conflict(planner.Allergy, "nuts"), conflict(planner.Target, "protein"), conflict(planner.Target, "sodium"),
		}}, 422, reply.CodeInfeasible, []string{"#/preferences", "#/allergies/0", "#/preferences", "#/goals", "#/preferences"}},
		{"out of time", nil, 503, reply.CodeOutOfTime, nil},
		{"what nobody foresaw stays inside", errors.New("secret"), 500, reply.CodeInternal, nil},
	} {
		t.Run(row.reason, func(t *testing.T) {
			s := serving(t, fails{row.err}, time.Millisecond)
			w := checked(t, s).Send(t, http.MethodPost, planPath,
				`{"userId":"u","preferences":["vegan","nut_free"],"allergies":["soy"]}`)
			require.Equal(t, row.status, w.Code)
			require.NotContains(t, w.Body.String(), "secret")
			problem := decoded[reply.Problem](t, w)
			require.Equal(t, row.code, problem.Code)
			var pointers []string
			for _, e := range problem.Errors {
				pointers = append(pointers, e.Pointer)
			}
			require.Equal(t, row.pointers, pointers)
		})
	}
}

func TestPathsAndPhases(t *testing.T) {
	for _, row := range []struct {
		reason, method, path string
		serving, draining    int
	}{
		{"alive", http.MethodGet, "/health", 200, 200},
		{"readiness alone follows the phase", http.MethodGet, "/health/ready", 200, 503},
		{"the agent's health from outside", http.MethodGet, apiPath + "/health", 200, 200},
		{"the document", http.MethodGet, "/openapi.json", 200, 200},
		{"method", http.MethodGet, planPath, 405, 405},
		{"path", http.MethodGet, apiPath, 404, 404},
	} {
		t.Run(row.reason, func(t *testing.T) {
			s := serving(t, fails{}, time.Minute)
			for _, want := range []int{row.serving, row.draining} {
				w := httptest.NewRecorder()
				s.Handler().ServeHTTP(w, httptest.NewRequest(row.method, row.path, nil))
				require.Equal(t, want, w.Code)
				require.True(t, json.Valid(w.Body.Bytes()))
				s.State().Advance(health.Draining)
			}
		})
	}
	checked(t, serving(t, fails{}, time.Minute)).Send(t, http.MethodGet, apiPath+"/health", "")
}

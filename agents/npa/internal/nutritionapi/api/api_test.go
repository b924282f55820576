// Package api_test checks the service against its OpenAPI document. It is
// separate so that the fuzz tests do not link the validator.
package api_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/agent"
	"github.com/progressive-framework/platform/agents/internal/agenttest"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/planner"
	"github.com/progressive-framework/platform/agents/npa/internal/nutritionapi"
)

var npa = agenttest.Agent[*nutritionapi.PlanRequest]{
	Spec: nutritionapi.Spec, Type: "NPA",
	TimeoutVariable: "CALCULATION_TIMEOUT", DefaultTimeout: 30 * time.Second,
	CacheVariable: "NUTRITION_DB_CACHE_SIZE", DefaultCacheBytes: 256_000_000,
	Path: "/api/v1/agents/npa/plan",
	Body: `{"userId":"test-user-123","goals":["weight_loss","muscle_gain"],"preferences":["vegetarian"],"duration":7}`,
}

func TestConfigHasDefaultsAndReportsErrors(t *testing.T) { npa.CheckConfig(t) }

func TestHealthMatchesOpenAPIDocument(t *testing.T) { npa.CheckHealth(t) }

func TestLoadTestRequestGetsAPlan(t *testing.T) {
	plan := servicetest.Decode[nutritionapi.PlanResponse](t, npa.SendLoadTestRequest(t))
	require.Len(t, plan.Days, 7)
	require.Equal(t, []string{"activityLevel", "age", "heightCm", "sex", "weightKg"}, plan.Assumed, "the request describes no person")
	require.InDelta(t, 0.9*2277.7, (plan.Targets.EnergyKcal.Min+plan.Targets.EnergyKcal.Max)/2, 1,
		"the reference adult needs 2277.7 kcal, and recomposition takes 10 % less")
	for _, day := range plan.Days {
		require.True(t, plan.Targets.ProteinG.Contains(day.Totals.ProteinG))
		sum := 0.0
		for _, meal := range day.Meals {
			for _, item := range meal.Items {
				sum += item.Kcal
			}
		}
		require.InDelta(t, day.Totals.EnergyKcal, sum, 2, "the totals are the sum of the items")
	}
}

func TestResponsesMatchOpenAPIDocument(t *testing.T) {
	npa.CheckRequests(t, []agenttest.Row{
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
	})
}

// failingPlanner is a planner that fails with err.
type failingPlanner struct{ err error }

func (f failingPlanner) Plan(ctx context.Context, _ planner.Request) (planner.Plan, error) {
	return agenttest.Fail[planner.Plan](ctx, f.err)
}

func TestPlannerErrorsAreResponses(t *testing.T) {
	newConflict := func(part planner.Part, name string) planner.Conflict { return planner.Conflict{Part: part, Name: name} }
	npa.CheckFailures(t, "u", `{"userId":"u","preferences":["vegan","nut_free"],"allergies":["soy"]}`,
		func(err error) agent.Planner[*nutritionapi.PlanRequest] {
			return nutritionapi.NewAgentPlanner(failingPlanner{err})
		},
		agenttest.Failure{Reason: "conflicts point at request fields", Err: &planner.Infeasible{Conflicts: []planner.Conflict{
			newConflict(planner.Diet, ""), newConflict(planner.Allergy, "soy"), newConflict(planner.Allergy, "nuts"), newConflict(planner.Target, "protein"), newConflict(planner.Target, "sodium"),
		}}, Status: 422, Code: httpapi.CodeInfeasible, Pointers: []string{"#/preferences", "#/allergies/0", "#/preferences", "#/goals", "#/preferences"}})
}

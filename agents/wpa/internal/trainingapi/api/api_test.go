// Package api_test checks the service against its OpenAPI document. It is
// separate so that the fuzz tests do not link the validator.
package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/agent"
	"github.com/progressive-framework/platform/agents/internal/agenttest"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/wpa/internal/training/program"
	"github.com/progressive-framework/platform/agents/wpa/internal/trainingapi"
)

var wpa = agenttest.Agent[*trainingapi.GenerateRequest]{
	Spec: trainingapi.Spec, Type: "WPA",
	TimeoutVariable: "GENERATION_TIMEOUT", DefaultTimeout: 45 * time.Second,
	CacheVariable: "WORKOUT_TEMPLATE_CACHE", DefaultCacheBytes: 128_000_000,
	Path: "/api/v1/agents/wpa/generate",
	Body: `{"userId":"test-user-123","fitnessLevel":"intermediate","equipment":["dumbbells","resistance_bands"],"duration":45}`,
}

func TestConfigHasDefaultsAndReportsErrors(t *testing.T) { wpa.CheckConfig(t) }

func TestHealthMatchesOpenAPIDocument(t *testing.T) { wpa.CheckHealth(t) }

func TestLoadTestRequestGetsASession(t *testing.T) {
	week := servicetest.Decode[trainingapi.WeekResponse](t, wpa.SendLoadTestRequest(t))
	require.Len(t, week.Sessions, 1)
	s := week.Sessions[0]
	require.LessOrEqual(t, s.TotalSeconds, 45*60)
	require.Equal(t, s.TotalSeconds, s.WarmUpSeconds+s.WorkSeconds+s.RestSeconds+s.CoolDownSeconds, "the parts sum to the total")
}

func TestHistoryRaisesTheWeight(t *testing.T) {
	w := wpa.NewChecker(t, "u", nil, 10*time.Second).Send(t, http.MethodPost, wpa.Path, `{"userId":"u","fitnessLevel":"beginner","equipment":["dumbbells"],"history":[
		{"date":"2026-11-02","exerciseId":"goblet-squat","sets":[{"reps":12,"weightKg":20,"rpe":8},{"reps":12,"weightKg":20}]}]}`)
	require.Equal(t, http.StatusOK, w.Code)
	for _, item := range servicetest.Decode[trainingapi.WeekResponse](t, w).Sessions[0].Exercises {
		if item.ExerciseID == "goblet-squat" {
			require.Equal(t, 21.0, item.WeightKg)
			require.Contains(t, item.Why, "more weight")
			return
		}
	}
	require.Fail(t, "the session must contain the exercise of the history")
}

func TestResponsesMatchOpenAPIDocument(t *testing.T) {
	wpa.CheckRequests(t, []agenttest.Row{
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
	})
}

// failingPlanner is a planner that fails with err.
type failingPlanner struct{ err error }

func (f failingPlanner) PlanWeek(ctx context.Context, _ program.Request) (program.Week, error) {
	return agenttest.Fail[program.Week](ctx, f.err)
}

func TestPlannerErrorsAreResponses(t *testing.T) {
	wpa.CheckFailures(t, servicetest.User, wpa.Body, func(err error) agent.Planner[*trainingapi.GenerateRequest] {
		return trainingapi.NewAgentPlanner(failingPlanner{err})
	})
}

package nutritionapi

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/planner"
)

// FuzzPlanRequest: no body breaks the decoder; what it takes survives a round
// trip and asks for a plan that is within the planner's bounds.
func FuzzPlanRequest(f *testing.F) {
	for _, body := range []string{
		`{"userId":"test-user-123","goals":["weight_loss","muscle_gain"],"preferences":["vegetarian"],"duration":7}`,
		`{}`, `null`, `[]`, `{"userId":"u","goals":["endurance"]}`, `{"userId":"u","userId":"v"}`, `{"USERID":"u"}`, `{"userId":"é"}`,
		`{"userId":"u","duration":1e9,"age":1.5,"weightKg":1e308}`, `{"userId":"u","allergies":["soy","soy"],"preferences":["vegan"]}`, "\x00{", `{"a":{"b":[[[[`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var ask PlanRequest
		wrong, err := httpapi.Decode(body, &ask)
		if err != nil || len(wrong) > 0 {
			return
		}
		line, err := json.Marshal(&ask)
		require.NoError(t, err)
		var again PlanRequest
		wrong, err = httpapi.Decode(line, &again)
		require.NoError(t, err)
		require.Empty(t, wrong)

		request, _ := ask.plan()
		same, _ := again.plan()
		require.Equal(t, request, same)
		require.LessOrEqual(t, request.Days, planner.MaxDays)
		for _, allergen := range request.Avoid {
			require.Contains(t, foods.Allergens, allergen)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = planner.New(nil).Plan(ended, request)
		require.ErrorIs(t, err, context.Canceled)
	})
}

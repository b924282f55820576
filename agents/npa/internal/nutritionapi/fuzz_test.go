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

// FuzzPlanRequest checks that no body makes the decoder panic. An accepted body must be equal
// after it was encoded and decoded again, and its request must be within the planner's bounds.
func FuzzPlanRequest(f *testing.F) {
	for _, body := range []string{
		`{"userId":"test-user-123","goals":["weight_loss","muscle_gain"],"preferences":["vegetarian"],"duration":7}`,
		`{}`, `null`, `[]`, `{"userId":"u","goals":["endurance"]}`, `{"userId":"u","userId":"v"}`, `{"USERID":"u"}`, `{"userId":"é"}`,
		`{"userId":"u","duration":1e9,"age":1.5,"weightKg":1e308}`, `{"userId":"u","allergies":["soy","soy"],"preferences":["vegan"]}`, "\x00{", `{"a":{"b":[[[[`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var decoded PlanRequest
		problems, err := httpapi.Decode(body, &decoded)
		if err != nil || len(problems) > 0 {
			return
		}
		encoded, err := json.Marshal(&decoded)
		require.NoError(t, err)
		var redecoded PlanRequest
		problems, err = httpapi.Decode(encoded, &redecoded)
		require.NoError(t, err)
		require.Empty(t, problems)

		request, _ := decoded.toPlannerRequest()
		redecodedRequest, _ := redecoded.toPlannerRequest()
		require.Equal(t, request, redecodedRequest)
		require.LessOrEqual(t, request.Days, planner.MaxDays)
		for _, allergen := range request.Avoid {
			require.Contains(t, foods.Allergens, allergen)
		}
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = planner.New(nil).Plan(canceled, request)
		require.ErrorIs(t, err, context.Canceled)
	})
}

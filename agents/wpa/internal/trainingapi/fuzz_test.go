package trainingapi

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"
	"github.com/progressive-framework/platform/agents/wpa/internal/training/program"
)

// FuzzGenerateRequest checks that no body makes the decoder panic. An accepted body must be equal
// after it was encoded and decoded again, and its sessions must fit into their minutes.
func FuzzGenerateRequest(f *testing.F) {
	for _, body := range []string{
		`{"userId":"test-user-123","fitnessLevel":"intermediate","equipment":["dumbbells","resistance_bands"],"duration":45}`,
		`{}`, `null`, `[]`, `{"userId":"u","fitnessLevel":"beginner","daysPerWeek":7,"goals":["weight_loss"]}`, `{"userId":"u","userId":"v"}`,
		`{"userId":"u","fitnessLevel":"advanced","duration":10,"history":[{"date":"2026-02-28","exerciseId":"push-up","sets":[{"reps":15,"weightKg":1e2,"rpe":10}]}]}`,
		`{"userId":"u","fitnessLevel":"beginner","history":[{"date":"0000-01-01","exerciseId":"é","sets":[]}]}`, "\x00{", `{"a":{"b":[[[[`,
	} {
		f.Add([]byte(body))
	}
	table, err := exercises.Load()
	require.NoError(f, err)
	planner := program.New(table)
	f.Fuzz(func(t *testing.T, body []byte) {
		var decoded GenerateRequest
		problems, err := httpapi.Decode(body, &decoded)
		if err != nil || len(problems) > 0 {
			return
		}
		encoded, err := json.Marshal(&decoded)
		require.NoError(t, err)
		var redecoded GenerateRequest
		problems, err = httpapi.Decode(encoded, &redecoded)
		require.NoError(t, err)
		require.Empty(t, problems)

		request := decoded.toPlannerRequest()
		week, err := planner.PlanWeek(t.Context(), request)
		require.NoError(t, err)
		redecodedWeek, err := planner.PlanWeek(t.Context(), redecoded.toPlannerRequest())
		require.NoError(t, err)
		require.Equal(t, len(week.Sessions), len(redecodedWeek.Sessions))
		for _, s := range week.Sessions {
			require.LessOrEqual(t, s.Seconds(), 60*request.Minutes)
		}
	})
}

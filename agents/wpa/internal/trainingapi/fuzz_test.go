package trainingapi

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"
	"github.com/progressive-framework/platform/agents/wpa/internal/training/program"
)

// FuzzGenerateRequest: no body breaks the decoder; what it takes survives a
// round trip and gives sessions that fit.
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
	maker := program.New(table)
	f.Fuzz(func(t *testing.T, body []byte) {
		var ask GenerateRequest
		wrong, err := httpapi.Decode(body, &ask)
		if err != nil || len(wrong) > 0 {
			return
		}
		line, err := json.Marshal(&ask)
		require.NoError(t, err)
		var again GenerateRequest
		wrong, err = httpapi.Decode(line, &again)
		require.NoError(t, err)
		require.Empty(t, wrong)

		request := ask.program()
		week, err := maker.Week(t.Context(), request)
		require.NoError(t, err)
		same, err := maker.Week(t.Context(), again.program())
		require.NoError(t, err)
		require.Equal(t, len(week.Sessions), len(same.Sessions))
		for _, s := range week.Sessions {
			require.LessOrEqual(t, s.Seconds(), 60*request.Minutes)
		}
	})
}

package week

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckRejectsInvalidResponses(t *testing.T) {
	for _, row := range []struct {
		reason, body string
		response     interface{ Check() error }
		wantErr      string // empty if the response is valid
	}{
		{"a valid plan", `{"targets":{},"days":[{"day":1,"meals":[{"items":[{"grams":1,"kcal":0}]}],"totals":{}}]}`, &Nutrition{}, ""},
		{"targets that are not an object", `{"targets":[]}`, &Nutrition{}, "targets"},
		{"a day without meals", `{"days":[{"day":1,"totals":{}}]}`, &Nutrition{}, "meals or totals"},
		{"a meal without items", `{"days":[{"meals":[{"meal":"lunch"}],"totals":{}}]}`, &Nutrition{}, `"lunch" has no items`},
		{"a portion of 0 g", `{"days":[{"meals":[{"items":[{"grams":0}]}],"totals":{}}]}`, &Nutrition{}, "0 g"},
		{"energy that would overflow a sum", `{"days":[{"meals":[{"items":[{"grams":1,"kcal":1e308}]}],"totals":{}}]}`, &Nutrition{}, "1e+308 kcal"},
		{"a negative amount", `{"days":[{"day":2,"meals":[],"totals":{"fatG":-1}}]}`, &Nutrition{}, `day 2 has -1 of "fatG"`},
		{"a valid training week", `{"sessions":[{"weekday":1,"totalSeconds":2700,"exercises":[]}]}`, &Training{}, ""},
		{"a session as long as a week", `{"sessions":[{"totalSeconds":604800,"exercises":[]}]}`, &Training{}, "604800 s"},
		{"a session without exercises", `{"sessions":[{"totalSeconds":2700}]}`, &Training{}, "no list of exercises"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			require.NoError(t, json.Unmarshal([]byte(row.body), row.response))
			err := row.response.Check()
			if row.wantErr == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.wantErr)
		})
	}
	require.Error(t, (*Nutrition)(nil).Check())
	require.Error(t, (*Training)(nil).Check())
}

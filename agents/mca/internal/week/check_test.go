package week

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatCannotBeMergedIsRefused(t *testing.T) {
	for _, row := range []struct {
		reason, body string
		into         interface{ Check() error }
		says         string // empty: it can
	}{
		{"a plan", `{"targets":{},"days":[{"day":1,"meals":[{"items":[{"grams":1,"kcal":0}]}],"totals":{}}]}`, &Nutrition{}, ""},
		{"targets that are no object", `{"targets":[]}`, &Nutrition{}, "targets"},
		{"a day without meals", `{"days":[{"day":1,"totals":{}}]}`, &Nutrition{}, "meals or totals"},
		{"a meal without items", `{"days":[{"meals":[{"meal":"lunch"}],"totals":{}}]}`, &Nutrition{}, `"lunch" has no items`},
		{"a portion of nothing", `{"days":[{"meals":[{"items":[{"grams":0}]}],"totals":{}}]}`, &Nutrition{}, "0 g"},
		{"energy beyond what a sum can hold", `{"days":[{"meals":[{"items":[{"grams":1,"kcal":1e308}]}],"totals":{}}]}`, &Nutrition{}, "1e+308 kcal"},
		{"less than nothing", `{"days":[{"day":2,"meals":[],"totals":{"fatG":-1}}]}`, &Nutrition{}, `day 2 has -1 of "fatG"`},
		{"a week of training", `{"sessions":[{"weekday":1,"totalSeconds":2700,"exercises":[]}]}`, &Training{}, ""},
		{"a session of a week", `{"sessions":[{"totalSeconds":604800,"exercises":[]}]}`, &Training{}, "604800 s"},
		{"a session of nothing", `{"sessions":[{"totalSeconds":2700}]}`, &Training{}, "no list of exercises"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			require.NoError(t, json.Unmarshal([]byte(row.body), row.into))
			err := row.into.Check()
			if row.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.says)
		})
	}
	require.Error(t, (*Nutrition)(nil).Check())
	require.Error(t, (*Training)(nil).Check())
}

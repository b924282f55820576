package week

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzMerge checks that the week of any valid responses has seven days, no number that JSON
// cannot represent, and no null in place of a list.
func FuzzMerge(f *testing.F) {
	var responses [2]string
	for i, name := range []string{"plan.json", "sessions.json"} {
		text, err := os.ReadFile("../coordination/testdata/" + name)
		require.NoError(f, err)
		responses[i] = string(text)
	}
	for _, row := range [][2]string{
		{responses[0], responses[1]}, {"{}", "{}"}, {"null", "null"},
		{`{"days":[{"day":1,"meals":null,"totals":null},{"day":1,"meals":[{"items":null}],"totals":{}}]}`, `{"sessions":[{"weekday":1}]}`},
		{`{"days":[{"day":1,"meals":[{"items":[{"grams":1,"kcal":1e308},{"grams":1,"kcal":1e308}]}],"totals":{"energyKcal":1e308}}]}`, `{"sessions":[{"weekday":1,"totalSeconds":9000000000000000000}]}`},
		{`{"days":[{"day":1,"totals":{"energyKcal":-5}}]}`, `{"sessions":[{"weekday":2,"totalSeconds":-9}]}`},
	} {
		f.Add([]byte(row[0]), []byte(row[1]), ReferenceKg)
	}
	f.Fuzz(func(t *testing.T, food, training []byte, kg float64) {
		var n *Nutrition
		var tr *Training
		if !(kg >= MinKg && kg <= MaxKg) || json.Unmarshal(food, &n) != nil || n.Check() != nil {
			n, kg = nil, ReferenceKg
		}
		if json.Unmarshal(training, &tr) != nil || tr.Check() != nil {
			tr = nil
		}
		encoded, err := json.Marshal(Merge(n, tr, kg))
		require.NoError(t, err)
		var week Week
		require.NoError(t, json.Unmarshal(encoded, &week))
		require.Len(t, week.Days, Days)
		require.NotNil(t, week.Notes)
		for i, day := range week.Days {
			require.Equal(t, i+1, day.Day)
			require.NotNil(t, day.Sessions)
			require.NotNil(t, day.Meals)
			for _, meal := range day.Meals {
				require.NotNil(t, meal.Items)
			}
			for _, s := range day.Sessions {
				require.True(t, strings.HasPrefix(string(s.Exercises), "["), "%s", s.Exercises)
			}
		}
	})
}

package week

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzMerge checks that the week of any valid responses has seven days. JSON must be able to
// represent each number, and no list may be null.
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
	f.Fuzz(func(t *testing.T, nutritionBody, trainingBody []byte, kg float64) {
		var nutrition *Nutrition
		var training *Training
		if !(kg >= MinKg && kg <= MaxKg) || json.Unmarshal(nutritionBody, &nutrition) != nil || nutrition.Check() != nil {
			nutrition, kg = nil, ReferenceKg
		}
		if json.Unmarshal(trainingBody, &training) != nil || training.Check() != nil {
			training = nil
		}
		encoded, err := json.Marshal(Merge(nutrition, training, kg))
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

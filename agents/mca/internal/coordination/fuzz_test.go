package coordination

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/mca/internal/week"
)

// FuzzCoordinateRequest: no body breaks the decoder; what it takes becomes
// questions in the user's own name, for one week, whatever else it says.
func FuzzCoordinateRequest(f *testing.F) {
	for _, body := range []string{
		seeds, `{}`, `null`, `[]`, `{"task":"t","nutrition":{"weightKg":1e999}}`, `{"task":"t","training":null,"agents":null}`,
		`{"task":"t","nutrition":{"UserId":"x","goals":[[[[]]]]}}`, `{"task":"t","userId":"é","priority":"low"}`, "\xff", `{"task":"t","training":{"a":1,"a":2}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var ask CoordinateRequest
		wrong, err := httpapi.Decode(body, &ask)
		if err != nil || len(wrong) > 0 {
			return
		}
		ask.complete("somebody")
		require.NotEmpty(t, ask.key())
		require.GreaterOrEqual(t, ask.weightKg(), week.MinKg)
		require.LessOrEqual(t, ask.weightKg(), week.MaxKg)
		for _, q := range ask.questions() {
			line, err := json.Marshal(q.body)
			require.NoError(t, err)
			var said map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(line, &said))
			require.JSONEq(t, `"somebody"`, string(said["userId"]))
			if q.agent == npa {
				require.JSONEq(t, `7`, string(said["duration"]))
			}
		}
	})
}

// FuzzRefusal: whatever an agent says of its part of a request, the user hears
// which part that is, in words that JSON can hold.
func FuzzRefusal(f *testing.F) {
	for _, body := range []string{
		`{"detail":"no","errors":[{"pointer":"#/goals/0","detail":"must be one of [a b]"}]}`, `{}`, `null`, `[]`, `{"errors":[{}]}`, `{"errors":[{"pointer":"/goals"}]}`, "\xff",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		wrong := rooted("nutrition", body)
		require.NotEmpty(t, wrong)
		require.LessOrEqual(t, len(wrong), mostRefusals)
		for _, e := range wrong {
			require.True(t, e.Pointer == "#/nutrition" || strings.HasPrefix(e.Pointer, "#/nutrition/"), e.Pointer)
			require.NotEmpty(t, e.Detail)
		}
		_, err := json.Marshal(wrong)
		require.NoError(t, err)
	})
}

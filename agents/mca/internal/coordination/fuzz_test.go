package coordination

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/mca/internal/week"
)

// FuzzCoordinateRequest checks that no body makes the decoder panic. The agents' requests of
// an accepted body must have the token's user id, and npa's must be for one week.
func FuzzCoordinateRequest(f *testing.F) {
	for _, body := range []string{
		loadTestBody, `{}`, `null`, `[]`, `{"task":"t","nutrition":{"weightKg":1e999}}`, `{"task":"t","training":null,"agents":null}`,
		`{"task":"t","nutrition":{"UserId":"x","goals":[[[[]]]]}}`, `{"task":"t","userId":"é","priority":"low"}`, "\xff", `{"task":"t","training":{"a":1,"a":2}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var request CoordinateRequest
		problems, err := httpapi.Decode(body, &request)
		if err != nil || len(problems) > 0 {
			return
		}
		request.normalize("somebody")
		require.NotEmpty(t, request.cacheKey())
		require.GreaterOrEqual(t, request.weightKg(), week.MinKg)
		require.LessOrEqual(t, request.weightKg(), week.MaxKg)
		for _, r := range request.agentRequests() {
			encoded, err := json.Marshal(r.body)
			require.NoError(t, err)
			var fields map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(encoded, &fields))
			require.JSONEq(t, `"somebody"`, string(fields["userId"]))
			if r.agent == npa {
				require.JSONEq(t, `7`, string(fields["duration"]))
			}
		}
	})
}

// FuzzPrefixErrors checks that prefixErrors returns valid field errors for any error body of an
// agent. Their pointers must begin with the field of the agent's request.
func FuzzPrefixErrors(f *testing.F) {
	for _, body := range []string{
		`{"detail":"no","errors":[{"pointer":"#/goals/0","detail":"must be one of [a b]"}]}`, `{}`, `null`, `[]`, `{"errors":[{}]}`, `{"errors":[{"pointer":"/goals"}]}`, "\xff",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		fieldErrors := prefixErrors("nutrition", body)
		require.NotEmpty(t, fieldErrors)
		require.LessOrEqual(t, len(fieldErrors), maxAgentErrors)
		for _, e := range fieldErrors {
			require.True(t, e.Pointer == "#/nutrition" || strings.HasPrefix(e.Pointer, "#/nutrition/"), e.Pointer)
			require.NotEmpty(t, e.Detail)
		}
		_, err := json.Marshal(fieldErrors)
		require.NoError(t, err)
	})
}

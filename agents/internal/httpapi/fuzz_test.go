package httpapi_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// FuzzJSON checks that no body makes the decoder panic. An accepted value must be the same
// after it was encoded and decoded again. Field errors must be bounded.
func FuzzJSON(f *testing.F) {
	for _, body := range []string{
		`{"name":"a","parts":[{"size":1}]}`, `{}`, `null`, `[]`, `7`, `{"name":"a","name":"b"}`, `{"NAME":"a"}`, `{"name":"a","parts":[{"size":1.5},{"sise":1}]}`,
		"\xff", `{"\ud800":1}`, `{"name":"a"}{}`, `{"a":{"b":[[[[`, `{"` + strings.Repeat("é", 150) + `":1}`, `{"a.b[0]":1}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var decoded testBody
		problems, err := httpapi.Decode(body, &decoded)
		if err != nil {
			require.LessOrEqual(t, len(err.Error()), 300)
			require.True(t, utf8.ValidString(err.Error()))
			return
		}
		require.LessOrEqual(t, len(problems), 20)
		for _, e := range problems {
			require.True(t, e.Pointer == "#" || strings.HasPrefix(e.Pointer, "#/"), e.Pointer)
			require.NotEmpty(t, e.Detail)
			require.LessOrEqual(t, len(e.Pointer)+len(e.Detail), 420)
			require.True(t, utf8.ValidString(e.Pointer+e.Detail))
		}
		if len(problems) > 0 {
			return
		}
		encoded, err := json.Marshal(&decoded)
		require.NoError(t, err)
		var redecoded testBody
		problems, err = httpapi.Decode(encoded, &redecoded)
		require.NoError(t, err)
		require.Empty(t, problems)
		require.Equal(t, decoded, redecoded)
	})
}

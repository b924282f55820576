// Package fuzz_test fuzzes what the service decodes. It lies apart from the
// service's other tests, which link the OpenAPI validator and start servers.
package fuzz_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/web/internal/webapp"
)

// FuzzPreferences: no body breaks the decoder; what it takes says something,
// and is the same after it was stored and read.
func FuzzPreferences(f *testing.F) {
	for _, body := range []string{
		`{"theme":"dark","notifications":true}`, `{}`, `null`, `[]`, `{"theme":null,"units":"metric"}`, `{"language":"de-AT"}`, `{"language":"\u0000"}`, "\xff", `{"Theme":"dark"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var wish webapp.Preferences
		wrong, err := httpapi.Decode(body, &wish)
		if err != nil || len(wrong) > 0 {
			return
		}
		line, err := json.Marshal(wish)
		require.NoError(t, err)
		require.NotEqual(t, `{}`, string(line))
		var again webapp.Preferences
		wrong, err = httpapi.Decode(line, &again)
		require.NoError(t, err)
		require.Empty(t, wrong)
		require.Equal(t, wish, again)
	})
}

// Package fuzz_test fuzzes the service's decoders. It is separate from the
// service's other tests, which link the OpenAPI validator and start servers.
package fuzz_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/web/internal/webapp"
)

// FuzzPreferences checks that no body makes the decoder panic. An accepted body must have at
// least one field, and be equal after it was encoded and decoded again.
func FuzzPreferences(f *testing.F) {
	for _, body := range []string{
		`{"theme":"dark","notifications":true}`, `{}`, `null`, `[]`, `{"theme":null,"units":"metric"}`, `{"language":"de-AT"}`, `{"language":"\u0000"}`, "\xff", `{"Theme":"dark"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var preferences webapp.Preferences
		problems, err := httpapi.Decode(body, &preferences)
		if err != nil || len(problems) > 0 {
			return
		}
		encoded, err := json.Marshal(preferences)
		require.NoError(t, err)
		require.NotEqual(t, `{}`, string(encoded))
		var redecoded webapp.Preferences
		problems, err = httpapi.Decode(encoded, &redecoded)
		require.NoError(t, err)
		require.Empty(t, problems)
		require.Equal(t, preferences, redecoded)
	})
}

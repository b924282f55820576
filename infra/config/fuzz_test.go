package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Load accepts or refuses every value of every key without a panic. Each problem has a path with a
// namespace, and none is an internal error.
func FuzzLoad(f *testing.F) {
	for _, l := range leaves() {
		top, _, _ := strings.Cut(l.path, ".")
		for _, text := range []string{"", "null", "0", "-1", "[]", "{}", `[null]`, `{"":null}`, `{"kind":null}`, `{"kind":"none","a":[{}]}`, `{"web":{"min":[]}}`, "true", `"x"`, `{`, "1e999", `{"a":1}{"b":2}`} {
			f.Add(top, text)
		}
	}
	f.Add("aws:defaultTags", `{"tags":{"":"","a":1}}`)
	f.Add(":", "")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, key, text string) {
		values := validValues()
		if !strings.Contains(key, ":") {
			key = Project + ":" + key
		}
		values[key] = text
		_, err := Load("prod", values)
		if err == nil {
			return
		}
		var loadErr *Error
		require.True(t, errors.As(err, &loadErr))
		for _, p := range loadErr.Problems {
			require.Contains(t, p.Field, ":", "%v", p)
			require.NotEqual(t, "InternalError", string(p.Type), "%v", p)
		}
	})
}

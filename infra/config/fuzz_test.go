package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a key holds, Load answers, and each of its problems is at a path of
// some namespace and says a rule.
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
		values := good()
		if !strings.Contains(key, ":") {
			key = Project + ":" + key
		}
		values[key] = text
		_, err := Load("prod", values)
		if err == nil {
			return
		}
		var all *Error
		require.True(t, errors.As(err, &all))
		for _, p := range all.Problems {
			require.Contains(t, p.Field, ":", "%v", p)
			require.NotEqual(t, "InternalError", string(p.Type), "%v", p)
		}
	})
}

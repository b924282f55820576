package httpapi_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

func TestRulesReportPointerAndDetail(t *testing.T) {
	three, allowed := 3, []string{"a", "b"}
	for _, row := range []struct {
		reason  string
		check   func(*httpapi.Rules)
		problem string // pointer and detail; empty if there is none
	}{
		{"an identity provider's id", func(r *httpapi.Rules) { r.CheckUserID("auth0|5f7c8ec7c33c6c004bbafe82") }, ""},
		{"no id", func(r *httpapi.Rules) { r.CheckUserID("") }, "#/userId must be 1 to 128"},
		{"a line break could forge log lines", func(r *httpapi.Rules) { r.CheckUserID("a\nb") }, "#/userId must be"},
		{"a long id", func(r *httpapi.Rules) { r.CheckUserID(strings.Repeat("a", 129)) }, "#/userId must be"},
		{"allowed values", func(r *httpapi.Rules) { r.CheckAllOf("#/x", []string{"b", "a"}, allowed) }, ""},
		{"a value that is not allowed", func(r *httpapi.Rules) { r.CheckAllOf("#/x", []string{"a", "c"}, allowed) }, "#/x/1 must be one of [a b]"},
		{"too many values", func(r *httpapi.Rules) { r.CheckAllOf("#/x", []string{"a", "b", "a"}, allowed) }, "#/x has 3 items, must have at most 2"},
		{"an absent number", func(r *httpapi.Rules) { httpapi.CheckWithin(r, "#/n", nil, 1, 2) }, ""},
		{"the upper bound", func(r *httpapi.Rules) { httpapi.CheckWithin(r, "#/n", &three, 1, 3) }, ""},
		{"above the bound", func(r *httpapi.Rules) { httpapi.CheckWithin(r, "#/n", &three, 1, 2) }, "#/n must be from 1 to 2"},
	} {
		var r httpapi.Rules
		row.check(&r)
		if row.problem == "" {
			require.Empty(t, r, row.reason)
			continue
		}
		require.Len(t, r, 1, row.reason)
		require.Contains(t, r[0].Pointer+" "+r[0].Detail, row.problem, row.reason)
	}
	require.Equal(t, []string{"a", "b"}, httpapi.SortedKeys(map[string]int{"b": 1, "a": 2}))
	require.Equal(t, httpapi.Seed(testBody{Name: "a"}), httpapi.Seed(testBody{Name: "a"}))
	require.NotEqual(t, httpapi.Seed(testBody{Name: "a"}), httpapi.Seed(testBody{Name: "b"}))
}

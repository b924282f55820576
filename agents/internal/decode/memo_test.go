package decode_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/decode"
)

// TestAMemoKnowsWhatWasRight: the same bytes are made once, as long as they are
// small and right; whatever is wrong is told each time.
func TestAMemoKnowsWhatWasRight(t *testing.T) {
	var made int
	memo := decode.NewMemo(4<<10, func(a ask) string { made++; return a.Name })
	long := strings.Repeat("n", 2<<10)
	for _, row := range []struct {
		reason, body, kind string
		status, made       int
		name               string
	}{
		{"new", `{"name":"ada"}`, "application/json", 200, 1, "ada"},
		{"known", `{"name":"ada"}`, "application/json", 200, 1, "ada"},
		{"known, but not sent as JSON", `{"name":"ada"}`, "text/plain", 415, 1, ""},
		{"another", `{"name":"bob"}`, "application/json", 200, 2, "bob"},
		{"a space is another", `{"name": "bob"}`, "application/json", 200, 3, "bob"},
		{"the first, still", `{"name":"ada"}`, "application/json", 200, 3, "ada"},
		{"breaks a rule", `{"name":""}`, "application/json", 422, 3, ""},
		{"breaks it again", `{"name":""}`, "application/json", 422, 3, ""},
		{"no JSON", `{`, "application/json", 400, 3, ""},
		{"long", `{"name":"` + long + `"}`, "application/json", 200, 4, long},
		{"long ones are made each time", `{"name":"` + long + `"}`, "application/json", 200, 5, long},
		{"too long", `{"name":"` + long + long + `"}`, "application/json", 413, 5, ""},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(row.body))
		r.Header.Set("Content-Type", row.kind)
		w := httptest.NewRecorder()
		name, ok := memo.Body(w, r)
		require.Equal(t, row.status == http.StatusOK, ok, row.reason)
		require.Equal(t, row.status, w.Code, row.reason)
		require.Equal(t, row.name, name, row.reason)
		require.Equal(t, row.made, made, row.reason)
	}
}

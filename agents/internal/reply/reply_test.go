package reply_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/reply"
)

func TestJSON(t *testing.T) {
	for _, row := range []struct {
		reason, cache string
		body          any
		status        int
		want          string
		wantCache     string
	}{
		{"one line, not stored unless the handler says so", "", map[string]int{"a": 1}, 200, `{"a":1}`, "no-store"},
		{"the handler's word on caching stands", "max-age=60", 1, 200, `1`, "max-age=60"},
		{"what can't be encoded is an error, and errors are never stored", "max-age=60", make(chan int), 500,
			`{"error":{"code":"internal","message":"the answer could not be encoded","requestId":"r1"}}`, "no-store"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			w := httptest.NewRecorder()
			w.Header().Set(reply.RequestID, "r1")
			if row.cache != "" {
				w.Header().Set("Cache-Control", row.cache)
			}
			reply.JSON(w, http.StatusOK, row.body)
			require.Equal(t, row.status, w.Code)
			require.Equal(t, row.want+"\n", w.Body.String())
			require.Equal(t, row.wantCache, w.Header().Get("Cache-Control"))
			require.Equal(t, "application/json", w.Header().Get("Content-Type"))
			require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		})
	}
}

package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

func TestJSONIsOneLineThatIsNotCached(t *testing.T) {
	for _, row := range []struct {
		reason           string
		cacheControl     string // the header that the handler has set
		body             any
		status           int
		wantBody         string
		wantCacheControl string
		wantContentType  string
	}{
		{"one line, no-store by default", "", map[string]int{"a": 1}, 200, `{"a":1}`, "no-store", "application/json"},
		{"the handler's Cache-Control is kept", "max-age=60", 1, 200, `1`, "max-age=60", "application/json"},
		{"a body that cannot be encoded is an error, and errors are no-store", "max-age=60", make(chan int), 500,
			`{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"the response could not be encoded","code":"internal","requestId":"r1"}`,
			"no-store", "application/problem+json"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			w := httptest.NewRecorder()
			w.Header().Set(httpapi.RequestIDHeader, "r1")
			if row.cacheControl != "" {
				w.Header().Set("Cache-Control", row.cacheControl)
			}
			httpapi.SendJSON(w, http.StatusOK, row.body)
			require.Equal(t, row.status, w.Code)
			require.Equal(t, row.wantBody+"\n", w.Body.String())
			require.Equal(t, row.wantCacheControl, w.Header().Get("Cache-Control"))
			require.Equal(t, row.wantContentType, w.Header().Get("Content-Type"))
			require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		})
	}
}

func TestErrorListsFieldErrors(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Length", "7")
	httpapi.SendError(w, http.StatusUnprocessableEntity, httpapi.CodeInvalid, "two things are wrong",
		httpapi.FieldError{Pointer: "#/a", Detail: "must be b"}, httpapi.FieldError{Pointer: "#", Detail: "c"})
	require.Equal(t, http.StatusUnprocessableEntity, w.Code)
	require.Equal(t, strconv.Itoa(w.Body.Len()), w.Header().Get("Content-Length"), "the error's own length, not the handler's")
	require.JSONEq(t, `{"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"two things are wrong",
		"code":"invalid_request","errors":[{"pointer":"#/a","detail":"must be b"},{"pointer":"#","detail":"c"}]}`, w.Body.String())
}

func TestLineIsSentWithItsLength(t *testing.T) {
	w := httptest.NewRecorder()
	httpapi.SendLine(w, http.StatusOK, []byte("{\"userId\":\"u\",\"days\":[]}\n"))
	require.Equal(t, "{\"userId\":\"u\",\"days\":[]}\n", w.Body.String())
	require.Equal(t, "25", w.Header().Get("Content-Length"))
}

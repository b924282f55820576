package httpapi_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// testBody is a request body for tests.
type testBody struct {
	Name  string     `json:"name"`
	Parts []testPart `json:"parts"`
}

type testPart struct {
	Size int `json:"size"`
}

func (b *testBody) Validate() []httpapi.FieldError {
	if b.Name == "" {
		return []httpapi.FieldError{{Pointer: "#/name", Detail: "must be set"}}
	}
	return nil
}

const limit = 1000

func TestReadBodyReportsEveryError(t *testing.T) {
	for _, row := range []struct {
		reason, contentType, body string
		status                    int
		errors                    []string // pointer and detail
	}{
		{"valid", "application/json", `{"name":"a","parts":[{"size":1}]}`, 200, nil},
		{"a charset parameter is allowed", "application/json; charset=utf-8", `{"name":"a"}`, 200, nil},
		{"a form", "application/x-www-form-urlencoded", `name=a`, 415, nil},
		{"no Content-Type", "", `{"name":"a"}`, 415, nil},
		{"not JSON", "application/json", `{"name":`, 400, nil},
		{"empty body", "application/json", ``, 400, nil},
		{"more than one value", "application/json", `{"name":"a"}{}`, 400, nil},
		{"too large", "application/json", `{"name":"` + strings.Repeat("a", limit) + `"}`, 413, nil},
		{"an unknown field is named", "application/json", `{"name":"a","nmae":1}`, 422, []string{`#/nmae unknown field "nmae"`}},
		{"a nested unknown field is named", "application/json", `{"name":"a","parts":[{"size":1},{"sise":1}]}`, 422,
			[]string{`#/parts/1/sise unknown field "parts[1].sise"`}},
		{"names are case-sensitive", "application/json", `{"name":"a","NAME":"b"}`, 422, []string{`#/NAME unknown field "NAME"`}},
		{"a duplicate field is an error", "application/json", `{"name":"a","name":"b"}`, 422, []string{`#/name duplicate field "name"`}},
		{"a wrong type names its field", "application/json", `{"name":"a","parts":[{"size":"x"}]}`, 422,
			[]string{`#/parts/size is a JSON string, must be int`}},
		{"no Go type name for an object", "application/json", `[]`, 422, []string{`# is a JSON array, must be an object`}},
		{"no Go type name for an array", "application/json", `{"name":"a","parts":1}`, 422, []string{`#/parts is a JSON number, must be an array`}},
		{"a fraction is not an integer", "application/json", `{"name":"a","parts":[{"size":1.5}]}`, 422,
			[]string{`#/parts/size is a JSON number 1.5, must be int`}},
		{"all errors at once", "application/json", `{"x":1,"y":2}`, 422,
			[]string{`#/x unknown field "x"`, `#/y unknown field "y"`, `#/name must be set`}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(row.body))
			r.Header.Set("Content-Type", row.contentType)
			w := httptest.NewRecorder()
			ok := httpapi.ReadBody(w, r, limit, &testBody{})
			require.Equal(t, row.status == 200, ok)
			if ok {
				require.Zero(t, w.Body.Len())
				return
			}
			require.Equal(t, row.status, w.Code)
			require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
			var problem httpapi.Problem
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &problem))
			var texts []string
			for _, e := range problem.Errors {
				texts = append(texts, e.Pointer+" "+e.Detail)
			}
			require.Equal(t, row.errors, texts)
		})
	}
}

func TestErrorListIsBounded(t *testing.T) {
	fields := map[string]int{}
	for range 100 {
		fields[strings.Repeat("é", 300+len(fields))] = 1
	}
	body, err := json.Marshal(fields)
	require.NoError(t, err)
	problems, err := httpapi.Decode(body, &testBody{})
	require.NoError(t, err)
	require.Len(t, problems, 20)
	// 200 bytes of the text, "...", and the replacement of an incomplete character.
	for _, e := range problems {
		require.LessOrEqual(t, len(e.Detail), 210)
		require.LessOrEqual(t, len(e.Pointer), 210)
	}
}

// failingReader is a body that cannot be read, because the connection is lost.
type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("connection lost") }

func TestTruncatedBodyIsABadRequest(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", io.NopCloser(failingReader{}))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	require.False(t, httpapi.ReadBody(w, r, limit, &testBody{}))
	require.Equal(t, http.StatusBadRequest, w.Code)
}

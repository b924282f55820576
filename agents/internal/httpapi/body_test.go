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

type ask struct {
	Name  string `json:"name"`
	Parts []part `json:"parts"`
}

type part struct {
	Size int `json:"size"`
}

func (a *ask) Validate() []httpapi.FieldError {
	if a.Name == "" {
		return []httpapi.FieldError{{Pointer: "#/name", Detail: "must be there"}}
	}
	return nil
}

const limit = 1000

func TestBody(t *testing.T) {
	named := func(errors ...string) []string { return errors }
	for _, row := range []struct {
		reason, kind, body string
		status             int
		errors             []string // pointer and detail
	}{
		{"good", "application/json", `{"name":"a","parts":[{"size":1}]}`, 200, nil},
		{"a charset may be said", "application/json; charset=utf-8", `{"name":"a"}`, 200, nil},
		{"a form", "application/x-www-form-urlencoded", `name=a`, 415, nil},
		{"no type at all", "", `{"name":"a"}`, 415, nil},
		{"no JSON", "application/json", `{"name":`, 400, nil},
		{"nothing", "application/json", ``, 400, nil},
		{"more than one value", "application/json", `{"name":"a"}{}`, 400, nil},
		{"just too large", "application/json", `{"name":"` + strings.Repeat("a", limit) + `"}`, 413, nil},
		{"an unknown field is named", "application/json", `{"name":"a","nmae":1}`, 422, named(`#/nmae unknown field "nmae"`)},
		{"so is a nested one", "application/json", `{"name":"a","parts":[{"size":1},{"sise":1}]}`, 422,
			named(`#/parts/1/sise unknown field "parts[1].sise"`)},
		{"names are case-sensitive", "application/json", `{"name":"a","NAME":"b"}`, 422, named(`#/NAME unknown field "NAME"`)},
		{"a double field is ambiguous", "application/json", `{"name":"a","name":"b"}`, 422, named(`#/name duplicate field "name"`)},
		{"a wrong type names its field", "application/json", `{"name":"a","parts":[{"size":"x"}]}`, 422,
			named(`#/parts/size is a JSON string, must be int`)},
		{"no type of ours is named", "application/json", `[]`, 422, named(`# is a JSON array, must be an object`)},
		{"nor in a list", "application/json", `{"name":"a","parts":1}`, 422, named(`#/parts is a JSON number, must be an array`)},
		{"a fraction is no whole number", "application/json", `{"name":"a","parts":[{"size":1.5}]}`, 422,
			named(`#/parts/size is a JSON number 1.5, must be int`)},
		{"all at once", "application/json", `{"x":1,"y":2}`, 422,
			named(`#/x unknown field "x"`, `#/y unknown field "y"`, `#/name must be there`)},
	} {
		t.Run(row.reason, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(row.body))
			r.Header.Set("Content-Type", row.kind)
			w := httptest.NewRecorder()
			ok := httpapi.ReadBody(w, r, limit, &ask{})
			require.Equal(t, row.status == 200, ok)
			if ok {
				require.Zero(t, w.Body.Len())
				return
			}
			require.Equal(t, row.status, w.Code)
			require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
			var problem httpapi.Problem
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &problem))
			var said []string
			for _, e := range problem.Errors {
				said = append(said, e.Pointer+" "+e.Detail)
			}
			require.Equal(t, row.errors, said)
		})
	}
}

func TestARefusalIsBounded(t *testing.T) {
	fields := map[string]int{}
	for range 100 {
		fields[strings.Repeat("é", 300+len(fields))] = 1
	}
	body, err := json.Marshal(fields)
	require.NoError(t, err)
	wrong, err := httpapi.Decode(body, &ask{})
	require.NoError(t, err)
	require.Len(t, wrong, 20)
	for _, e := range wrong {
		require.LessOrEqual(t, len(e.Detail), 210)
		require.LessOrEqual(t, len(e.Pointer), 210)
	}
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("gone") }

func TestABodyThatEndsEarly(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", io.NopCloser(brokenBody{}))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	require.False(t, httpapi.ReadBody(w, r, limit, &ask{}))
	require.Equal(t, http.StatusBadRequest, w.Code)
}

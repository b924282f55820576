// Package openapitest holds handlers to their OpenAPI document in tests: every
// request that they accept and every answer that they give must be in it.
package openapitest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/errors"
	"github.com/stretchr/testify/require"
)

// Checker sends requests to a handler and checks both sides.
type Checker struct {
	// Token is sent as the bearer's when it is set.
	Token   string
	handler http.Handler
	rules   validator.Validator
}

// New reads the document, which must be valid OpenAPI 3.1.
func New(t *testing.T, document []byte, handler http.Handler) *Checker {
	t.Helper()
	parsed, err := libopenapi.NewDocument(document)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(parsed.GetVersion(), "3.1."), parsed.GetVersion())
	rules, errs := validator.NewValidator(parsed)
	require.Empty(t, errs)
	valid, problems := rules.ValidateDocument()
	require.True(t, valid, say(problems))
	return &Checker{handler: handler, rules: rules}
}

// Send has the handler answer. The answer must be in the document; so must the
// request where the handler took it, and must not where it was refused as
// invalid_request.
func (c *Checker) Send(t *testing.T, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	request := func() *http.Request {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		if c.Token != "" {
			r.Header.Set("Authorization", "Bearer "+c.Token)
		}
		return r
	}
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, request())
	known, problems := c.rules.ValidateHttpRequest(request())
	if w.Code < http.StatusBadRequest {
		require.True(t, known, "accepted, but not in the document: %s", say(problems))
	}
	if w.Code == http.StatusUnprocessableEntity && strings.Contains(w.Body.String(), `"invalid_request"`) {
		require.False(t, known, "refused, but the document allows it: %s", w.Body)
	}
	valid, problems := c.rules.ValidateHttpResponse(request(), w.Result())
	require.True(t, valid, "%s is answered by %s: %s", body, w.Body, say(problems))
	return w
}

func say(problems []*errors.ValidationError) string {
	var lines []string
	for _, p := range problems {
		line := p.Message + ": " + p.Reason
		for _, s := range p.SchemaValidationErrors {
			line += "; " + s.Reason
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

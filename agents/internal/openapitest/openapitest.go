// Package openapitest checks handlers against their OpenAPI document in tests.
// Every accepted request and every response must conform to the document.
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

// Checker sends requests to a handler. It checks each request and its response against
// the OpenAPI document.
type Checker struct {
	// Token is the bearer token of requests, if set.
	Token     string
	handler   http.Handler
	validator validator.Validator // of the OpenAPI document
}

// New returns a Checker of the handler. document is its OpenAPI document, which must be
// valid OpenAPI 3.1.
func New(t *testing.T, document []byte, handler http.Handler) *Checker {
	t.Helper()
	doc, err := libopenapi.NewDocument(document)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(doc.GetVersion(), "3.1."), doc.GetVersion())
	documentValidator, errs := validator.NewValidator(doc)
	require.Empty(t, errs)
	valid, problems := documentValidator.ValidateDocument()
	require.True(t, valid, joinProblems(problems))
	return &Checker{handler: handler, validator: documentValidator}
}

// Send sends a request to the handler. It fails the test unless the handler and its OpenAPI
// document agree. The response must conform to the document. An accepted request must
// conform too. A request that the handler rejects with invalid_request must not conform.
func (c *Checker) Send(t *testing.T, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	newRequest := func() *http.Request {
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
	c.handler.ServeHTTP(w, newRequest())
	conforms, problems := c.validator.ValidateHttpRequest(newRequest())
	if w.Code < http.StatusBadRequest {
		require.True(t, conforms, "the handler accepted a request that the document does not allow: %s", joinProblems(problems))
	}
	if w.Code == http.StatusUnprocessableEntity && strings.Contains(w.Body.String(), `"invalid_request"`) {
		require.False(t, conforms, "the handler rejected a request that the document allows: %s", w.Body)
	}
	valid, problems := c.validator.ValidateHttpResponse(newRequest(), w.Result())
	require.True(t, valid, "request %s: response %s does not conform: %s", body, w.Body, joinProblems(problems))
	return w
}

// joinProblems returns a line for each problem.
func joinProblems(problems []*errors.ValidationError) string {
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

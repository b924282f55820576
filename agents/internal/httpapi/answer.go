// Package httpapi is the form of the services' HTTP APIs: request bodies, which
// are read with a limit, strictly and with every mistake at once; answers, one
// line of JSON each; errors as RFC 9457 problem details; and the OpenAPI
// document. It owns the form; each service owns its requests and answers.
package httpapi

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// RequestID is the header that carries a request's id both ways. Error finds
// the id there, so that this package needs no other.
const RequestID = "X-Request-Id"

// The codes of Error that more than one package answers with. Clients act on
// codes; messages are for people and may change.
const (
	CodeNotFound         = "not_found"
	CodeMethodNotAllowed = "method_not_allowed"
	CodeTooLarge         = "body_too_large"
	CodeUnauthorized     = "unauthorized"
	CodeForbidden        = "forbidden"
	CodeTooManyRequests  = "too_many_requests"
	CodeUnavailable      = "unavailable"
	CodeInternal         = "internal"
)

// JSON answers with body as one line of JSON. Unless the handler has set
// Cache-Control itself, the answer is not to be stored by any cache on the
// way. A body that can't be encoded gives a 500.
func JSON(w http.ResponseWriter, status int, body any) {
	write(w, status, ofJSON, body)
}

func write(w http.ResponseWriter, status int, contentType []string, body any) {
	line, err := json.Marshal(body)
	if err != nil {
		Error(w, http.StatusInternalServerError, CodeInternal, "the answer could not be encoded")
		return
	}
	line = append(line, '\n')
	send(w, status, contentType, line)
}

// Line answers with a line of JSON that is already encoded, its newline
// included. In parts, what is the same for many need not be copied for each.
func Line(w http.ResponseWriter, status int, parts ...[]byte) {
	send(w, status, ofJSON, parts...)
}

// The values of headers that nearly every answer has: net/http copies none, so
// that they need not be made for each.
var (
	ofJSON    = []string{"application/json"}
	ofProblem = []string{"application/problem+json"} // RFC 9457
	nosniff   = []string{"nosniff"}
	noStore   = []string{"no-store"}
)

func send(w http.ResponseWriter, status int, contentType []string, parts ...[]byte) {
	h := w.Header()
	h["Content-Type"] = contentType
	h["X-Content-Type-Options"] = nosniff
	if h["Cache-Control"] == nil {
		h["Cache-Control"] = noStore
	}
	length := 0
	for _, part := range parts {
		length += len(part)
	}
	h["Content-Length"] = []string{strconv.Itoa(length)} // chunks would be more writes
	w.WriteHeader(status)
	for _, part := range parts {
		// A failed write means that the client has left: nobody is there to tell.
		_, _ = w.Write(part)
	}
}

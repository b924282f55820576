// Package httpapi has the common form of the services' HTTP APIs. Request
// bodies are decoded strictly and with a size limit, and all errors are
// reported together. Responses are one line of JSON, errors are RFC 9457 problem
// details, and the OpenAPI document is served as JSON. Each service owns its
// requests and responses.
package httpapi

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// RequestIDHeader is the header of a request's id, in requests and responses. SendError reads the id
// from the response header, so that this package imports no other package of the services.
const RequestIDHeader = "X-Request-Id"

// Codes of SendError that more than one package uses. Clients may depend on codes;
// texts may change.
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

// SendJSON sends body as one line of JSON. The response is not cacheable unless the
// handler has set Cache-Control. A body that cannot be encoded becomes a 500.
func SendJSON(w http.ResponseWriter, status int, body any) {
	encodeAndSend(w, status, jsonType, body)
}

// encodeAndSend encodes the body and sends it.
func encodeAndSend(w http.ResponseWriter, status int, contentType []string, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		SendError(w, http.StatusInternalServerError, CodeInternal, "the response could not be encoded")
		return
	}
	encoded = append(encoded, '\n')
	send(w, status, contentType, encoded)
}

// SendLine sends a line of JSON that is already encoded and ends with a newline.
func SendLine(w http.ResponseWriter, status int, line []byte) {
	send(w, status, jsonType, line)
}

// Header values of nearly every response. net/http does not copy or change
// them, so they are allocated only once.
var (
	jsonType    = []string{"application/json"}
	problemType = []string{"application/problem+json"} // RFC 9457
	nosniff     = []string{"nosniff"}
	noStore     = []string{"no-store"}
)

// send writes a response.
func send(w http.ResponseWriter, status int, contentType []string, body []byte) {
	h := w.Header()
	h["Content-Type"] = contentType
	h["X-Content-Type-Options"] = nosniff
	if h["Cache-Control"] == nil {
		h["Cache-Control"] = noStore
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))} // without it net/http would use chunked encoding, with more writes
	w.WriteHeader(status)
	// A write fails only if the client has disconnected. Then no error response can be sent.
	_, _ = w.Write(body)
}

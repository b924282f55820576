// Package reply writes the answers of the services: one line of JSON each,
// errors in one form. It owns that form and its headers; what is answered is
// the handler's.
package reply

import (
	"encoding/json"
	"net/http"
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

// ErrorBody is the form of every error answer.
type ErrorBody struct {
	Error ErrorDetail `json:"error"`
}

// ErrorDetail says what went wrong.
type ErrorDetail struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	RequestID string `json:"requestId,omitempty"`
}

// JSON answers with body as one line of JSON. Unless the handler has set
// Cache-Control itself, the answer is not to be stored by any cache on the
// way. A body that can't be encoded gives a 500.
func JSON(w http.ResponseWriter, status int, body any) {
	line, err := json.Marshal(body)
	if err != nil {
		Error(w, http.StatusInternalServerError, CodeInternal, "the answer could not be encoded")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	// A failed write means that the client has left: nobody is there to tell.
	_, _ = w.Write(append(line, '\n'))
}

// Error answers with an ErrorBody. The message goes to the client, so it must
// hold nothing that is not theirs to know.
func Error(w http.ResponseWriter, status int, code, message string) {
	// An error must not inherit what a handler set for the answer it meant to give.
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Del("Content-Length")
	JSON(w, status, ErrorBody{ErrorDetail{Code: code, Message: message, RequestID: w.Header().Get(RequestID)}})
}

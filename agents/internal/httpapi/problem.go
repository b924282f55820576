package httpapi

import "net/http"

// Problem is the form of every error answer: RFC 9457 problem details of the
// type about:blank, with the members code, requestId and errors added.
type Problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"` // the status in words
	Status    int          `json:"status"`
	Detail    string       `json:"detail"` // for people, may change
	Code      string       `json:"code"`   // for clients, stays
	RequestID string       `json:"requestId,omitempty"`
	Errors    []FieldError `json:"errors,omitempty"`
}

// FieldError is what is wrong with one part of a request.
type FieldError struct {
	// Pointer leads to the part: a JSON pointer as a URI fragment (RFC 6901,
	// section 6), "#" for the whole body.
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// The codes of refused requests.
const (
	CodeMalformed  = "malformed_json"
	CodeMediaType  = "unsupported_media_type"
	CodeInvalid    = "invalid_request"
	CodeOutOfTime  = "out_of_time"
	CodeInfeasible = "infeasible"
)

// Error answers with a Problem. The detail and the errors go to the client, so
// they must hold nothing that is not theirs to know.
func Error(w http.ResponseWriter, status int, code, detail string, errors ...FieldError) {
	// An error must not inherit what a handler set for the answer it meant to give.
	w.Header().Set("Cache-Control", "no-store")
	write(w, status, ofProblem, Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: detail, Code: code, RequestID: w.Header().Get(RequestID), Errors: errors,
	})
}

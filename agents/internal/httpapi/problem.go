package httpapi

import "net/http"

// Problem is the body of every error response: RFC 9457 problem details of type
// about:blank, with the extension members code, requestId and errors.
type Problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"` // the text of the status
	Status    int          `json:"status"`
	Detail    string       `json:"detail"` // for people; may change
	Code      string       `json:"code"`   // for clients; does not change
	RequestID string       `json:"requestId,omitempty"`
	Errors    []FieldError `json:"errors,omitempty"`
}

// FieldError is an error in one field of a request.
type FieldError struct {
	// Pointer is a JSON pointer to the field as a URI fragment (RFC 6901,
	// section 6). "#" is the whole body.
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// Codes of rejected requests.
const (
	CodeMalformed  = "malformed_json"
	CodeMediaType  = "unsupported_media_type"
	CodeInvalid    = "invalid_request"
	CodeOutOfTime  = "out_of_time"
	CodeInfeasible = "infeasible"
)

// SendError sends a Problem. The client sees the detail and the errors, so they
// must not contain internal data.
func SendError(w http.ResponseWriter, status int, code, detail string, errors ...FieldError) {
	// The handler may have set Cache-Control for a successful response.
	w.Header().Set("Cache-Control", "no-store")
	encodeAndSend(w, status, problemType, Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: detail, Code: code, RequestID: w.Header().Get(RequestIDHeader), Errors: errors,
	})
}

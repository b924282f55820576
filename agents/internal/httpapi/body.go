package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	strict "sigs.k8s.io/json"
)

// These limits prevent that a client makes an error response very large.
const (
	maxErrors      = 20  // field errors in a response
	maxDetailBytes = 200 // of a text that comes from the client
)

// Body is a request body that validates itself.
type Body interface {
	// Validate returns every violated rule.
	Validate() []FieldError
}

// ReadBody decodes a request's body into target, which must be a pointer. The body may
// have at most limit bytes. ReadBody returns true if the body is valid. Otherwise it
// sends an error response and returns false. The status is 413, 415, 400 for a body that
// is not JSON, or 422 for a violated rule.
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64, target Body) bool {
	if contentType := r.Header.Get("Content-Type"); !isJSON(contentType) {
		SendError(w, http.StatusUnsupportedMediaType, CodeMediaType,
			fmt.Sprintf("Content-Type %q is not supported; send application/json", clip(contentType)))
		return false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
			SendError(w, http.StatusRequestEntityTooLarge, CodeTooLarge,
				fmt.Sprintf("body too large: must be at most %d bytes", tooLarge.Limit))
			return false
		}
		SendError(w, http.StatusBadRequest, CodeMalformed, "the body could not be read completely")
		return false
	}
	problems, err := Decode(body, target)
	if err != nil {
		SendError(w, http.StatusBadRequest, CodeMalformed, err.Error())
		return false
	}
	if len(problems) > 0 {
		SendError(w, http.StatusUnprocessableEntity, CodeInvalid,
			fmt.Sprintf("the request violates %d rules; see errors", len(problems)), problems...)
		return false
	}
	return true
}

// isJSON reports whether the Content-Type is application/json, with or without
// parameters.
func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true // nearly all clients send this, so it is checked first and without parsing
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == "application/json"
}

// Decode decodes the body into target, which must be a pointer. It returns at most 20
// field errors: fields that are unknown, duplicate or of a wrong type, and violated
// rules. Names are case-sensitive. Decode returns an error only for a body that is not
// JSON.
func Decode(body []byte, target Body) ([]FieldError, error) {
	// Nearly all bodies are valid, and the new encoding/json decodes them in half
	// the time. An invalid body is decoded again, by the strict decoder, which
	// collects all errors.
	if jsonv2.Unmarshal(body, target, jsonv2.RejectUnknownMembers(true)) == nil {
		return limitErrors(target.Validate()), nil
	}
	reflect.ValueOf(target).Elem().SetZero() // removes the fields that were decoded before the error
	return decodeStrictly(body, target)
}

// decodeStrictly decodes the body with the strict decoder, which reports the errors of
// all fields.
func decodeStrictly(body []byte, target Body) ([]FieldError, error) {
	strictErrors, err := strict.UnmarshalStrict(body, target)
	if err != nil {
		if typeErr, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return []FieldError{{Pointer: toPointer(typeErr.Field), Detail: clip(fmt.Sprintf("is a JSON %s, must be %s", typeErr.Value, jsonTypeName(typeErr.Type)))}}, nil
		}
		return nil, fmt.Errorf("the body is not JSON: %s", clip(err.Error()))
	}
	var problems []FieldError
	for _, err := range strictErrors {
		path := ""
		if field, ok := errors.AsType[strict.FieldError](err); ok {
			path = field.FieldPath()
		}
		problems = append(problems, FieldError{Pointer: toPointer(path), Detail: clip(err.Error())})
	}
	return limitErrors(append(problems, target.Validate()...)), nil
}

// limitErrors returns the first maxErrors problems.
func limitErrors(problems []FieldError) []FieldError { return problems[:min(len(problems), maxErrors)] }

// jsonTypeName returns the name of a type for the API's clients. It does not contain
// the name of a Go package.
func jsonTypeName(t reflect.Type) string {
	switch name := t.String(); {
	case !strings.Contains(name, "."):
		return name
	case t.Kind() == reflect.Slice:
		return "an array"
	default:
		return "an object"
	}
}

// toPointer converts a path such as a.b[0] to #/a/b/0.
func toPointer(path string) string {
	if path == "" {
		return "#"
	}
	return clip("#/" + strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(path))
}

// clip shortens untrusted text for an error, and makes it valid UTF-8.
func clip(text string) string {
	if len(text) > maxDetailBytes {
		text = text[:maxDetailBytes] + "..."
	}
	return strings.ToValidUTF8(text, "?")
}

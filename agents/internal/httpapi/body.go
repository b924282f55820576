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

// maxErrors, and maxDetail in bytes, bound an error response: the client's input
// decides how many errors it has and how long their names are.
const maxErrors, maxDetail = 20, 200

// Body is a request body that validates itself.
type Body interface {
	// Validate returns every violated rule.
	Validate() []FieldError
}

// ReadBody decodes a request's body of at most limit bytes into the pointer into. It
// returns true if the body is valid. Otherwise it has sent the error: 413, 415, 400 for
// a body that is not JSON, or 422 for a violated rule.
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64, into Body) bool {
	if contentType := r.Header.Get("Content-Type"); !isJSON(contentType) {
		Error(w, http.StatusUnsupportedMediaType, CodeMediaType,
			fmt.Sprintf("Content-Type %q is not supported; send application/json", clip(contentType)))
		return false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
			Error(w, http.StatusRequestEntityTooLarge, CodeTooLarge,
				fmt.Sprintf("body too large: must be at most %d bytes", tooLarge.Limit))
			return false
		}
		Error(w, http.StatusBadRequest, CodeMalformed, "the body could not be read completely")
		return false
	}
	problems, err := Decode(body, into)
	if err != nil {
		Error(w, http.StatusBadRequest, CodeMalformed, err.Error())
		return false
	}
	if len(problems) > 0 {
		Error(w, http.StatusUnprocessableEntity, CodeInvalid,
			fmt.Sprintf("the request violates %d rules; see errors", len(problems)), problems...)
		return false
	}
	return true
}

// isJSON has a fast path, because nearly all clients send exactly this value.
func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == "application/json"
}

// Decode decodes the body and returns all field errors: fields that are unknown,
// duplicate or of a wrong type, and violated rules. Names are case-sensitive. It
// returns an error only for a body that is not JSON.
func Decode(body []byte, into Body) ([]FieldError, error) {
	// Nearly all bodies are valid, and the new encoding/json decodes them in half
	// the time. An invalid body is decoded again, by the strict decoder, which
	// collects all errors.
	if jsonv2.Unmarshal(body, into, jsonv2.RejectUnknownMembers(true)) == nil {
		return limitErrors(into.Validate()), nil
	}
	reflect.ValueOf(into).Elem().SetZero() // remove fields that were decoded before the error
	return decodeStrictly(body, into)
}

// decodeStrictly decodes the body with the strict decoder, which reports the errors of
// all fields.
func decodeStrictly(body []byte, into Body) ([]FieldError, error) {
	strictErrors, err := strict.UnmarshalStrict(body, into)
	if err != nil {
		if typeErr, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return []FieldError{{Pointer: pointer(typeErr.Field), Detail: clip(fmt.Sprintf("is a JSON %s, must be %s", typeErr.Value, jsonTypeName(typeErr.Type)))}}, nil
		}
		return nil, fmt.Errorf("the body is not JSON: %s", clip(err.Error()))
	}
	var problems []FieldError
	for _, err := range strictErrors {
		path := ""
		if field, ok := errors.AsType[strict.FieldError](err); ok {
			path = field.FieldPath()
		}
		problems = append(problems, FieldError{Pointer: pointer(path), Detail: clip(err.Error())})
	}
	return limitErrors(append(problems, into.Validate()...)), nil
}

func limitErrors(problems []FieldError) []FieldError { return problems[:min(len(problems), maxErrors)] }

// jsonTypeName names a type in API terms. Names of Go packages must not appear.
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

// pointer converts a path such as a.b[0] to #/a/b/0.
func pointer(path string) string {
	if path == "" {
		return "#"
	}
	return clip("#/" + strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(path))
}

// clip shortens untrusted text for an error, and makes it valid UTF-8.
func clip(text string) string {
	if len(text) > maxDetail {
		text = text[:maxDetail] + "..."
	}
	return strings.ToValidUTF8(text, "?")
}

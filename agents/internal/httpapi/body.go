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

const (
	// mostErrors and mostDetail, in bytes, bound a refusal: names in it are the
	// client's.
	mostErrors, mostDetail = 20, 200
)

// Body is a request body that knows its own rules.
type Body interface {
	// Validate returns all that is wrong with it.
	Validate() []FieldError
}

// ReadBody reads at most limit bytes of the request's body into the pointer into.
// It returns true where the body is valid; else it has answered the error: 413,
// 415, 400 for a body that is no JSON, 422 for a broken rule.
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64, into Body) bool {
	if kind := r.Header.Get("Content-Type"); !isJSON(kind) {
		Error(w, http.StatusUnsupportedMediaType, CodeMediaType,
			fmt.Sprintf("Content-Type %q is not taken; send application/json", clip(kind)))
		return false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		if tooLarge, is := errors.AsType[*http.MaxBytesError](err); is {
			Error(w, http.StatusRequestEntityTooLarge, CodeTooLarge,
				fmt.Sprintf("the body has more than %d bytes; at most these are taken", tooLarge.Limit))
			return false
		}
		Error(w, http.StatusBadRequest, CodeMalformed, "the body could not be read to its end")
		return false
	}
	wrong, err := Decode(body, into)
	if err != nil {
		Error(w, http.StatusBadRequest, CodeMalformed, err.Error())
		return false
	}
	if len(wrong) > 0 {
		Error(w, http.StatusUnprocessableEntity, CodeInvalid,
			fmt.Sprintf("the request breaks %d rules; see errors", len(wrong)), wrong...)
		return false
	}
	return true
}

// isJSON parses only what may have parameters: nearly all say just this.
func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "application/json"
}

// Decode decodes the body and returns all that is wrong with its parts: fields
// that are unknown, double or of a wrong type, and broken rules. Names are
// case-sensitive. The error is that of a body that is no JSON.
func Decode(body []byte, into Body) ([]FieldError, error) {
	// Nearly all bodies decode, and Go's next encoding/json does that in half the
	// time. The strict decoder names all errors of the others at once.
	if jsonv2.Unmarshal(body, into, jsonv2.RejectUnknownMembers(true)) == nil {
		return bounded(into.Validate()), nil
	}
	reflect.ValueOf(into).Elem().SetZero() // members that were decoded before the error
	return decodeStrictly(body, into)
}

// decodeStrictly is Decode with the errors of all members.
func decodeStrictly(body []byte, into Body) ([]FieldError, error) {
	strictErrors, err := strict.UnmarshalStrict(body, into)
	if err != nil {
		if kind, is := errors.AsType[*json.UnmarshalTypeError](err); is {
			return []FieldError{{Pointer: pointer(kind.Field), Detail: clip(fmt.Sprintf("is a JSON %s, must be %s", kind.Value, jsonType(kind.Type)))}}, nil
		}
		return nil, fmt.Errorf("the body is no JSON: %s", clip(err.Error()))
	}
	var wrong []FieldError
	for _, err := range strictErrors {
		path := ""
		if field, is := errors.AsType[strict.FieldError](err); is {
			path = field.FieldPath()
		}
		wrong = append(wrong, FieldError{Pointer: pointer(path), Detail: clip(err.Error())})
	}
	return bounded(append(wrong, into.Validate()...)), nil
}

func bounded(wrong []FieldError) []FieldError { return wrong[:min(len(wrong), mostErrors)] }

// jsonType names a type. The name of a Go package is no part of an API.
func jsonType(t reflect.Type) string {
	switch name := t.String(); {
	case !strings.Contains(name, "."):
		return name
	case t.Kind() == reflect.Slice:
		return "an array"
	default:
		return "an object"
	}
}

// pointer turns a path such as a.b[0] into #/a/b/0.
func pointer(path string) string {
	if path == "" {
		return "#"
	}
	return clip("#/" + strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(path))
}

func clip(text string) string {
	if len(text) > mostDetail {
		text = text[:mostDetail] + "..."
	}
	return strings.ToValidUTF8(text, "?")
}

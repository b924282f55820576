package kubernetes

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// knownConflicts says whether each field of an apply conflict is one that the
// state's inputs have: then its present value is known from a refresh.
func knownConflicts(err error, before map[string]any) bool {
	var s apierrors.APIStatus
	if !errors.As(err, &s) || s.Status().Details == nil {
		return false
	}
	found := false
	for _, c := range s.Status().Details.Causes {
		if c.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		if !holds(before, c.Field) {
			return false
		}
		found = true
	}
	return found
}

// holds says whether value has the field that a path of the API server names,
// such as .spec.template.spec.containers[name="app"].image. Keys may hold dots
// themselves, so that each key of an object is tried.
func holds(value any, field string) bool {
	if field == "" {
		return true
	}
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			rest, ok := strings.CutPrefix(field, "."+name)
			if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') && holds(inner, rest) {
				return true
			}
		}
	case []any:
		selector, rest, ok := strings.Cut(strings.TrimPrefix(field, "["), "]")
		if !ok {
			return false
		}
		for _, item := range v {
			if selects(selector, item) && holds(item, rest) {
				return true
			}
		}
	}
	return false
}

// selects says whether an item is the one that a selector means: name="app",
// several of those with commas, or ="value" for an item that is a value.
func selects(selector string, item any) bool {
	for _, pair := range strings.Split(selector, ",") {
		key, raw, ok := strings.Cut(pair, "=")
		if !ok {
			return false
		}
		var want any
		if err := json.Unmarshal([]byte(raw), &want); err != nil {
			return false
		}
		if f, isNumber := want.(float64); isNumber {
			want = number(f)
		}
		got := item
		if key != "" {
			m, ok := item.(map[string]any)
			if !ok {
				return false
			}
			if got, ok = m[key]; !ok {
				// The API server's defaults are not in the inputs (protocol).
				continue
			}
		}
		if !reflect.DeepEqual(got, want) {
			return false
		}
	}
	return true
}

package tracer

import (
	"regexp"
	"slices"
	"strings"
)

// find returns the first element for which condition is true. ok is false if there is none.
func find[E any](elements []E, condition func(E) bool) (found E, ok bool) {
	if i := slices.IndexFunc(elements, condition); i >= 0 {
		return elements[i], true
	}
	return found, false
}

// matches reports whether a pattern of CloudFront or of a load balancer matches a
// path: * matches any number of characters, and ? matches one.
func matches(pattern, path string) bool {
	quoted := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
	return regexp.MustCompile("^" + quoted + "$").MatchString(path)
}

// includes reports whether the map all has every entry of the map some.
func includes(all, some map[string]any) bool {
	for name, value := range some {
		if all[name] != value {
			return false
		}
	}
	return true
}

// The functions below return a value of decoded JSON with its Go type. For a missing value or
// another type they return the zero value.

func toObject(v any) map[string]any { o, _ := v.(map[string]any); return o }

// objectAt returns the object at the end of a path of fields. It returns nil if a field is missing.
func objectAt(o map[string]any, path ...string) map[string]any {
	for _, name := range path {
		o = toObject(o[name])
	}
	return o
}

func toList(v any) []any { l, _ := v.([]any); return l }

func toObjects(v any) []map[string]any {
	var objects []map[string]any
	for _, e := range toList(v) {
		objects = append(objects, toObject(e))
	}
	return objects
}

func stringAt(o map[string]any, name string) string { s, _ := o[name].(string); return s }

func intAt(o map[string]any, name string) int { f, _ := o[name].(float64); return int(f) }

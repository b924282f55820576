package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// Object has the properties of a resource as plain values. A getter returns the zero
// value if a property is missing, unknown or of another type. Types are checked before
// any rule runs.
type Object map[string]any

// Has reports whether the property is set, even if its value is unknown.
func (o Object) Has(name string) bool { _, ok := o[name]; return ok }

// Known reports whether the property is set and contains no unknown value.
func (o Object) Known(name string) bool {
	v, ok := o[name]
	return ok && !wire.ContainsUnknown(v)
}

// String returns a string property, or "".
func (o Object) String(name string) string { s, _ := o[name].(string); return s }

// Bool returns a boolean property.
func (o Object) Bool(name string) bool { b, _ := o[name].(bool); return b }

// Int returns a number property, truncated to a whole number.
func (o Object) Int(name string) int { n, _ := o[name].(float64); return int(n) }

// Object returns a nested object, or nil if the property is missing.
func (o Object) Object(name string) Object { m, _ := o[name].(map[string]any); return m }

// setDefaults sets the fields that the object lacks to the values in defaults.
func (o Object) setDefaults(defaults map[string]any) {
	for name, v := range defaults {
		if !o.Has(name) {
			o[name] = v
		}
	}
}

// Strings returns the known strings of a list property.
func (o Object) Strings(name string) []string {
	var out []string
	list, _ := o[name].([]any)
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Objects returns the known objects of a list property.
func (o Object) Objects(name string) []Object {
	var out []Object
	list, _ := o[name].([]any)
	for _, v := range list {
		if m, ok := v.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// leaf is one value in an object, with its path.
type leaf struct {
	path  string // the path with list indexes, as in routes[0].natGatewayId
	value any
}

// leaves returns the values at a path of the rules, such as vpcConfig.subnetIds or
// routes.natGatewayId. For a list in the path or at its end, it returns one leaf for
// each element.
func leaves(o Object, path string) []leaf {
	current := []leaf{{"", map[string]any(o)}}
	for name := range strings.SplitSeq(path, ".") {
		var next []leaf
		for _, l := range current {
			m, ok := l.value.(map[string]any)
			if !ok {
				continue
			}
			v, ok := m[name]
			if !ok {
				continue
			}
			next = append(next, elements(leaf{joinPath(l.path, name), v})...)
		}
		current = next
	}
	return current
}

// elements returns a leaf for each element of the list in l. If l is not a list, it returns
// only l.
func elements(l leaf) []leaf {
	list, ok := l.value.([]any)
	if !ok {
		return []leaf{l}
	}
	out := make([]leaf, len(list))
	for i, v := range list {
		out[i] = leaf{fmt.Sprintf("%s[%d]", l.path, i), v}
	}
	return out
}

// isZero reports whether a value is nil, empty, false or 0. To the provider, such a value
// has the same meaning as an omitted value.
func isZero(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case bool:
		return !v
	case float64:
		return v == 0
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// listOrder defines how lists are compared: in their order, or as sets.
type listOrder bool

const (
	keepOrder listOrder = false // the order of the elements has a meaning
	sortLists listOrder = true  // lists are sets: they are sorted before a comparison
)

// canonicalText returns a text that is the same for equal values. It leaves out the zero
// values of objects.
func canonicalText(v any, order listOrder) string {
	text, err := json.Marshal(canonicalValue(v, order))
	if err != nil {
		// Only a value with a type outside of JSON gets here.
		return fmt.Sprintf("%#v", v)
	}
	return string(text)
}

// canonicalValue returns a copy of a value for canonicalText. It removes the zero values of
// objects, and replaces an unknown value by a text. It sorts lists if order is sortLists.
func canonicalValue(v any, order listOrder) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, item := range v {
			if !isZero(item) {
				out[name] = canonicalValue(item, order)
			}
		}
		return out
	case []any:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = canonicalValue(item, order)
		}
		if order == sortLists {
			slices.SortFunc(items, func(a, b any) int { return strings.Compare(canonicalText(a, sortLists), canonicalText(b, sortLists)) })
		}
		return items
	case wire.Unknown:
		return "\x00unknown"
	}
	return v
}

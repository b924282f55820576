package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// choice is a type with a fixed list of values, such as subnet.NATLayout. A key of such a type
// needs no further rule: validateChoices checks its value, and docs/configuration.md lists the
// values.
type choice interface{ Values() []string }

// validateChoices returns an error for each choice in v, at any depth, if its value is not in the
// list of its type. If mayBeUnset is true, it accepts an empty value. Entries of a map, such as a
// tier, need this: an unset key in an entry has the profile's value.
func validateChoices(keyPath *field.Path, v reflect.Value, mayBeUnset bool) field.ErrorList {
	if c, ok := v.Interface().(choice); ok {
		if (mayBeUnset && v.IsZero()) || slices.Contains(c.Values(), v.String()) {
			return nil
		}
		return field.ErrorList{field.NotSupported(keyPath, v.String(), c.Values())}
	}
	var problems field.ErrorList
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			key := f.Tag.Get("key")
			switch {
			case key == "": // no key sets this field
			case f.Tag.Get("values") != "" && !slices.Contains(allowedValues(f), v.Field(i).String()):
				problems = append(problems, field.NotSupported(keyPath.Child(key), v.Field(i).String(), allowedValues(f)))
			case keyPath == nil:
				problems = append(problems, validateChoices(path(key), v.Field(i), mayBeUnset)...)
			default:
				problems = append(problems, validateChoices(keyPath.Child(key), v.Field(i), mayBeUnset)...)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			problems = append(problems, validateChoices(keyPath.Index(i), v.Index(i), false)...)
		}
	case reflect.Map:
		entries := map[string]reflect.Value{}
		for _, name := range v.MapKeys() {
			entries[name.String()] = v.MapIndex(name)
		}
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			problems = append(problems, validateChoices(keyPath.Child(name), entries[name], true)...)
		}
	}
	return problems
}

// allowedValues returns the values that a key may have. The tag "values" permits only some of the
// values of the key's type. nil means any value.
func allowedValues(f reflect.StructField) []string {
	if tag := f.Tag.Get("values"); tag != "" {
		return strings.Split(tag, ",")
	}
	t := f.Type
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if c, ok := reflect.Zero(t).Interface().(choice); ok {
		return c.Values()
	}
	return nil
}

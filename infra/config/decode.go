package config

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// regionKey is the one key of another namespace that the program itself reads.
const regionKey = "aws:region"

// decode fills s from values and returns what could not be understood:
// unknown keys, wrong types, objects that are no JSON. Keys of other
// namespaces belong to their providers and pass.
func decode(values map[string]string, s *Stack) field.ErrorList {
	var problems field.ErrorList
	s.Region = values[regionKey]
	tree := map[string]any{}
	for key, value := range values {
		name, ours := strings.CutPrefix(key, Project+":")
		if !ours {
			continue
		}
		parsed, err := parse(name, value)
		if err != nil {
			problems = append(problems, field.TypeInvalid(field.NewPath(key), value, err.Error()))
			continue
		}
		tree[name] = parsed
	}
	var meta mapstructure.Metadata
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result:    s,
		Metadata:  &meta,
		MatchName: func(key, field string) bool { return key == field },
	})
	if err != nil {
		return append(problems, field.InternalError(nil, err))
	}
	if err := decoder.Decode(tree); err != nil {
		problems = append(problems, typeProblems(err)...)
	}
	for _, key := range meta.Unused {
		problems = append(problems, field.Forbidden(path(key), "no such key"))
	}
	slices.SortFunc(problems, func(a, b *field.Error) int { return strings.Compare(a.Field, b.Field) })
	return problems
}

// parse turns one value into a tree. Whether a key holds an object is known
// from Stack; anything else stays the string that it is in Pulumi's form.
func parse(name, value string) (any, error) {
	for i := range reflect.TypeFor[Stack]().NumField() {
		f := reflect.TypeFor[Stack]().Field(i)
		if f.Tag.Get("mapstructure") != name || f.Type.Kind() == reflect.String {
			continue
		}
		if f.Type.Kind() == reflect.Bool {
			is, err := strconv.ParseBool(value)
			if err != nil {
				return nil, errNotBool
			}
			return is, nil
		}
		var tree map[string]any
		d := json.NewDecoder(strings.NewReader(value))
		d.UseNumber() // so that 1.5 is refused where a whole number is due
		if err := d.Decode(&tree); err != nil || d.More() {
			return nil, errNotObject
		}
		return tree, nil
	}
	return value, nil
}

// typeProblems flattens mapstructure's joined errors.
func typeProblems(err error) field.ErrorList {
	if joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok {
		var problems field.ErrorList
		for _, e := range joined.Unwrap() {
			problems = append(problems, typeProblems(e)...)
		}
		return problems
	}
	var decodeErr *mapstructure.DecodeError
	if !errors.As(err, &decodeErr) {
		return field.ErrorList{field.InternalError(nil, err)}
	}
	var bad *mapstructure.UnconvertibleTypeError
	if errors.As(decodeErr, &bad) {
		return field.ErrorList{field.TypeInvalid(path(decodeErr.Name()), bad.Value, "must be "+kind(bad.Expected.Type()))}
	}
	return field.ErrorList{field.Invalid(path(decodeErr.Name()), nil, decodeErr.Unwrap().Error())}
}

func kind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice:
		return "a list"
	case reflect.Int:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	default:
		return "a " + t.Kind().String()
	}
}

// choice is a type with few values, such as subnet.NATLayout. A key of such a
// type needs no rule of its own: unsupported checks it, and docs/configuration.md
// lists the values.
type choice interface{ Values() []string }

// unsupported lists the choices in v, at any depth, that their types do not
// have. A member of a map, such as a tier, may be unset: it then keeps what the
// profile says.
func unsupported(at *field.Path, v reflect.Value, mayBeUnset bool) field.ErrorList {
	if c, ok := v.Interface().(choice); ok {
		if (mayBeUnset && v.IsZero()) || slices.Contains(c.Values(), v.String()) {
			return nil
		}
		return field.ErrorList{field.NotSupported(at, v.String(), c.Values())}
	}
	var problems field.ErrorList
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			key := v.Type().Field(i).Tag.Get("mapstructure")
			switch {
			case key == "" || key == "-": // not the stack's to set
			case at == nil:
				problems = append(problems, unsupported(path(key), v.Field(i), mayBeUnset)...)
			default:
				problems = append(problems, unsupported(at.Child(key), v.Field(i), mayBeUnset)...)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			problems = append(problems, unsupported(at.Index(i), v.Index(i), false)...)
		}
	case reflect.Map:
		for _, key := range slices.SortedFunc(slices.Values(v.MapKeys()), func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }) {
			problems = append(problems, unsupported(at.Child(key.String()), v.MapIndex(key), true)...)
		}
	}
	return problems
}

// path is where a person finds key: within the project's namespace.
func path(key string) *field.Path { return field.NewPath(Project + ":" + key) }

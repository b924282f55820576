package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// reader fills a Stack from Pulumi's form of the configuration. It records which keys are set, so
// that zero is never mistaken for an absent key. The rules of a key check every value that is set,
// also 0, "", [] and null.
type reader struct {
	problems field.ErrorList
	// setKeys are the paths of the keys that the configuration sets, at any depth.
	setKeys map[string]bool
}

// digits matches a number that may be meant as text, such as an account.
var digits = regexp.MustCompile(`^[0-9]+$`)

// removedKeys are keys of earlier versions, each with its replacement. Their paths have the form of
// those in numberBounds.
var removedKeys = map[string]string{
	"services.*.replicas": "is gone, because an autoscaler sets the number of pods: set min and max instead, or leave them out for the design document's",
}

// maxText is the longest text that a key may have, in bytes. No key needs a longer one.
const maxText = 2048

// truncate returns the first characters of a long text, for an error.
func truncate(text string) string {
	const maxRunes = 40
	if runes := []rune(text); len(runes) > maxRunes {
		return string(runes[:maxRunes]) + "…"
	}
	return text
}

// fixSuffix returns the end of an error message. It is the fix for three values: null, an empty
// value, and a list with a wrong length. pattern is the argument of read.
func fixSuffix(pattern string) string {
	switch {
	case strings.HasSuffix(pattern, ".*"):
		return ": remove it"
	case pattern == "" || requiredKeys()[pattern]:
		return "" // aws:region has no pattern, and required keys have no default
	default:
		return ": leave the key out for its default"
	}
}

// requiredKeys returns the keys that have no default, by their patterns.
var requiredKeys = sync.OnceValue(func() map[string]bool {
	keys := map[string]bool{}
	var walk func(pattern string, t reflect.Type)
	walk = func(pattern string, t reflect.Type) {
		switch t.Kind() {
		case reflect.Struct:
			for i := range t.NumField() {
				f := t.Field(i)
				if key := f.Tag.Get("key"); key != "" {
					if strings.HasPrefix(f.Tag.Get("unset"), "required") {
						keys[join(pattern, key)] = true
					}
					walk(join(pattern, key), f.Type)
				}
			}
		case reflect.Map:
			walk(join(pattern, "*"), t.Elem())
		}
	}
	walk("", reflect.TypeFor[Stack]())
	return keys
})

// addProblem records a problem.
func (r *reader) addProblem(p *field.Error) { r.problems = append(r.problems, p) }

// read stores a value of the configuration in v, or records why the value is refused. keyPath is
// the full path of the key. pattern is its path in tables such as numberBounds: without namespace,
// and with * for the name in a map. kind is the kind of the store that the key belongs to.
func (r *reader) read(keyPath *field.Path, pattern, kind string, v reflect.Value, value any) {
	r.setKeys[keyPath.String()] = true
	if value == nil {
		r.addProblem(field.Invalid(keyPath, value, "must not be null"+fixSuffix(pattern)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		if object, ok := value.(map[string]any); ok {
			r.readObject(keyPath, pattern, v, object)
			return
		}
	case reflect.Map:
		if object, ok := value.(map[string]any); ok {
			r.readMap(keyPath, pattern, v, object)
			return
		}
	case reflect.Slice:
		if list, ok := value.([]any); ok {
			r.readList(keyPath, pattern, v, list)
			return
		}
	case reflect.Int:
		if number, ok := value.(json.Number); ok {
			r.readNumber(keyPath, pattern, kind, v, number)
			return
		}
	case reflect.Bool:
		if b, ok := value.(bool); ok {
			v.SetBool(b)
			return
		}
	case reflect.String:
		// Pulumi's CLI writes text of digits as a number, such as the ID of an account.
		text, ok := value.(string)
		if number, isNumber := value.(json.Number); isNumber && digits.MatchString(number.String()) {
			text, ok = number.String(), true
		}
		if ok {
			v.SetString(text)
			switch {
			case strings.TrimSpace(text) != text || text == "":
				r.addProblem(field.Invalid(keyPath, text, "must not be empty, and must not begin or end with a space"+fixSuffix(pattern)))
			case len(text) > maxText || strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text):
				r.addProblem(field.Invalid(keyPath, truncate(text), fmt.Sprintf("must be one line of at most %d bytes, without control characters", maxText)))
			}
			return
		}
	}
	r.addProblem(field.TypeInvalid(keyPath, formatValue(value), "must be "+describeType(v.Type())))
}

// readObject reads the members of an object. It refuses an unknown member, and a member that only
// another kind of the store has.
func (r *reader) readObject(keyPath *field.Path, pattern string, v reflect.Value, object map[string]any) {
	knownKeys := map[string]bool{}
	kind := ""
	if f := v.FieldByName("Kind"); f.IsValid() {
		if value, ok := object["kind"]; ok {
			r.read(keyPath.Child("kind"), join(pattern, "kind"), "", f, value)
		}
		kind = f.String()
		knownKeys["kind"] = true
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key := f.Tag.Get("key")
		value, ok := object[key]
		if key == "" || knownKeys[key] {
			continue
		}
		knownKeys[key] = true
		if !ok {
			continue
		}
		if kinds := allowedKinds(f); kinds != nil && !slices.Contains(kinds, kind) {
			r.setKeys[keyPath.Child(key).String()] = true
			if !isKind(v, kind) {
				continue // validateChoices refuses the kind
			}
			r.addProblem(field.Forbidden(keyPath.Child(key), fmt.Sprintf("has no effect with kind %s: it belongs to %s; remove it", kind, strings.Join(kinds, " and "))))
			continue
		}
		r.read(keyPath.Child(key), join(pattern, key), kind, v.Field(i), value)
	}
	knownNames := slices.Sorted(maps.Keys(knownKeys))
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if !knownKeys[key] {
			if replacement, ok := removedKeys[join(pattern, key)]; ok {
				r.addProblem(field.Forbidden(keyPath.Child(key), replacement))
				continue
			}
			r.addProblem(field.Forbidden(keyPath.Child(key), "no such key"+keyHint(key, knownNames)))
		}
	}
}

// isKind reports whether kind is a kind that the type of a store has.
func isKind(store reflect.Value, kind string) bool {
	f, _ := store.Type().FieldByName("Kind")
	return slices.Contains(allowedValues(f), kind)
}

// readMap reads the members of a map. Their names are the keys of the map.
func (r *reader) readMap(keyPath *field.Path, pattern string, v reflect.Value, object map[string]any) {
	v.Set(reflect.MakeMap(v.Type()))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		member := reflect.New(v.Type().Elem()).Elem()
		r.read(keyPath.Child(name), join(pattern, "*"), "", member, object[name])
		v.SetMapIndex(reflect.ValueOf(name), member)
	}
}

// readList reads a list, and checks its length and that no entry is repeated.
func (r *reader) readList(keyPath *field.Path, pattern string, v reflect.Value, list []any) {
	v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
	if b, bounded := listBounds[pattern]; bounded && (len(list) < b.Min || len(list) > b.Max) {
		r.addProblem(field.Invalid(keyPath, len(list), "must have "+b.describe("entry", "entries")+fixSuffix(pattern)))
	}
	for i, value := range list {
		r.read(keyPath.Index(i), pattern+".*", "", v.Index(i), value)
		for _, earlier := range list[:i] {
			if value != nil && reflect.DeepEqual(value, earlier) {
				r.addProblem(field.Duplicate(keyPath.Index(i), value))
				break
			}
		}
	}
}

// readNumber reads a whole number, and checks that it is within its bounds.
func (r *reader) readNumber(keyPath *field.Path, pattern, kind string, v reflect.Value, number json.Number) {
	b, bounded := findNumberBound(pattern, kind)
	if !bounded {
		r.addProblem(field.InternalError(keyPath, errors.New("the key has no bounds: add them to numberBounds")))
		return
	}
	n, err := strconv.ParseInt(number.String(), 10, 64)
	isWhole := err == nil || strings.Trim(number.String(), "-0123456789") == "" // also if it is too large for n
	switch {
	case !isWhole:
		r.addProblem(field.TypeInvalid(keyPath, number.String(), "must be a whole number"))
	case err != nil || n < int64(b.Min) || n > int64(b.Max):
		r.addProblem(field.Invalid(keyPath, number, fmt.Sprintf("must be %d to %d%s", b.Min, b.Max, b.reasonSuffix())))
	default:
		v.SetInt(n)
	}
}

// parseValue returns the value of a top-level key of type t: text, a bool, or decoded JSON. Pulumi
// passes every value as text.
func parseValue(t reflect.Type, text string) (any, error) {
	switch t.Kind() {
	case reflect.String:
		return text, nil
	case reflect.Bool:
		if text != "true" && text != "false" {
			return nil, errNotBool
		}
		return text == "true", nil
	}
	tree, err := decodeJSON(text)
	if err != nil {
		return nil, fmt.Errorf("must be %s%w; set its members with `pulumi config set --path`", describeType(t), err)
	}
	return tree, nil
}

// errNotJSON has no text: the message of the caller says what the value must be.
var errNotJSON = errors.New("")

// decodeJSON reads one JSON value. Numbers stay as they are written, so that 1.5 is refused where a
// whole number is required. An object that has a member twice is refused: one of the two values
// would be ignored.
func decodeJSON(text string) (any, error) {
	var tree any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&tree) != nil {
		return nil, errNotJSON
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errNotJSON
	}
	if repeatedName := findRepeatedMember(json.NewDecoder(strings.NewReader(text))); repeatedName != "" {
		return nil, fmt.Errorf(", and has the member %q twice", repeatedName)
	}
	return tree, nil
}

// findRepeatedMember reads one value of valid JSON. It returns the name of the first member that an
// object in it has twice, or "" if there is none.
func findRepeatedMember(d *json.Decoder) string {
	token, err := d.Token()
	if err != nil {
		return ""
	}
	isObject := token == json.Delim('{')
	if !isObject && token != json.Delim('[') {
		return "" // neither an object nor a list
	}
	seen := map[string]bool{}
	for d.More() {
		if isObject {
			nameToken, err := d.Token()
			name, _ := nameToken.(string)
			if err != nil || seen[name] {
				return name
			}
			seen[name] = true
		}
		if repeatedName := findRepeatedMember(d); repeatedName != "" {
			return repeatedName
		}
	}
	_, _ = d.Token() // the closing bracket
	return ""
}

// describeType describes the values of type t, for an error.
func describeType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice:
		return "a list, such as [a, b]"
	case reflect.Int:
		return "a whole number, without quotes"
	case reflect.Bool:
		return "true or false"
	default:
		return "text; put it in quotes"
	}
}

// formatValue returns a value of a wrong type for an error message: objects and lists become JSON
// text.
func formatValue(value any) any {
	switch value.(type) {
	case map[string]any, []any:
		if text, err := json.Marshal(value); err == nil {
			return string(text)
		}
	}
	return value
}

// join adds a key to a path. The empty path is the top.
func join(pattern, key string) string {
	if pattern == "" {
		return key
	}
	return pattern + "." + key
}

// path returns the path of a key of the project's namespace.
func path(key string) *field.Path { return field.NewPath(Project + ":" + key) }

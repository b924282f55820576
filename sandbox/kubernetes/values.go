package kubernetes

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"
)

// The marks by which Pulumi's wire format carries what JSON can't
// (sdk/go/common/resource/sig and plugin/rpc.go of the SDK).
const (
	sigKey        = "4dabf18193072939515e22adb298388d"
	sigSecret     = "1b47061264138c4ac30d75fd1eb44270"
	unknownString = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
)

var unknownStrings = []string{
	unknownString,
	"1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // bool
	"3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
	"6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
	"dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
}

// unknown stands for a value that a preview does not know yet.
type unknown struct{}

// path leads to a value: strings are keys of objects, ints places in lists.
type path []any

func (p path) key(k string) path { return append(slices.Clip(p), k) }
func (p path) at(i int) path     { return append(slices.Clip(p), i) }

// String renders the path as Pulumi does: spec.containers[0].image, with keys
// that are no identifiers in brackets.
func (p path) String() string {
	var b strings.Builder
	for _, step := range p {
		switch s := step.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", s)
		case string:
			switch {
			case !identifier(s):
				fmt.Fprintf(&b, "[%s]", strconv.Quote(s))
			case b.Len() > 0:
				b.WriteString("." + s)
			default:
				b.WriteString(s)
			}
		}
	}
	return b.String()
}

func identifier(s string) bool {
	for i, r := range s {
		letter := r == '_' || r == '$' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// secrets are the values that Pulumi keeps encrypted: the paths of those it
// was given as such, and their texts, so that one that the API server shows at
// another place is hidden there as well.
type secrets struct {
	paths map[string]bool
	texts map[string]bool
}

// minSecretText is the length in bytes from which a secret's text is hidden
// wherever it stands. Shorter ones would hide ports and flags that only happen
// to be equal.
const minSecretText = 6

func newSecrets() secrets { return secrets{paths: map[string]bool{}, texts: map[string]bool{}} }

func (s secrets) add(at path, value any) {
	s.paths[at.String()] = true
	walk(value, at, func(_ path, v any) {
		if text, ok := v.(string); ok && len(text) >= minSecretText {
			s.texts[text] = true
		}
	})
}

// merge adds what other holds.
func (s secrets) merge(other secrets) {
	maps.Copy(s.paths, other.paths)
	maps.Copy(s.texts, other.texts)
}

func (s secrets) has(at path, value any) bool {
	if text, ok := value.(string); ok && s.texts[text] {
		return true
	}
	return s.paths[at.String()]
}

// decode turns a property bag into plain values: nil, bool, int64, float64,
// string, []any, map[string]any and unknown. Keys without a value are dropped.
func decode(bag *structpb.Struct) (map[string]any, secrets, error) {
	found := newSecrets()
	fields, err := decodeFields(bag, nil, found)
	return fields, found, err
}

func decodeFields(bag *structpb.Struct, at path, found secrets) (map[string]any, error) {
	fields := make(map[string]any, len(bag.GetFields()))
	for name, value := range bag.GetFields() {
		v, err := decodeValue(value, at.key(name), found)
		if err != nil {
			return nil, err
		}
		if v != nil {
			fields[name] = v
		}
	}
	return fields, nil
}

func decodeValue(value *structpb.Value, at path, found secrets) (any, error) {
	switch v := value.GetKind().(type) {
	case *structpb.Value_BoolValue:
		return v.BoolValue, nil
	case *structpb.Value_NumberValue:
		return number(v.NumberValue), nil
	case *structpb.Value_StringValue:
		if slices.Contains(unknownStrings, v.StringValue) {
			return unknown{}, nil
		}
		return v.StringValue, nil
	case *structpb.Value_ListValue:
		list := make([]any, len(v.ListValue.GetValues()))
		for i, item := range v.ListValue.GetValues() {
			decoded, err := decodeValue(item, at.at(i), found)
			if err != nil {
				return nil, err
			}
			list[i] = decoded
		}
		return list, nil
	case *structpb.Value_StructValue:
		sig, special := v.StructValue.GetFields()[sigKey]
		if !special {
			return decodeFields(v.StructValue, at, found)
		}
		if sig.GetStringValue() != sigSecret {
			return nil, fmt.Errorf("%s: assets, archives and resources are no values of a Kubernetes object", at)
		}
		inner, err := decodeValue(v.StructValue.GetFields()["value"], at, found)
		if err != nil {
			return nil, err
		}
		found.add(at, inner)
		return inner, nil
	default:
		return nil, nil
	}
}

// number keeps whole numbers as int64, which is what Kubernetes' own decoder
// makes of them; above 2^53 a float64 is not exact in the first place.
func number(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f)
	}
	return f
}

// encode is decode's inverse; hide says which values Pulumi is to encrypt.
func encode(fields map[string]any, hide secrets) (*structpb.Struct, error) {
	value, err := encodeValue(fields, nil, hide)
	if err != nil {
		return nil, err
	}
	return value.GetStructValue(), nil
}

func encodeValue(value any, at path, hide secrets) (*structpb.Value, error) {
	plain, err := encodePlain(value, at, hide)
	if err != nil || len(at) == 0 || !hide.has(at, value) {
		return plain, err
	}
	return structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
		sigKey: structpb.NewStringValue(sigSecret), "value": plain,
	}}), nil
}

func encodePlain(value any, at path, hide secrets) (*structpb.Value, error) {
	switch v := value.(type) {
	case nil:
		return structpb.NewNullValue(), nil
	case unknown:
		return structpb.NewStringValue(unknownString), nil
	case bool:
		return structpb.NewBoolValue(v), nil
	case int64:
		return structpb.NewNumberValue(float64(v)), nil
	case float64:
		return structpb.NewNumberValue(v), nil
	case string:
		return structpb.NewStringValue(v), nil
	case []any:
		list := &structpb.ListValue{Values: make([]*structpb.Value, len(v))}
		for i, item := range v {
			encoded, err := encodeInner(item, at.at(i), value, at, hide)
			if err != nil {
				return nil, err
			}
			list.Values[i] = encoded
		}
		return structpb.NewListValue(list), nil
	case map[string]any:
		fields := make(map[string]*structpb.Value, len(v))
		for name, item := range v {
			encoded, err := encodeInner(item, at.key(name), value, at, hide)
			if err != nil {
				return nil, err
			}
			fields[name] = encoded
		}
		return structpb.NewStructValue(&structpb.Struct{Fields: fields}), nil
	default:
		return nil, fmt.Errorf("%s: a value of type %T can't be sent to Pulumi", at, value)
	}
}

// encodeInner leaves what lies in a secret unmarked: a secret in a secret says
// nothing more.
func encodeInner(item any, at path, outer any, outerAt path, hide secrets) (*structpb.Value, error) {
	if len(outerAt) > 0 && hide.has(outerAt, outer) {
		return encodePlain(item, at, secrets{})
	}
	return encodeValue(item, at, hide)
}

// walk calls visit for value and all that lies in it.
func walk(value any, at path, visit func(path, any)) {
	visit(at, value)
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			walk(item, at.at(i), visit)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			walk(v[name], at.key(name), visit)
		}
	}
}

// hasUnknown says whether a preview does not know some part of value.
func hasUnknown(value any) bool {
	found := false
	walk(value, nil, func(_ path, v any) {
		if _, ok := v.(unknown); ok {
			found = true
		}
	})
	return found
}

// clone copies value and all that lies in it.
func clone[T any](value T) T {
	copied, _ := cloneAny(value).(T)
	return copied
}

func cloneAny(value any) any {
	switch v := value.(type) {
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = cloneAny(item)
		}
		return list
	case map[string]any:
		fields := make(map[string]any, len(v))
		for name, item := range v {
			fields[name] = cloneAny(item)
		}
		return fields
	default:
		return value
	}
}

// lookup returns the value below fields that keys lead to.
func lookup(fields map[string]any, keys ...string) (any, bool) {
	var value any = fields
	for _, k := range keys {
		m, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = m[k]; !ok {
			return nil, false
		}
	}
	return value, true
}

// text returns the string below fields that keys lead to, empty where there is none.
func text(fields map[string]any, keys ...string) string {
	v, _ := lookup(fields, keys...)
	s, _ := v.(string)
	return s
}

// set puts value where keys lead, with objects on the way where none are. It
// reports false where something else stands in the way.
func set(fields map[string]any, value any, keys ...string) bool {
	for _, k := range keys[:len(keys)-1] {
		next, ok := fields[k]
		if !ok {
			next = map[string]any{}
			fields[k] = next
		}
		m, ok := next.(map[string]any)
		if !ok {
			return false
		}
		fields = m
	}
	fields[keys[len(keys)-1]] = value
	return true
}

// Package wire converts property values between the engine's protocol and plain Go
// values (string, bool, float64, []any, map[string]any).
//
// The Pulumi SDK has a package for this, go/common/resource/plugin. That package also links
// the engine's plugin host, HCL and tracing. The stand-in starts at every preview and must be
// small, so it does not use that package.
package wire

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"
)

// The markers of special values. They are part of Pulumi's protocol and never change.
const (
	sigKey       = "4dabf18193072939515e22adb298388d"
	sigSecret    = "1b47061264138c4ac30d75fd1eb44270"
	sigOutput    = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
	sigResource  = "5cf8f73096256a8f31e491e813e4eb8e"
	sigAsset     = "c44067f5952c0a294b673a41bacd8c17"
	sigArchive   = "0def7320c3a5731c473e5ecbe6d01bc7"
	unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
)

// unknownMarkers are the markers of unknown values in a preview. Each kind of value, such as a
// number, has its own marker.
var unknownMarkers = []string{
	unknownValue,
	"1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
	"3eeb2bf0-c639-47a8-9e75-3b44932eb421",
	"6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
	"030794c1-ac77-496b-92df-f27374a8bd58",
	"e48ece36-62e2-4504-bad9-02848725956a",
	"dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
}

// Unknown is a value that is not known yet in a preview.
type Unknown struct{}

// Secret is a value that the engine has to keep secret.
type Secret struct{ Value any }

// Archive represents an archive of files. The stand-in does not support archives.
type Archive struct{}

// IsAsset reports whether v is an asset: a file or a text of the program. Decode leaves an
// asset in the engine's form, which has a hash of the content.
func IsAsset(v any) bool {
	m, _ := v.(map[string]any)
	return m[sigKey] == sigAsset
}

// IsUnknown reports whether v itself is unknown.
func IsUnknown(v any) bool { _, ok := v.(Unknown); return ok }

// ContainsUnknown reports whether v is unknown or contains an unknown value.
func ContainsUnknown(v any) bool {
	switch v := v.(type) {
	case Unknown:
		return true
	case Secret:
		return ContainsUnknown(v.Value)
	case []any:
		return slices.ContainsFunc(v, ContainsUnknown)
	case map[string]any:
		for _, item := range v {
			if ContainsUnknown(item) {
				return true
			}
		}
	}
	return false
}

// Decode converts a message to plain values. It leaves out nulls, because a property that is
// null is not set. It replaces secrets and outputs by their values.
func Decode(s *structpb.Struct) map[string]any {
	out := map[string]any{}
	for name, v := range s.GetFields() {
		if value := decode(v); value != nil {
			out[name] = value
		}
	}
	return out
}

// decode converts one value of a message to a plain value. A null becomes nil.
func decode(v *structpb.Value) any {
	switch kind := v.GetKind().(type) {
	case *structpb.Value_BoolValue:
		return kind.BoolValue
	case *structpb.Value_NumberValue:
		return kind.NumberValue
	case *structpb.Value_StringValue:
		if slices.Contains(unknownMarkers, kind.StringValue) {
			return Unknown{}
		}
		return kind.StringValue
	case *structpb.Value_ListValue:
		out := make([]any, 0, len(kind.ListValue.GetValues()))
		for _, item := range kind.ListValue.GetValues() {
			out = append(out, decode(item))
		}
		return out
	case *structpb.Value_StructValue:
		return decodeStruct(kind.StructValue)
	}
	return nil
}

// decodeStruct converts a structure to a plain value. The marker at the key sigKey identifies a
// special value. A secret or an output becomes its value, and a resource becomes its id. Other
// structures, such as assets, become maps.
func decodeStruct(s *structpb.Struct) any {
	switch s.GetFields()[sigKey].GetStringValue() {
	case sigSecret:
		return decode(s.GetFields()["value"])
	case sigOutput:
		value, known := s.GetFields()["value"]
		if !known {
			return Unknown{}
		}
		return decode(value)
	case sigResource:
		if id, ok := s.GetFields()["id"]; ok {
			if value := decode(id); value != "" {
				return value
			}
		}
		return Unknown{} // the resource is not created yet
	case sigArchive:
		return Archive{}
	}
	return Decode(s)
}

// Encode converts plain values to a message. It accepts the types that Decode returns. For
// convenience it also accepts nil, int, []string and map[string]string.
func Encode(values map[string]any) (*structpb.Struct, error) {
	out := &structpb.Struct{Fields: make(map[string]*structpb.Value, len(values))}
	for name, v := range values {
		value, err := encode(v)
		if err != nil {
			return nil, fmt.Errorf("property %s: %w", name, err)
		}
		out.Fields[name] = value
	}
	return out, nil
}

// encode converts one plain value to a value of a message.
func encode(v any) (*structpb.Value, error) {
	switch v := v.(type) {
	case nil:
		return structpb.NewNullValue(), nil
	case bool:
		return structpb.NewBoolValue(v), nil
	case float64:
		return structpb.NewNumberValue(v), nil
	case int:
		return structpb.NewNumberValue(float64(v)), nil
	case string:
		return structpb.NewStringValue(strings.ToValidUTF8(v, "\uFFFD")), nil
	case Unknown:
		return structpb.NewStringValue(unknownValue), nil
	case Secret:
		inner, err := encode(v.Value)
		if err != nil {
			return nil, err
		}
		return structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
			sigKey: structpb.NewStringValue(sigSecret), "value": inner,
		}}), nil
	case []string:
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = s
		}
		return encode(list)
	case map[string]string:
		m := make(map[string]any, len(v))
		for k, s := range v {
			m[k] = s
		}
		return encode(m)
	case []any:
		list := &structpb.ListValue{Values: make([]*structpb.Value, len(v))}
		for i, item := range v {
			value, err := encode(item)
			if err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
			list.Values[i] = value
		}
		return structpb.NewListValue(list), nil
	case map[string]any:
		s, err := Encode(v)
		if err != nil {
			return nil, err
		}
		return structpb.NewStructValue(s), nil
	}
	return nil, fmt.Errorf("a %T can't be sent to the engine", v)
}

// Clone returns a deep copy of a plain value.
func Clone(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = Clone(item)
		}
		return out
	case map[string]any:
		return CloneMap(v)
	}
	return v
}

// CloneMap returns a deep copy of a map of plain values.
func CloneMap(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = Clone(v)
	}
	return out
}

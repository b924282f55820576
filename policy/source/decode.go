// Package source reads the resources of a stack from a file: a state export, a
// preview's JSON, or a recording for tests. It owns Pulumi's encodings of
// secrets and of values that are not known yet.
package source

import "github.com/progressive-framework/platform/policy/value"

// Pulumi's encodings, copied from sdk/go/common/resource/sig and
// sdk/go/common/resource/plugin/rpc.go of the repository pulumi/pulumi. An import of
// the second package would link half of the SDK. An encoded object has signatureKey, with
// one of the two signatures as its value.
const (
	signatureKey    = "4dabf18193072939515e22adb298388d"
	secretSignature = "1b47061264138c4ac30d75fd1eb44270"
	outputSignature = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
)

// unknownValues are the strings that Pulumi sends for a value that is not known yet.
var unknownValues = map[string]bool{
	"1c4a061d-8072-4f0a-a4cb-0ff528b18fe7": true, // a boolean
	"3eeb2bf0-c639-47a8-9e75-3b44932eb421": true, // a number
	"04da6b54-80e4-46f7-96ec-b56ff0331ba9": true, // a string
	"6a19a0b0-7e62-4c92-b797-7f8e31da9cc2": true, // a list
	"030794c1-ac77-496b-92df-f27374a8bd58": true, // an asset
	"e48ece36-62e2-4504-bad9-02848725956a": true, // an archive
	"dd056dcd-154b-4c76-9bd3-c8f88648b5ff": true, // an object
	"output<string>":                       true,
}

// maskedSecret is the text of a secret in a preview's JSON.
const maskedSecret = "[secret]"

// DecodeString decodes a string: an unknown value, a masked secret, or a plain string.
func DecodeString(s string) any {
	switch {
	case unknownValues[s]:
		return value.Undetermined{}
	case s == maskedSecret:
		return value.Secret{Value: value.Undetermined{}}
	}
	return s
}

// DecodeObject decodes an object with properties that are already decoded. The object is a secret,
// the output of a resource, or a plain object.
func DecodeObject(o map[string]any) any {
	switch o[signatureKey] {
	case secretSignature:
		if v, ok := o["value"]; ok {
			return value.Secret{Value: v}
		}
		return value.Secret{Value: value.Undetermined{}} // encrypted
	case outputSignature:
		v, ok := o["value"]
		if !ok {
			return value.Undetermined{}
		}
		if isSecret, _ := o["secret"].(bool); isSecret {
			return value.Secret{Value: v}
		}
		return v
	}
	return o
}

// Decode decodes Pulumi's encodings in a JSON value, at any depth. It changes the lists and
// objects in place.
func Decode(raw any) any {
	switch v := raw.(type) {
	case string:
		return DecodeString(v)
	case []any:
		for i, item := range v {
			v[i] = Decode(item)
		}
		return v
	case map[string]any:
		for name, item := range v {
			v[name] = Decode(item)
		}
		return DecodeObject(v)
	}
	return raw
}

package server

import (
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/progressive-framework/platform/policy/source"
	"github.com/progressive-framework/platform/policy/value"
)

// decodeProperties converts the properties of a message to a node.
func decodeProperties(s *structpb.Struct) value.Node {
	object := make(map[string]any, len(s.GetFields()))
	for name, v := range s.GetFields() {
		object[name] = decodeValue(v)
	}
	return value.New(object)
}

// stackType is the type of the resource with the stack's outputs. The rules read its outputs, and
// none of its inputs.
const stackType = "pulumi:pulumi:Stack"

// neededOutputs returns the outputs that rules read in addition to inputs: the ARN, and each
// output with the name of an input that is not known.
func neededOutputs(outputs *structpb.Struct, inputs value.Node) *structpb.Struct {
	fields := map[string]*structpb.Value{}
	for name, v := range outputs.GetFields() {
		if name == "arn" || !inputs.Get(name).Known() {
			fields[name] = v
		}
	}
	return &structpb.Struct{Fields: fields}
}

// decodeValue converts one value of a message to the form that value.New takes.
func decodeValue(v *structpb.Value) any {
	switch k := v.GetKind().(type) {
	case *structpb.Value_StringValue:
		return source.DecodeString(k.StringValue)
	case *structpb.Value_NumberValue:
		return k.NumberValue
	case *structpb.Value_BoolValue:
		return k.BoolValue
	case *structpb.Value_ListValue:
		list := make([]any, len(k.ListValue.GetValues()))
		for i, item := range k.ListValue.GetValues() {
			list[i] = decodeValue(item)
		}
		return list
	case *structpb.Value_StructValue:
		object := make(map[string]any, len(k.StructValue.GetFields()))
		for name, item := range k.StructValue.GetFields() {
			object[name] = decodeValue(item)
		}
		return source.DecodeObject(object)
	}
	return nil
}

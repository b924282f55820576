package server

import (
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/progressive-framework/platform/policy/source"
	"github.com/progressive-framework/platform/policy/value"
)

// decode converts the properties of a message to a node.
func decode(s *structpb.Struct) value.Node {
	object := make(map[string]any, len(s.GetFields()))
	for name, v := range s.GetFields() {
		object[name] = plain(v)
	}
	return value.New(object)
}

// stackType is the type of the resource that has the stack's outputs. No input of the stack
// resource is of interest, but each of its outputs is.
const stackType = "pulumi:pulumi:Stack"

// neededOutputs returns the outputs that rules read in addition to inputs: the ARN, and each
// output whose input is not known.
func neededOutputs(outputs *structpb.Struct, inputs value.Node) *structpb.Struct {
	fields := map[string]*structpb.Value{}
	for name, v := range outputs.GetFields() {
		if name == "arn" || !inputs.Get(name).Known() {
			fields[name] = v
		}
	}
	return &structpb.Struct{Fields: fields}
}

// plain converts one value of a message to the form that value.New takes.
func plain(v *structpb.Value) any {
	switch k := v.GetKind().(type) {
	case *structpb.Value_StringValue:
		return source.Text(k.StringValue)
	case *structpb.Value_NumberValue:
		return k.NumberValue
	case *structpb.Value_BoolValue:
		return k.BoolValue
	case *structpb.Value_ListValue:
		list := make([]any, len(k.ListValue.GetValues()))
		for i, item := range k.ListValue.GetValues() {
			list[i] = plain(item)
		}
		return list
	case *structpb.Value_StructValue:
		object := make(map[string]any, len(k.StructValue.GetFields()))
		for name, item := range k.StructValue.GetFields() {
			object[name] = plain(item)
		}
		return source.Object(object)
	}
	return nil
}

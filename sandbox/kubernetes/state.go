package kubernetes

import (
	"encoding/base64"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// What the state holds beside the live object. The first three are the real
// provider's: a stack goes on when that one is installed later.
const (
	hiddenInputs  = "__inputs"
	hiddenVersion = "__initialApiVersion"
	hiddenManager = "__fieldManager"
	// hiddenPending marks an object that was applied and not yet seen ready.
	hiddenPending = "__pending"
)

var hiddenFields = []string{hiddenInputs, hiddenVersion, hiddenManager, hiddenPending}

// record is what the state keeps of an object.
type record struct {
	live    map[string]any // without managedFields
	inputs  map[string]any
	manager string
	pending bool
	hide    secrets
}

// encode renders the record as the resource's outputs.
func (r record) encode() (*structpb.Struct, error) {
	live := clone(r.live)
	for _, h := range hiddenFields {
		delete(live, h)
	}
	unstructured.RemoveNestedField(live, "metadata", "managedFields")
	outputs, err := encode(live, r.hideIn(live))
	if err != nil {
		return nil, err
	}
	inputs, err := encode(r.inputs, r.hideIn(r.inputs))
	if err != nil {
		return nil, err
	}
	outputs.Fields[hiddenInputs] = structpb.NewStructValue(inputs)
	outputs.Fields[hiddenVersion] = structpb.NewStringValue(text(r.inputs, "apiVersion"))
	outputs.Fields[hiddenManager] = structpb.NewStringValue(r.manager)
	if r.pending {
		outputs.Fields[hiddenPending] = structpb.NewBoolValue(true)
	}
	return outputs, nil
}

// hideIn adds to the record's secrets what is secret by its kind.
func (r record) hideIn(object map[string]any) secrets {
	all := newSecrets()
	all.merge(r.hide)
	if isSecret(r.inputs) {
		for _, field := range []string{"data", "stringData"} {
			if value, ok := object[field]; ok {
				all.add(path{field}, value)
			}
		}
	}
	return all
}

func isSecret(object map[string]any) bool {
	return text(object, "kind") == "Secret" && text(object, "apiVersion") == "v1"
}

// oldInputs are the inputs in the engine's state; an engine or a provider that
// sends none has them hidden in the outputs.
func oldInputs(inputs, outputs *structpb.Struct) (map[string]any, error) {
	if len(inputs.GetFields()) == 0 {
		inputs = outputs.GetFields()[hiddenInputs].GetStructValue()
	}
	fields, _, err := decode(inputs)
	return fields, err
}

// managerOf is the field manager of the state, or the one that the URN gives.
func managerOf(outputs *structpb.Struct, urn string) string {
	if m := outputs.GetFields()[hiddenManager].GetStringValue(); m != "" {
		return m
	}
	return managerName(urn)
}

// object makes what is sent to the API server of inputs.
func object(gvk schema.GroupVersionKind, inputs map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: clone(inputs)}
	for _, h := range hiddenFields {
		delete(o.Object, h)
	}
	o.SetGroupVersionKind(gvk)
	return o
}

// serverSet are the fields by kind that the API server chooses for a new
// object, so that a dry run's value is not the one to come.
var serverSet = map[schema.GroupKind][][]string{
	{Kind: "Service"}:               {{"spec", "clusterIP"}, {"spec", "clusterIPs"}, {"spec", "healthCheckNodePort"}},
	{Kind: "PersistentVolumeClaim"}: {{"spec", "volumeName"}},
	{Kind: "Pod"}:                   {{"spec", "nodeName"}},
}

// newMetadata is what a dry run makes up for a new object. It is left out
// instead of being unknown: one unknown value makes the whole of metadata
// unknown to a Go program, and with it the name, by which others refer to it.
var newMetadata = []string{"uid", "resourceVersion", "generation", "creationTimestamp"}

// foreseen makes of a dry run's answer what a preview can honestly say of an
// object that is not there yet.
func foreseen(gvk schema.GroupVersionKind, inputs, dry map[string]any) map[string]any {
	out := clone(dry)
	for _, field := range newMetadata {
		unstructured.RemoveNestedField(out, "metadata", field)
	}
	out["status"] = unknown{}
	for _, keys := range serverSet[gvk.GroupKind()] {
		if _, given := lookup(inputs, keys...); !given {
			set(out, unknown{}, keys...)
		}
	}
	if gvk.GroupKind() == (schema.GroupKind{Kind: "Service"}) {
		ports, _ := lookup(out, "spec", "ports")
		given, _ := lookup(inputs, "spec", "ports")
		foreseePorts(ports, given, text(out, "spec", "type"))
	}
	return out
}

func foreseePorts(ports, given any, serviceType string) {
	if serviceType != "NodePort" && serviceType != "LoadBalancer" {
		return
	}
	list, _ := ports.([]any)
	fixed, _ := given.([]any)
	for i, item := range list {
		port, ok := item.(map[string]any)
		if !ok {
			continue
		}
		if i < len(fixed) {
			if f, ok := fixed[i].(map[string]any); ok {
				if _, chosen := f["nodePort"]; chosen {
					continue
				}
			}
		}
		port["nodePort"] = unknown{}
	}
}

// initFailed is the error by which the engine records an object that stands
// but is not ready.
func initFailed(id string, outputs, inputs *structpb.Struct, reasons ...string) error {
	return withDetails(reasons, &pulumirpc.ErrorResourceInitFailed{Id: id, Properties: outputs, Reasons: reasons, Inputs: inputs})
}

func decodeBase64(s string) (string, bool) {
	raw, err := base64.StdEncoding.DecodeString(s)
	return string(raw), err == nil
}
